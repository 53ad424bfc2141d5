//! BEGIN, COMMIT, ROLLBACK, savepoints and the modes of a transaction.

use datafusion::sql::sqlparser::ast::{
    self, Set, TransactionAccessMode, TransactionIsolationLevel, TransactionMode,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::{Statement, StatementKind};
use crate::query::names::fold;
use crate::session::Session;
use crate::session::settings::Reach;
use crate::wire::backend::{Outcome, TransactionStatus};

const ISOLATION: &str = "transaction_isolation";
const READ_ONLY: &str = "transaction_read_only";

pub fn handles(sql: &ast::Statement) -> bool {
    use ast::Statement as S;
    matches!(
        sql,
        S::StartTransaction { .. }
            | S::Commit { .. }
            | S::Rollback { .. }
            | S::Savepoint { .. }
            | S::ReleaseSavepoint { .. }
            | S::Set(Set::SetTransaction { .. })
    )
}

/// Whether a statement controls transactions rather than being part of one.
pub fn controls(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Sql(sql) if handles(sql))
}

/// Whether a statement is taken even in a failed transaction.
pub fn ends(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Sql(sql)
        if matches!(sql.as_ref(), ast::Statement::Commit { .. } | ast::Statement::Rollback { .. }))
}

pub async fn run(session: &mut Session, sql: &ast::Statement) -> Result<Outcome> {
    use ast::Statement as S;
    let tag = match sql {
        S::StartTransaction { begin: is_begin, modes, .. } => {
            begin(session, modes)?;
            if *is_begin { "BEGIN" } else { "START TRANSACTION" }
        }
        S::Commit { chain, .. } => commit(session, *chain).await?,
        S::Rollback { savepoint: None, chain } => {
            let modes = leave(session, *chain, "ROLLBACK AND CHAIN")?;
            session.roll_back_block().await;
            chain_on(session, modes)?;
            "ROLLBACK"
        }
        S::Rollback { savepoint: Some(name), .. } => {
            require_block(session, "ROLLBACK TO SAVEPOINT")?;
            session.roll_back_to(&fold(name)).await?;
            "ROLLBACK"
        }
        S::Savepoint { name } => {
            require_block(session, "SAVEPOINT")?;
            session.savepoint(fold(name)).await?;
            "SAVEPOINT"
        }
        S::ReleaseSavepoint { name } => {
            require_block(session, "RELEASE SAVEPOINT")?;
            session.release(&fold(name))?;
            "RELEASE"
        }
        S::Set(Set::SetTransaction { modes, snapshot, session: for_session }) => {
            if snapshot.is_some() {
                return Err(Error::not_supported("SET TRANSACTION SNAPSHOT is not supported"));
            }
            set(session, modes, *for_session)?;
            "SET"
        }
        other => return Err(Error::internal(format!("not about transactions: {other}"))),
    };
    Ok(Outcome::Done(tag.to_owned()))
}

fn begin(session: &mut Session, modes: &[TransactionMode]) -> Result<()> {
    if session.in_implicit_block() {
        session.adopt_implicit_block();
    } else if session.in_block() {
        session.warning("25001", "there is already a transaction in progress");
    } else {
        session.begin_block(false);
    }
    set_modes(session, modes)
}

async fn commit(session: &mut Session, chain: bool) -> Result<&'static str> {
    let modes = leave(session, chain, "COMMIT AND CHAIN")?;
    // A failed transaction can only be rolled back, whatever was asked.
    let tag = if session.transaction == TransactionStatus::Failed {
        session.roll_back_block().await;
        "ROLLBACK"
    } else {
        session.commit_block().await?;
        "COMMIT"
    };
    chain_on(session, modes)?;
    Ok(tag)
}

/// The modes of the transaction that ends, if the next begins with them at once.
fn leave(session: &mut Session, chain: bool, what: &str) -> Result<Option<[String; 2]>> {
    if !session.in_block() || session.in_implicit_block() {
        if chain {
            return Err(no_block(what));
        }
        session.warning("25P01", "there is no transaction in progress");
    }
    if !chain {
        return Ok(None);
    }
    Ok(Some([session.settings.value(ISOLATION), session.settings.value(READ_ONLY)]))
}

fn chain_on(session: &mut Session, modes: Option<[String; 2]>) -> Result<()> {
    let Some([isolation, read_only]) = modes else { return Ok(()) };
    session.begin_block(false);
    set_local(session, ISOLATION, &isolation)?;
    set_local(session, READ_ONLY, &read_only)
}

fn set(session: &mut Session, modes: &[TransactionMode], for_session: bool) -> Result<()> {
    if for_session {
        for mode in modes {
            let (name, value) = setting(mode)?;
            session.settings.set(&format!("default_{name}"), value)?;
        }
        return Ok(());
    }
    if !session.in_block() {
        session.warning("25P01", "SET TRANSACTION can only be used in transaction blocks");
        return Ok(());
    }
    set_modes(session, modes)
}

fn set_modes(session: &mut Session, modes: &[TransactionMode]) -> Result<()> {
    for mode in modes {
        let (name, value) = setting(mode)?;
        let now = session.settings.value(name);
        if session.has_begun() && now != value {
            let refused = match (name, value) {
                (ISOLATION, _) => Some("SET TRANSACTION ISOLATION LEVEL must be called before any query"),
                (READ_ONLY, "off") => Some("transaction read-write mode must be set before any query"),
                _ => None,
            };
            if let Some(message) = refused {
                return Err(Error::new(ErrorKind::ActiveTransaction, message));
            }
        }
        set_local(session, name, value)?;
    }
    Ok(())
}

fn setting(mode: &TransactionMode) -> Result<(&'static str, &'static str)> {
    Ok(match mode {
        TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => (READ_ONLY, "on"),
        TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => (READ_ONLY, "off"),
        TransactionMode::IsolationLevel(level) => {
            let level = match level {
                TransactionIsolationLevel::ReadUncommitted => "read uncommitted",
                TransactionIsolationLevel::ReadCommitted => "read committed",
                TransactionIsolationLevel::RepeatableRead => "repeatable read",
                TransactionIsolationLevel::Serializable => "serializable",
                TransactionIsolationLevel::Snapshot => {
                    return Err(Error::syntax("syntax error at or near \"SNAPSHOT\""));
                }
            };
            (ISOLATION, level)
        }
    })
}

/// Sets a parameter until the block ends.
fn set_local(session: &Session, name: &str, value: &str) -> Result<()> {
    session.settings.put(name, value, Reach::Transaction)
}

fn require_block(session: &Session, what: &str) -> Result<()> {
    match session.in_block() && !session.in_implicit_block() {
        true => Ok(()),
        false => Err(no_block(what)),
    }
}

fn no_block(what: &str) -> Error {
    let message = format!("{what} can only be used in transaction blocks");
    Error::new(ErrorKind::NoActiveTransaction, message)
}
