//! What sqlparser reads of SET, but for transactions.

use datafusion::sql::sqlparser::ast::{self, Set};
use voxhouse_engine::{Error, Result};

use crate::dialect::Statement;
use crate::wire::backend::Outcome;

pub fn handles(sql: &ast::Statement) -> bool {
    matches!(sql, ast::Statement::Set(_) | ast::Statement::Reset(_))
}

pub fn run(statement: &Statement, sql: &ast::Statement) -> Result<Outcome> {
    use ast::Statement as S;
    match sql {
        S::Set(set) => self::set(set),
        // RESET ROLE; the rest is read as a statement of the session.
        S::Reset(_) => Ok(Outcome::Done("RESET".into())),
        _ => Err(Error::internal(format!("not a session statement: {}", statement.text))),
    }
}

fn set(set: &Set) -> Result<Outcome> {
    match set {
        Set::SetSessionAuthorization(_) | Set::SetRole { role_name: None, .. } => {
            Ok(Outcome::Done("SET".into()))
        }
        other => Err(Error::not_supported(format!("{other} is not supported"))),
    }
}
