//! EXPLAIN [ANALYZE]: the physical plan, and with ANALYZE what it did.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::FieldRef;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use futures::TryStreamExt;
use serde_json::{Value, json};
use voxhouse_engine::{Error, Result};

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
    verbose: bool,
    /// Planning and execution time at the end.
    summary: bool,
    format: Format,
}

impl Options {
    fn read(options: &[(String, Option<String>)]) -> Result<Self> {
        let mut read = Self { analyze: false, verbose: false, summary: false, format: Format::Text };
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
                "verbose" => read.verbose = is_on()?,
                "summary" => summary = Some(is_on()?),
                // The plan has no more or less to show of these.
                "costs" | "settings" | "buffers" | "wal" | "timing" | "generic_plan" => {
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
    let plan = plan.as_ref();
    let shown =
        if options.analyze { DisplayableExecutionPlan::with_metrics(plan) } else { displayable(plan) };
    let mut text = shown.indent(options.verbose).to_string();
    if options.summary {
        text.push_str(&format!("Planning Time: {:.3} ms\n", milliseconds(times.planning)));
    }
    if let (true, Some(execution)) = (options.summary, times.execution) {
        text.push_str(&format!("Execution Time: {:.3} ms\n", milliseconds(execution)));
    }
    text
}

/// As PostgreSQL nests it: one object a statement, plans inside of plans.
fn json(plan: &Arc<dyn ExecutionPlan>, options: &Options, times: &Times) -> Value {
    let mut statement = json!({ "Plan": node(plan, options.analyze) });
    if options.summary {
        statement["Planning Time"] = json!(milliseconds(times.planning));
    }
    if let (true, Some(execution)) = (options.summary, times.execution) {
        statement["Execution Time"] = json!(milliseconds(execution));
    }
    json!([statement])
}

fn node(plan: &Arc<dyn ExecutionPlan>, analyzed: bool) -> Value {
    let mut node = json!({
        "Node Type": plan.name(),
        "Detail": displayable(plan.as_ref()).one_line().to_string().trim_end(),
    });
    if analyzed && let Some(metrics) = plan.metrics() {
        if let Some(rows) = metrics.output_rows() {
            node["Actual Rows"] = json!(rows);
        }
        if let Some(nanos) = metrics.elapsed_compute() {
            node["Actual Total Time"] = json!(nanos as f64 / 1e6);
        }
    }
    let children: Vec<Value> = plan.children().into_iter().map(|child| self::node(child, analyzed)).collect();
    if !children.is_empty() {
        node["Plans"] = Value::Array(children);
    }
    node
}
