//! `id.explain('record', 'record')` and `id.blocking_report()` in FROM and `id.resolve(customer_id)` in expressions, as
//! the SQL that they stand for: rows that are worked out before the statement is planned, and a look into
//! `id.redirects`.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{
    DataType, ExactNumberInfo, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    Query, SelectItem, SetExpr, Statement, TableFactor, VisitMut, VisitorMut,
};
use voxhouse_engine::catalog::QualifiedName;
use voxhouse_engine::identity::explain::{Line, explain};
use voxhouse_engine::identity::matching::RuleCost;
use voxhouse_engine::identity::reading::Reader;
use voxhouse_engine::identity::refresh::costs;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::catalog::Relations;
use super::names::parts;
use super::pipe::parse_query;
use crate::access::reads;
use crate::dialect::build::{self, literal};

/// Rewrites a statement in place. One without such calls stays the same.
pub async fn expand(
    statement: &mut Statement,
    state: &SessionState,
    relations: &Arc<Relations>,
) -> Result<()> {
    let mut found = Finder::default();
    if let ControlFlow::Break(error) = statement.visit(&mut found) {
        return Err(error);
    }
    if found.calls.is_empty() {
        return Ok(());
    }
    relations.opened.lock().volatile = true;
    let mut queries = Vec::with_capacity(found.calls.len());
    for call in &found.calls {
        queries.push(match call {
            Call::Explain(record_a, record_b) => explanation(state, relations, record_a, record_b).await?,
            Call::BlockingReport => blocking_report(state, relations).await?,
        });
    }
    queries.reverse();
    match statement.visit(&mut Writer { queries }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn is_named(name: &ObjectName, function: &str) -> bool {
    parts(name).is_ok_and(|parts| parts.len() == 2 && parts[0] == "id" && parts[1] == function)
}

/// A call in FROM.
enum Call {
    Explain(String, String),
    BlockingReport,
}

impl Call {
    /// `None` for a function of another name.
    fn read(name: &ObjectName, arguments: &[FunctionArg]) -> Option<Result<Self>> {
        if is_named(name, "explain") {
            let pair = texts(arguments).map(|(one, other)| Self::Explain(one, other));
            return Some(pair.ok_or_else(does_not_fit));
        }
        let report = if arguments.is_empty() { Ok(Self::BlockingReport) } else { Err(report_does_not_fit()) };
        is_named(name, "blocking_report").then_some(report)
    }
}

/// Collects the calls in FROM, and writes those of `id.resolve` anew.
#[derive(Default)]
struct Finder {
    calls: Vec<Call>,
}

impl VisitorMut for Finder {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, args: Some(arguments), .. } = factor else {
            return ControlFlow::Continue(());
        };
        match Call::read(name, &arguments.args) {
            Some(Ok(call)) => self.calls.push(call),
            Some(Err(error)) => return ControlFlow::Break(error),
            None => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        if !is_named(&function.name, "resolve") {
            return ControlFlow::Continue(());
        }
        let argument = match &function.args {
            FunctionArguments::List(list) => match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => argument.clone(),
                _ => return ControlFlow::Break(resolve_does_not_fit()),
            },
            _ => return ControlFlow::Break(resolve_does_not_fit()),
        };
        match redirected(argument) {
            Ok(subquery) => *expr = subquery,
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

fn texts(arguments: &[FunctionArg]) -> Option<(String, String)> {
    let text = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => literal(value).map(str::to_owned),
        _ => None,
    };
    match arguments {
        [one, other] => Some((text(one)?, text(other)?)),
        _ => None,
    }
}

fn does_not_fit() -> Error {
    Error::new(ErrorKind::UndefinedFunction, "function id.explain does not exist with these arguments")
        .with_hint("It is called as id.explain('shop/17', 'wechat/902'), with two records written out.")
}

fn report_does_not_fit() -> Error {
    Error::new(
        ErrorKind::UndefinedFunction,
        "function id.blocking_report does not exist with these arguments",
    )
    .with_hint("It is called as id.blocking_report(), and tells what a refresh would cost now.")
}

fn resolve_does_not_fit() -> Error {
    Error::new(ErrorKind::UndefinedFunction, "function id.resolve does not exist with these arguments")
        .with_hint("It is called as id.resolve(customer_id).")
}

/// `(SELECT max(customer_id) FROM id.redirects WHERE old_id = argument)`, under names that the argument cannot mean.
fn redirected(argument: Expr) -> Result<Expr> {
    let mut query = parse_query(
        "SELECT max(__now) FROM (SELECT old_id AS __old, customer_id AS __now FROM id.redirects) AS __redirects \
         WHERE __old = 'x'",
    )?;
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(Expr::BinaryOp { right, .. }) = &mut select.selection
    {
        **right = argument;
    }
    Ok(Expr::Subquery(Box::new(query)))
}

/// Puts the rows in the places of the calls.
struct Writer {
    /// The first call's last.
    queries: Vec<Query>,
}

impl VisitorMut for Writer {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, args: Some(arguments), alias, .. } = factor
            && let Some(Ok(call)) = Call::read(name, &arguments.args)
        {
            let function = match call {
                Call::Explain(..) => "explain",
                Call::BlockingReport => "blocking_report",
            };
            let alias = alias.take().unwrap_or_else(|| build::alias(Ident::new(function)));
            if let Some(query) = self.queries.pop() {
                *factor = build::derived(query, alias);
            }
        }
        ControlFlow::Continue(())
    }
}

