//! Statements about the session itself: settings.

use arrow::datatypes::SchemaRef;
use datafusion::sql::sqlparser::ast::{self, ContextModifier, Expr, Ident, Reset, Set, UnaryOperator, Value};
use voxhouse_engine::{Error, Result};

use super::text_rows;
use crate::dialect::{Statement, StatementKind};
use crate::query::names::parts;
use crate::session::{Session, text_column};
use crate::wire::backend::{Outcome, TransactionStatus};

pub fn handles(sql: &ast::Statement) -> bool {
    use ast::Statement as S;
    matches!(sql, S::Set(_) | S::ShowVariable { .. } | S::Reset(_) | S::Discard { .. } | S::Deallocate { .. })
}

pub async fn run(session: &mut Session, statement: &Statement, sql: &ast::Statement) -> Result<Outcome> {
    use ast::Statement as S;
    match sql {
        S::Set(set) => self::set(session, set),
        S::ShowVariable { variable } => show(session, variable),
        S::Reset(reset) => {
            match &reset.reset {
                Reset::ALL => session.settings.reset_all(),
                Reset::ConfigurationParameter(name) => session.settings.reset(&name.to_string())?,
            }
            Ok(Outcome::Done("RESET".into()))
        }
        S::Discard { object_type } => {
            if matches!(object_type, ast::DiscardObject::ALL) {
                session.require_no_block("DISCARD ALL")?;
                session.settings.reset_all();
                session.cursors.close_all();
            }
            if matches!(object_type, ast::DiscardObject::ALL | ast::DiscardObject::TEMP) {
                let author = session.author(statement);
                session.drop_temporary(&author).await?;
            }
            Ok(Outcome::Done(format!("DISCARD {object_type}")))
        }
        // Statements prepared over the protocol are the wire's; there are none of SQL's own.
        S::Deallocate { .. } => Ok(Outcome::Done("DEALLOCATE ALL".into())),
        _ => Err(Error::internal(format!("not a session statement: {}", statement.text))),
    }
}

fn set(session: &mut Session, set: &Set) -> Result<Outcome> {
    match set {
        Set::SingleAssignment { scope, variable, values, .. } => {
            if matches!(scope, Some(ContextModifier::Local)) && session.transaction == TransactionStatus::Idle
            {
                session.warning("25P01", "SET LOCAL can only be used in transaction blocks");
                return Ok(Outcome::Done("SET".into()));
            }
            let name = parts(variable)?.join(".");
            if let (Some(ContextModifier::Local), Some((_, local))) = (scope, &mut session.before_block) {
                local.push(name.clone());
            }
            match values.as_slice() {
                [Expr::Identifier(word)] if word.value.eq_ignore_ascii_case("default") => {
                    session.settings.reset(&name)?;
                }
                values => {
                    let texts = values.iter().map(value_text).collect::<Result<Vec<_>>>()?;
                    session.settings.set(&name, &texts.join(", "))?;
                }
            }
        }
        Set::SetTimeZone { value, .. } => session.settings.set("TimeZone", &value_text(value)?)?,
        Set::SetNames { charset_name, .. } => {
            session.settings.set("client_encoding", &charset_name.value)?;
        }
        Set::SetSessionAuthorization(_) | Set::SetRole { role_name: None, .. } => {}
        other => return Err(Error::not_supported(format!("{other} is not supported"))),
    }
    Ok(Outcome::Done("SET".into()))
}

fn value_text(value: &Expr) -> Result<String> {
    match value {
        Expr::Value(value) => Ok(match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => text.clone(),
            other => other.to_string(),
        }),
        Expr::Identifier(Ident { value, quote_style: Some('"'), .. }) => Ok(format!("\"{value}\"")),
        Expr::Identifier(identifier) => Ok(identifier.value.clone()),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(format!("-{}", value_text(expr)?)),
        other => Err(Error::invalid_argument(format!("\"{other}\" is not a value of a parameter"))),
    }
}

fn variable_name(variable: &[Ident]) -> String {
    variable.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(" ")
}

/// The one column of SHOW bears the parameter's name.
pub fn show_schema(statement: &Statement) -> Result<SchemaRef> {
    let StatementKind::Sql(sql) = &statement.kind else { return Err(Error::internal("not a SHOW")) };
    let ast::Statement::ShowVariable { variable } = sql.as_ref() else {
        return Err(Error::internal("not a SHOW"));
    };
    let (name, _) = crate::session::settings::Settings::default().show(&variable_name(variable))?;
    Ok(text_column(name))
}

fn show(session: &Session, variable: &[Ident]) -> Result<Outcome> {
    let (name, value) = session.settings.show(&variable_name(variable))?;
    text_rows("SHOW", name, [value])
}
