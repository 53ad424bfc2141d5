//! What catalog relations and functions see of a session, and change in it.

use voxhouse_engine::Result;
use voxhouse_engine::catalog::Setting;

use super::Prepared;
use super::cursor::Cursors;
use super::settings::{Reach, Settings};
use crate::pg_catalog::{CursorRow, PreparedStatementRow, SessionParts, SettingRow};
use crate::wire::portal::Statements;

#[derive(Clone)]
pub struct Parts {
    pub settings: Settings,
    pub statements: Statements<Prepared>,
    pub cursors: Cursors,
}

impl Parts {
    pub fn new(settings: Settings) -> Self {
        Self { settings, statements: Statements::default(), cursors: Cursors::default() }
    }
}

impl SessionParts for Parts {
    fn settings(&self) -> Vec<SettingRow> {
        self.settings.rows()
    }

    fn setting(&self, name: &str) -> Result<String> {
        self.settings.show(name).map(|(_, value)| value)
    }

    fn set(&self, name: &str, value: Option<&str>, transaction_only: bool) -> Result<String> {
        let reach = if transaction_only { Reach::Transaction } else { Reach::Session };
        match value {
            Some(value) => self.settings.put(name, value, reach)?,
            None => self.settings.reset(name, reach)?,
        }
        self.setting(name)
    }

    fn accept(&self, name: &str, values: Option<&[String]>) -> Result<Setting> {
        self.settings.acceptable(name, values)
    }

    fn prepared_statements(&self) -> Vec<PreparedStatementRow> {
        self.statements.rows()
    }

    fn cursors(&self) -> Vec<CursorRow> {
        self.cursors.rows()
    }
}