async fn explanation(
    state: &SessionState,
    relations: &Arc<Relations>,
    record_a: &str,
    record_b: &str,
) -> Result<Query> {
    require_readable(relations, [QualifiedName::new("o", "customers"), QualifiedName::new("id", "edges")])?;
    let reader = Reader { snapshots: &relations.snapshots, catalog: relations.catalog(), state };
    let matcher = relations.built_ins.matcher();
    let lines = explain(&reader, matcher.as_ref(), record_a, record_b).await?;
    Ok(union(lines.iter().enumerate().map(|(at, line)| row(at, line))))
}

fn require_readable<const N: usize>(relations: &Relations, read: [QualifiedName; N]) -> Result<()> {
    let (catalog, access) = (relations.catalog(), &relations.access);
    match read.iter().find(|name| !access.is_superuser() && !reads::may_read_all(catalog, access, name)) {
        Some(denied) => Err(reads::relation_denied(catalog, denied)),
        None => Ok(()),
    }
}

async fn blocking_report(state: &SessionState, relations: &Arc<Relations>) -> Result<Query> {
    let read = ["models", "identifier_policy", "blocked_values"].map(|name| QualifiedName::new("id", name));
    require_readable(relations, read)?;
    require_readable(relations, [QualifiedName::new("o", "customers")])?;
    let reader = Reader { snapshots: &relations.snapshots, catalog: relations.catalog(), state };
    let costs = costs(&reader, relations.built_ins.matcher()).await?;
    if costs.is_empty() {
        return Ok(no_row(cost_row(&RuleCost::default())));
    }
    Ok(union(costs.iter().map(cost_row)))
}

/// The columns of a query without its row.
fn no_row(mut query: Query) -> Query {
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.selection = Some(build::boolean(false));
    }
    query
}

fn cost_row(cost: &RuleCost) -> Query {
    let bigint = |count: u64| build::cast(build::number(count as i64), DataType::BigInt(None));
    named([
        ("rule", build::cast(build::text(&cost.rule), DataType::Text)),
        ("pairs", bigint(cost.pairs)),
        ("largest_group", bigint(cost.largest_group)),
        ("skipped_groups", bigint(cost.skipped_groups)),
        ("skipped_records", bigint(cost.skipped_records)),
    ])
}

/// `SELECT … UNION ALL SELECT …`
fn union(rows: impl Iterator<Item = Query>) -> Query {
    let selects = rows.map(|row| *row.body);
    let union = |left: SetExpr, right: SetExpr| SetExpr::SetOperation {
        op: datafusion::sql::sqlparser::ast::SetOperator::Union,
        set_quantifier: datafusion::sql::sqlparser::ast::SetQuantifier::All,
        left: Box::new(left),
        right: Box::new(right),
    };
    match selects.reduce(union) {
        Some(body) => build::query(body),
        None => build::select(Vec::new(), Vec::new()),
    }
}

fn row(at: usize, line: &Line) -> Query {
    let text = |value: Option<&str>| match value {
        Some(value) => build::cast(build::text(value), DataType::Text),
        None => build::cast(build::null(), DataType::Text),
    };
    let double = |value: Option<f64>| {
        let value = value.map_or_else(build::null, |value| build::text(&value.to_string()));
        build::cast(value, DataType::Double(ExactNumberInfo::None))
    };
    let bits = |weight: i32| {
        let text =
            build::text(&format!("{}{}.{:03}", sign(weight), weight.abs() / 1000, weight.abs() % 1000));
        build::cast(text, DataType::Numeric(ExactNumberInfo::PrecisionAndScale(9, 3)))
    };
    let step = &line.step;
    let number = build::cast(build::number(at as i64 + 1), DataType::BigInt(None));
    named([
        ("step", number),
        ("column_name", text(Some(&step.column))),
        ("level_name", text(Some(&step.level).filter(|level| !level.is_empty()).map(String::as_str))),
        ("value_a", text(line.value_a.as_deref())),
        ("value_b", text(line.value_b.as_deref())),
        ("m", double(step.m)),
        ("u", double(step.u)),
        ("weight", bits(step.weight)),
        ("total", bits(step.total)),
    ])
}

/// `SELECT expression AS name, …`
fn named<const N: usize>(columns: [(&str, Expr); N]) -> Query {
    let items = columns.map(|(name, expr)| SelectItem::ExprWithAlias { expr, alias: Ident::new(name) });
    build::select(items.into(), Vec::new())
}

fn sign(weight: i32) -> &'static str {
    if weight < 0 { "-" } else { "" }
}
