//! `CALL roi.train('churn', 'logistic', 'telco.customers', 'churned', ARRAY['tenure', 'price'])`: a model as a new version
//! in `roi.models`.
//!
//! It is an INSERT of what `train_model` answers, so privileges, transactions and errors are those of the INSERT.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{
    Array, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::dml;
use crate::dialect::{self, StatementKind, build};
use crate::session::Session;
use crate::wire::backend::Outcome;

/// What a training answers: the row that was stored, without the model itself.
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("version", DataType::Int64, true),
        Field::new("kind", DataType::Utf8, true),
        Field::new("n_obs", DataType::Int64, true),
        Field::new("r_squared", DataType::Float64, true),
        Field::new("auc", DataType::Float64, true),
    ]))
}

pub async fn run(session: &mut Session, call: &Function) -> Result<Outcome> {
    let text = Training::read(call).ok_or_else(wrong)?.insert();
    let statement = dialect::parse(&text)?.pop().ok_or_else(wrong)?;
    let StatementKind::Sql(sql) = &statement.kind else { return Err(wrong()) };
    match dml::run(session, &statement, sql, &[]).await? {
        Outcome::Rows { rows, .. } => Ok(Outcome::Rows { verb: "CALL", rows }),
        done => Ok(done),
    }
}

fn wrong() -> Error {
    Error::new(ErrorKind::UndefinedFunction, "procedure roi.train does not exist with these arguments").with_hint(
        "It is called as CALL roi.train('name', 'method', 'relation', 'outcome', ARRAY['predictor', …]); method is logistic, \
         firth or linear.",
    )
}

/// What a call says.
struct Training {
    name: String,
    method: String,
    relation: String,
    outcome: String,
    predictors: Vec<String>,
}

impl Training {
    fn read(call: &Function) -> Option<Self> {
        let FunctionArguments::List(list) = &call.args else { return None };
        let arguments = list.args.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        });
        let arguments = arguments.collect::<Option<Vec<_>>>()?;
        let [name, method, relation, outcome, predictors] = arguments[..] else { return None };
        let text = |expr: &Expr| build::literal(expr).map(str::to_owned);
        Some(Self {
            name: text(name)?,
            method: text(method)?,
            relation: text(relation)?,
            outcome: text(outcome)?,
            predictors: match predictors {
                Expr::Array(Array { elem, .. }) => elem.iter().map(text).collect::<Option<_>>()?,
                other => build::array_elements(build::literal(other)?)?.into_iter().collect::<Option<_>>()?,
            },
        })
    }

    fn insert(&self) -> String {
        let predictors: Vec<String> = self.predictors.iter().map(|column| quoted(column)).collect();
        let (name, relation) = (quoted(&self.name), quoted(&self.relation));
        format!(
            "INSERT INTO roi.models (name, version, kind, relation, data_version, outcome, predictors, model, n_obs, events, \
             r_squared, auc, auc_low, auc_high, brier, calibration_error, rmse, trained_at, trained_by) \
             SELECT {name}, (SELECT coalesce(max(version), 0) + 1 FROM roi.models WHERE name = {name}), kind, {relation}, \
             (SELECT max(version) FROM system.tables WHERE schema_name || '.' || name IN ({relation}, 'public.' || {relation})), \
             outcome, predictors, model, n_obs, events, r_squared, auc, auc_low, auc_high, brier, calibration_error, rmse, \
             now(), current_user \
             FROM train_model({relation}, {outcome}, ARRAY[{predictors}], method => {method}) \
             RETURNING name, version, kind, n_obs, r_squared, auc",
            outcome = quoted(&self.outcome),
            predictors = predictors.join(", "),
            method = quoted(&self.method),
        )
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
