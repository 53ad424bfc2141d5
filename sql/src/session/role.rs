//! Who a session acts as: SET ROLE, SET SESSION AUTHORIZATION, and what RESET makes of them.
//!
//! As in PostgreSQL both are parameters, `role` and `session_authorization`, so that SET LOCAL and ROLLBACK mean for
//! them what they mean for the others. Nothing but the statements here sets them: each checks who may become whom.

use voxhouse_engine::catalog::CatalogSnapshot;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::Session;
use super::settings::Reach;
use crate::dialect::AccessStatement;
use crate::wire::backend::{Outcome, TransactionStatus};

/// The value of `role` while no SET ROLE holds.
pub const NO_ROLE: &str = "none";

impl Session {
    /// The session user: who logged in, or whom SET SESSION AUTHORIZATION named.
    pub(crate) fn session_role(&self) -> String {
        self.settings.value("session_authorization")
    }

    /// The current user, whose privileges count.
    pub(crate) fn role(&self) -> String {
        let role = self.settings.value("role");
        if role == NO_ROLE || role.is_empty() { self.session_role() } else { role }
    }

    /// Runs a statement about the session's role. `None`: it is about something else.
    pub(crate) async fn run_role_statement(
        &mut self,
        statement: &AccessStatement,
    ) -> Result<Option<Outcome>> {
        let (AccessStatement::SetRole { local, .. } | AccessStatement::SetSessionAuthorization { local, .. }) =
            statement
        else {
            return Ok(None);
        };
        let catalog = self.instance.warehouse.catalog().await?;
        if *local && self.transaction == TransactionStatus::Idle {
            self.warning("25P01", "SET LOCAL can only be used in transaction blocks");
        }
        match statement {
            AccessStatement::SetRole { role, local } => self.set_role(&catalog, role.as_deref(), *local)?,
            AccessStatement::SetSessionAuthorization { role, local } => {
                self.set_session_authorization(&catalog, role.as_deref(), *local)?;
            }
            _ => {}
        }
        Ok(Some(Outcome::Done("SET".into())))
    }

    fn set_role(&mut self, catalog: &CatalogSnapshot, role: Option<&str>, local: bool) -> Result<()> {
        if let Some(role) = role {
            require(catalog, role)?;
            if !catalog.is_member(&self.session_role(), role) {
                return Err(Error::new(
                    ErrorKind::InsufficientPrivilege,
                    format!("permission denied to set role \"{role}\""),
                ));
            }
        }
        self.assume("role", role.unwrap_or(NO_ROLE), local);
        self.tell_superuser(catalog, local);
        Ok(())
    }

    fn set_session_authorization(
        &mut self,
        catalog: &CatalogSnapshot,
        role: Option<&str>,
        local: bool,
    ) -> Result<()> {
        let logged_in = self.login.role.clone();
        let role = role.unwrap_or(&logged_in);
        require(catalog, role)?;
        if role != logged_in && !catalog.is_superuser(&logged_in) {
            return Err(Error::new(
                ErrorKind::InsufficientPrivilege,
                "permission denied to set session authorization",
            ));
        }
        self.assume("session_authorization", role, local);
        self.assume("role", NO_ROLE, local);
        self.tell_superuser(catalog, local);
        Ok(())
    }

    /// As DISCARD ALL leaves it.
    pub(crate) fn become_login_role(&mut self) {
        let login = self.login.role.clone();
        self.assume("session_authorization", &login, false);
        self.assume("role", NO_ROLE, false);
        self.tell_superuser(&self.instance.warehouse.known_catalog(), false);
    }

    fn tell_superuser(&mut self, catalog: &CatalogSnapshot, local: bool) {
        let shown = if catalog.is_superuser(&self.role()) { "on" } else { "off" };
        self.assume("is_superuser", shown, local);
    }

    fn assume(&mut self, name: &'static str, value: &str, local: bool) {
        if !local {
            self.settings.assume(name, value, Reach::Session);
        } else if self.transaction != TransactionStatus::Idle {
            self.settings.assume(name, value, Reach::Transaction);
        }
    }
}

fn require(catalog: &CatalogSnapshot, role: &str) -> Result<()> {
    if catalog.role(role).is_some() || catalog.is_superuser(role) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::UndefinedObject, format!("role \"{role}\" does not exist")))
}
