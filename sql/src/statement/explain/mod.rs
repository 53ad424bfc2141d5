//! EXPLAIN [ANALYZE]: the physical plan, and with ANALYZE what it did.

mod node;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::FieldRef;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use futures::TryStreamExt;
use serde_json::{Value, json};
use voxhouse_engine::{Error, Result};

use node::{Node, Shown};

use super::{describe, prepared, text_rows};
use crate::dialect::{Explained, SessionStatement, Statement};
use crate::query::context::sql_statement;
use crate::session::Session;
use crate::session::settings::boolean;
use crate::wire::backend::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// What the options ask for.
struct Options {
    analyze: bool,
    costs: bool,
    timing: bool,
    /// Planning and execution time at the end.
    summary: bool,
    format: Format,
}

impl Options {
    fn read(options: &[(String, Option<String>)]) -> Result<Self> {
        let mut read =
            Self { analyze: false, costs: true, timing: true, summary: false, format: Format::Text };
        let mut summary = None;
        for (option, value) in options {
            let is_on = || match value {
                None => Ok(true),
                Some(value) => {
                    boolean(value).ok_or_else(|| Error::syntax(format!("{option} requires a Boolean value")))
                }
            };
            match option.as_str() {
                "analyze" => read.analyze = is_on()?,
                "costs" => read.costs = is_on()?,
                "timing" => read.timing = is_on()?,
                "summary" => summary = Some(is_on()?),
                // The plan has no more or less to show of these.
                "verbose" | "settings" | "buffers" | "wal" | "generic_plan" => {
                    is_on()?;
                }
                "format" => {
                    read.format = match value.as_deref() {
                        Some("text") => Format::Text,
                        Some("json") => Format::Json,
                        Some("xml" | "yaml") => {
                            return Err(Error::not_supported("EXPLAIN in this format is not supported")
                                .with_hint("The formats are text and json."));
                        }
                        other => {
                            let value = other.unwrap_or_default();
                            return Err(Error::invalid_argument(format!(
                                "unrecognized value for EXPLAIN option \"format\": \"{value}\""
                            )));
                        }
                    };
                }
                other => {
                    return Err(Error::syntax(format!("unrecognized EXPLAIN option \"{other}\"")));
                }
            }
        }
        read.summary = summary.unwrap_or(read.analyze);
        Ok(read)
    }

    fn shown(&self) -> Shown {
        Shown { costs: self.costs, timing: self.timing }
    }
}

/// A plan that is to be explained, and what runs it.
struct Explaining {
    plan: LogicalPlan,
    state: SessionState,
}

fn query_of(explained: &Explained) -> Result<&ast::Query> {
    match explained {
        Explained::Sql(ast::Statement::Query(query)) => Ok(query),
        Explained::Session(SessionStatement::Declare(declare)) => Ok(&declare.query),
        _ => Err(Error::not_supported("EXPLAIN is supported for queries only")),
    }
}

/// The plan of what stands behind EXPLAIN, with its parameters open.
async fn planned(session: &Session, statement: &Statement, explained: &Explained) -> Result<Explaining> {
    let query = query_of(explained)?;
    let context = session.context(&statement.text).await?;
    let query = sql_statement(ast::Statement::Query(Box::new(query.clone())));
    let planned = context.plan(Statement { moments: statement.moments.clone(), ..query }).await?;
    Ok(Explaining { plan: planned.plan, state: context.state() })
}

/// The parameters of what is explained.
pub async fn parameters(
    session: &Session,
    statement: &Statement,
    explained: &Explained,
    declared: &[Option<FieldRef>],
) -> Result<Vec<FieldRef>> {
    match explained {
        // Its arguments are the parameters.
        Explained::Session(SessionStatement::Execute { .. }) => Ok(Vec::new()),
        explained => {
            let plan = planned(session, statement, explained).await?.plan;
            describe::parameters(
                &ast::Statement::Query(Box::new(query_of(explained)?.clone())),
                &plan,
                declared,
            )
        }
    }
}

pub async fn run(
    session: &mut Session,
    statement: &Statement,
    options: &[(String, Option<String>)],
    explained: &Explained,
    parameters: Vec<ScalarValue>,
) -> Result<Outcome> {
    let options = Options::read(options)?;
    let started = Instant::now();
    let (plan, state) = match explained {
        Explained::Session(SessionStatement::Execute { name, arguments }) => {
            let prepared = prepared::named(session, name)?;
            let values =
                prepared::values(session, name, &prepared.parameters, arguments, &parameters).await?;
            session.physical_plan(&prepared, values).await?
        }
        explained => {
            let Explaining { plan, state } = planned(session, statement, explained).await?;
            let plan = describe::with_values(plan, parameters)?;
            (state.create_physical_plan(&plan).await?, state)
        }
    };
    let planning = started.elapsed();
    let started = Instant::now();
    if options.analyze {
        let rows = execute_stream(Arc::clone(&plan), state.task_ctx())?;
        let mut rows = session.instance.workers.run(rows);
        while rows.try_next().await?.is_some() {}
    }
    let times = Times { planning, execution: options.analyze.then(|| started.elapsed()) };
    let lines = match options.format {
        Format::Text => text(&plan, &options, &times),
        Format::Json => serde_json::to_string_pretty(&json(&plan, &options, &times))?,
    };
    text_rows("EXPLAIN", "QUERY PLAN", split(&lines, options.format))
}

struct Times {
    planning: Duration,
    execution: Option<Duration>,
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Text is a row a line; other formats are one value.
fn split(text: &str, format: Format) -> Vec<String> {
    match format {
        Format::Text => text.lines().map(str::to_owned).collect(),
        Format::Json => vec![text.to_owned()],
    }
}

fn text(plan: &Arc<dyn ExecutionPlan>, options: &Options, times: &Times) -> String {
    let mut text = Node::of(plan, options.analyze).text(&options.shown());
    if options.summary {
        text.push_str(&format!("Planning Time: {:.3} ms\n", milliseconds(times.planning)));
    }
    if let (true, Some(execution)) = (options.summary, times.execution) {
        text.push_str(&format!("Execution Time: {:.3} ms\n", milliseconds(execution)));
    }
    text
}

/// One object a statement.
fn json(plan: &Arc<dyn ExecutionPlan>, options: &Options, times: &Times) -> Value {
    let mut statement = json!({ "Plan": Node::of(plan, options.analyze).json(&options.shown()) });
    if options.summary {
        statement["Planning Time"] = json!(milliseconds(times.planning));
    }
    if let (true, Some(execution)) = (options.summary, times.execution) {
        statement["Execution Time"] = json!(milliseconds(execution));
    }
    json!([statement])
}
