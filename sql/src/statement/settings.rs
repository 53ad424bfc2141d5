//! SET, SHOW and RESET.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use voxhouse_engine::Result;

use super::{rows, text_rows};
use crate::dialect::SetValue;
use crate::session::settings::Reach;
use crate::session::{Session, text_column};
use crate::wire::backend::{Outcome, TransactionStatus};

pub fn set(session: &mut Session, name: &str, value: &SetValue, local: bool) -> Result<Outcome> {
    if local && session.transaction == TransactionStatus::Idle {
        session.warning("25P01", "SET LOCAL can only be used in transaction blocks");
    }
    let reach = if local { Reach::Transaction } else { Reach::Session };
    match value {
        SetValue::Default => session.settings.reset(name, reach)?,
        SetValue::Values(words) => {
            let texts: Vec<String> = words.iter().map(|word| word.text().to_owned()).collect();
            session.settings.put(name, &session.settings.join(name, &texts)?, reach)?;
        }
    }
    Ok(Outcome::Done("SET".into()))
}

pub fn reset(session: &mut Session, name: Option<&str>) -> Result<Outcome> {
    match name {
        None => session.settings.reset_all(),
        // The session's role cannot be changed, so it is the one that logged in.
        Some("session_authorization") => {}
        Some(name) => session.settings.reset(name, Reach::Session)?,
    }
    Ok(Outcome::Done("RESET".into()))
}

/// One column that bears the parameter's name, or three for all of them.
pub fn show_schema(session: &Session, name: Option<&str>) -> Result<SchemaRef> {
    Ok(match name {
        Some(name) => text_column(&session.settings.show(name)?.0),
        None => {
            let columns = ["name", "setting", "description"];
            Arc::new(Schema::new(columns.map(|name| Field::new(name, DataType::Utf8, true)).to_vec()))
        }
    })
}

pub fn show(session: &Session, name: Option<&str>) -> Result<Outcome> {
    if let Some(name) = name {
        let (name, value) = session.settings.show(name)?;
        return text_rows("SHOW", &name, [value]);
    }
    let all = session.settings.show_all();
    let columns = (0..3).map(|column| {
        Arc::new(all.iter().map(|row| Some(row[column].as_str())).collect::<StringArray>()) as ArrayRef
    });
    let batch = RecordBatch::try_new(show_schema(session, None)?, columns.collect())?;
    Ok(rows("SHOW", batch))
}
