//! INSERT, UPDATE, DELETE, TRUNCATE: from the syntax tree to plans over one table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    self, AssignmentTarget, Expr, FromTable, Ident, ObjectName, Query, SelectItem, SetExpr, TableFactor,
    TableObject, TableWithJoins, Value,
};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, Column, QualifiedName, SqlType, Table};
use voxhouse_engine::dml::places::AFFECTED_COLUMN;
use voxhouse_engine::dml::{Rewrite, RewritePlans, Work};
use voxhouse_engine::table::scan::{FILE_COLUMN, ROW_COLUMN};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::describe::ParameterTypes;
use super::literal::{bind, placeholder};
use crate::access::writes::{Need, writable_table};
use crate::dialect::{Moment, Statement};
use crate::instance::plan_expression;
use crate::query::QueryContext;
use crate::query::names::{existing_name, fold, parts};
use crate::query::pipe::parse_query;
use crate::session::Session;
use crate::wire::backend::Outcome;

/// Runs a statement that changes rows.
pub async fn run(
    session: &mut Session,
    statement: &Statement,
    sql: &ast::Statement,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let mut sql = sql.clone();
    if !parameters.is_empty() {
        bind(&mut sql, parameters)?;
    }
    let context = session.context(&statement.text).await?;
    let author = session.author(statement);
    match sql {
        ast::Statement::Insert(insert) => {
            let rows = self::insert(session, &context, &author, &insert, &statement.moments).await?;
            Ok(Outcome::Done(format!("INSERT 0 {rows}")))
        }
        ast::Statement::Delete(delete) => {
            let rows = self::delete(session, &context, &author, &delete).await?;
            Ok(Outcome::Done(format!("DELETE {rows}")))
        }
        ast::Statement::Update(update) => {
            let rows = self::update(session, &context, &author, &update).await?;
            Ok(Outcome::Done(format!("UPDATE {rows}")))
        }
        ast::Statement::Merge(merge) => {
            let rows = super::merge::run(session, &context, &author, &merge).await?;
            Ok(Outcome::Done(format!("MERGE {rows}")))
        }
        ast::Statement::Truncate(truncate) => {
            let mut tables = Vec::with_capacity(truncate.table_names.len());
            for target in &truncate.table_names {
                let name = existing_name(&target.name, &context.visible)?;
                let needs = |_: &Table| Ok(vec![Need::table(Privilege::Truncate)]);
                tables.push(writable_table(&name, &context.visible, needs)?);
            }
            refuse(tables.len() > 1, "TRUNCATE of several tables")?;
            for table in tables {
                session.change_rows(&context, &author, table, &Work::Truncate).await?;
            }
            Ok(Outcome::Done("TRUNCATE TABLE".into()))
        }
        other => Err(Error::internal(format!("not a change of rows: {other}"))),
    }
}

fn refuse(present: bool, clause: &str) -> Result<()> {
    if present { Err(Error::not_supported(format!("{clause} is not supported"))) } else { Ok(()) }
}

fn insert_target<'a>(context: &'a QueryContext, insert: &ast::Insert) -> Result<&'a Table> {
    let TableObject::TableName(name) = &insert.table else {
        return Err(Error::syntax(format!("cannot insert into \"{}\"", insert.table)));
    };
    writable_table(&existing_name(name, &context.visible)?, &context.visible, |table| {
        Ok(vec![Need::columns(Privilege::Insert, insert_columns(table, insert)?)])
    })
}

fn delete_target<'a>(context: &'a QueryContext, name: &ObjectName) -> Result<&'a Table> {
    let needs = |_: &Table| Ok(vec![Need::table(Privilege::Delete)]);
    writable_table(&existing_name(name, &context.visible)?, &context.visible, needs)
}

fn update_target<'a>(
    context: &'a QueryContext,
    name: &ObjectName,
    assigned: &[ast::Assignment],
) -> Result<&'a Table> {
    writable_table(&existing_name(name, &context.visible)?, &context.visible, |table| {
        let columns = assignments(table, assigned)?.into_keys().collect();
        Ok(vec![Need::columns(Privilege::Update, columns)])
    })
}

/// The columns that the rows of an INSERT fill, in order.
fn insert_columns(table: &Table, insert: &ast::Insert) -> Result<Vec<String>> {
    if insert.columns.is_empty() {
        return Ok(table.columns.iter().map(|column| column.name.clone()).collect());
    }
    let mut columns: Vec<String> = Vec::with_capacity(insert.columns.len());
    for name in &insert.columns {
        let column = parts(name)?.pop().unwrap_or_default();
        require_column(table, &column)?;
        if columns.contains(&column) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column \"{column}\" specified more than once"),
            ));
        }
        columns.push(column);
    }
    Ok(columns)
}

pub fn require_column(table: &Table, column: &str) -> Result<()> {
    if table.column(column).is_some() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::UndefinedColumn,
        format!("column \"{column}\" of relation \"{}\" does not exist", table.name.name),
    ))
}

async fn insert(
    session: &mut Session,
    context: &QueryContext,
    author: &Author,
    insert: &ast::Insert,
    moments: &[Moment],
) -> Result<u64> {
    refuse(insert.on.is_some(), "INSERT … ON CONFLICT")?;
    refuse(insert.returning.is_some(), "RETURNING")?;
    refuse(insert.overwrite || insert.replace_into || insert.partitioned.is_some(), "INSERT OVERWRITE")?;
    let table = insert_target(context, insert)?;
    let columns = insert_columns(table, insert)?;
    let plan = match &insert.source {
        Some(query) => {
            let mut query = query.as_ref().clone();
            fill_in_defaults(&mut query, table, &columns)?;
            context.plan_query_at(&query, moments).await?.plan
        }
        None => LogicalPlanBuilder::empty(true).build()?,
    };
    let columns = if insert.source.is_none() { Vec::new() } else { columns };
    if !insert.columns.is_empty() && plan.schema().fields().len() < columns.len() {
        return Err(Error::syntax("INSERT has more target columns than expressions"));
    }
    let work = Work::Insert(named(context, table, plan, &columns)?);
    session.change_rows(context, author, table, &work).await
}

/// Puts the defaults in the places of DEFAULT among the values, and keeps every digit of numbers.
fn fill_in_defaults(query: &mut Query, table: &Table, columns: &[String]) -> Result<()> {
    let SetExpr::Values(values) = query.body.as_mut() else { return Ok(()) };
    for row in &mut values.rows {
        for (value, column) in row.iter_mut().zip(columns) {
            if matches!(value, Expr::Identifier(word) if word.quote_style.is_none() && fold(word) == "default")
            {
                *value = match table.column(column).and_then(|column| column.default.as_ref()) {
                    Some(default) => expression(default)?,
                    None => Expr::value(Value::Null),
                };
            }
            keep_digits(value, table.column(column));
        }
    }
    Ok(())
}

/// A number with a point that goes into a numeric column is read as a numeric. Elsewhere it is a double, which would
/// lose the cents of large amounts.
fn keep_digits(value: &mut Expr, column: Option<&Column>) {
    if !column.is_some_and(|column| matches!(column.data_type, SqlType::Numeric { .. })) {
        return;
    }
    let (sign, number) = match &*value {
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => ("-", expr.as_ref()),
        other => ("", other),
    };
    let Expr::Value(ast::ValueWithSpan { value: Value::Number(digits, _), .. }) = number else { return };
    let Some((whole, fraction)) = digits.split_once('.') else { return };
    let precision = whole.len() + fraction.len();
    if !(1..=38).contains(&precision) || !digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) {
        return;
    }
    let scale = ast::ExactNumberInfo::PrecisionAndScale(precision as u64, fraction.len() as i64);
    *value = Expr::Cast {
        kind: ast::CastKind::Cast,
        expr: Box::new(Expr::value(Value::SingleQuotedString(format!("{sign}{digits}")))),
        data_type: ast::DataType::Numeric(scale),
        array: false,
        format: None,
    };
}

/// The syntax tree of an expression that the catalog holds.
fn expression(text: &str) -> Result<Expr> {
    let query = parse_query(&format!("SELECT {text}"))?;
    match *query.body {
        SetExpr::Select(mut select) => match select.projection.pop() {
            Some(SelectItem::UnnamedExpr(expression)) => Ok(expression),
            _ => Err(Error::internal(format!("not an expression: {text}"))),
        },
        _ => Err(Error::internal(format!("not an expression: {text}"))),
    }
}

/// Gives the columns of a plan the names of the table's, and adds the defaults of the others.
fn named(
    context: &QueryContext,
    table: &Table,
    plan: LogicalPlan,
    columns: &[String],
) -> Result<LogicalPlan> {
    let given = plan.schema().columns();
    let types: Vec<DataType> = plan.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    if given.len() > columns.len() && !columns.is_empty() {
        return Err(Error::syntax("INSERT has more expressions than target columns"));
    }
    let named = given.into_iter().zip(types).zip(columns);
    let mut output: Vec<PlanExpr> =
        named.map(|((column, given), name)| in_zone(table, column, &given, name).alias(name)).collect();
    let filled = &columns[..output.len().min(columns.len())];
    for column in table.columns.iter().filter(|column| !filled.contains(&column.name)) {
        if let Some(default) = &column.default {
            let value = plan_expression(&context.base, default, &DFSchema::empty())?;
            output.push(value.alias(&column.name));
        }
    }
    if output.is_empty() {
        // A row of nothing but NULLs still needs a column to stand in.
        let first = &table.columns[0];
        output.push(
            datafusion::prelude::lit(ScalarValue::try_from(&first.data_type.to_arrow())?).alias(&first.name),
        );
    }
    Ok(LogicalPlanBuilder::from(plan).project(output)?.build()?)
}

/// A value for a column. What is no instant becomes one here, where the session's zone is known.
fn in_zone(table: &Table, value: datafusion::common::Column, given: &DataType, name: &str) -> PlanExpr {
    let value = PlanExpr::Column(value);
    let is_time = given.is_string()
        || matches!(given, DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64);
    match table.column(name).map(|column| &column.data_type) {
        Some(column @ SqlType::TimestampTz) if is_time => {
            datafusion::prelude::cast(value, column.to_query_arrow())
        }
        _ => value,
    }
}

/// The one table of an UPDATE or DELETE, and the name that its conditions use.
fn single_table(tables: &[TableWithJoins]) -> Result<(&ObjectName, String)> {
    let [TableWithJoins { relation: TableFactor::Table { name, alias, .. }, joins }] = tables else {
        return Err(Error::not_supported("a change of several tables at once is not supported"));
    };
    refuse(!joins.is_empty(), "a join in the target of a change")?;
    let alias = match alias {
        Some(alias) => fold(&alias.name),
        None => parts(name)?.pop().unwrap_or_default(),
    };
    Ok((name, alias))
}

async fn delete(
    session: &mut Session,
    context: &QueryContext,
    author: &Author,
    delete: &ast::Delete,
) -> Result<u64> {
    refuse(delete.using.is_some(), "DELETE … USING")?;
    refuse(delete.returning.is_some(), "RETURNING")?;
    refuse(!delete.order_by.is_empty() || delete.limit.is_some(), "DELETE … LIMIT")?;
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let (name, alias) = single_table(from)?;
    let table = delete_target(context, name)?;
    let condition = delete.selection.clone().unwrap_or_else(|| Expr::value(Value::Boolean(true)));
    let target = Target { context, table, alias };
    if delete.selection.is_some() {
        target.check(Vec::new(), &condition).await?;
    }
    let columns = table.columns.iter().map(|column| target.column(&column.name)).collect();
    let plans = TargetQueries {
        affected: target.affected(&condition)?,
        remaining: vec![target.select(columns, Some(target.is_affected(false)))?],
        target,
    };
    session.change_rows(context, author, table, &Work::Rewrite(Rewrite::Delete, &plans)).await
}

fn refuse_other_tables(update: &ast::Update) -> Result<()> {
    refuse(update.from.is_some(), "UPDATE … FROM")
        .map_err(|error| error.with_hint("MERGE INTO … USING … changes rows by those of another table."))
}

async fn update(
    session: &mut Session,
    context: &QueryContext,
    author: &Author,
    update: &ast::Update,
) -> Result<u64> {
    refuse_other_tables(update)?;
    refuse(update.returning.is_some(), "RETURNING")?;
    refuse(!update.order_by.is_empty() || update.limit.is_some() || update.or.is_some(), "UPDATE … LIMIT")?;
    let (name, alias) = single_table(std::slice::from_ref(&update.table))?;
    let table = update_target(context, name, &update.assignments)?;
    let assigned = assignments(table, &update.assignments)?;
    let condition = update.selection.clone().unwrap_or_else(|| Expr::value(Value::Boolean(true)));
    let target = Target { context, table, alias };
    target.check(assigned.values().cloned().collect(), &condition).await?;
    let changed = table.columns.iter().map(|column| match assigned.get(&column.name) {
        Some(value) => (value.clone(), column.name.clone()),
        None => target.column(&column.name),
    });
    let kept = table.columns.iter().map(|column| target.column(&column.name));
    // Two halves rather than a CASE: a subquery is planned as a join only in WHERE.
    let plans = TargetQueries {
        affected: target.affected(&condition)?,
        remaining: vec![
            target.select(changed.collect(), Some(target.is_affected(true)))?,
            target.select(kept.collect(), Some(target.is_affected(false)))?,
        ],
        target,
    };
    session.change_rows(context, author, table, &Work::Rewrite(Rewrite::Update, &plans)).await
}

/// New values by column.
pub fn assignments(table: &Table, assignments: &[ast::Assignment]) -> Result<HashMap<String, Expr>> {
    let mut assigned = HashMap::new();
    for assignment in assignments {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return Err(Error::not_supported("assigning to several columns at once is not supported"));
        };
        let column = parts(name)?.pop().unwrap_or_default();
        require_column(table, &column)?;
        let mut value = assignment.value.clone();
        keep_digits(&mut value, table.column(&column));
        if assigned.insert(column.clone(), value).is_some() {
            return Err(Error::syntax(format!("multiple assignments to same column \"{column}\"")));
        }
    }
    Ok(assigned)
}

/// Queries over the table that is changed.
struct Target<'a> {
    context: &'a QueryContext,
    table: &'a Table,
    alias: String,
}

impl Target<'_> {
    fn column(&self, name: &str) -> (Expr, String) {
        let parts = vec![Ident::with_quote('"', &self.alias), Ident::with_quote('"', name)];
        (Expr::CompoundIdentifier(parts), name.to_owned())
    }

    /// `SELECT columns FROM table AS alias WHERE condition`
    fn select(&self, columns: Vec<(Expr, String)>, condition: Option<Expr>) -> Result<Query> {
        let alias = Ident::with_quote('"', &self.alias);
        let mut query = parse_query(&format!("SELECT 1 FROM {TARGET}.{TARGET} AS {alias}"))?;
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.projection = columns
                .into_iter()
                .map(|(expr, name)| SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) })
                .collect();
            select.selection = condition;
        }
        Ok(query)
    }

    /// Whether the role may read what the new values and the condition name.
    async fn check(&self, values: Vec<Expr>, condition: &Expr) -> Result<()> {
        let mut values: Vec<(Expr, String)> =
            values.into_iter().enumerate().map(|(place, value)| (value, format!("__{place}"))).collect();
        values.push((Expr::value(Value::Null), "__nothing".to_owned()));
        let query = self.select(values, Some(condition.clone()))?;
        self.context.check_change(self.table, QualifiedName::new(TARGET, TARGET), &query).await
    }

    /// The places of the rows for which the condition holds.
    fn affected(&self, condition: &Expr) -> Result<Query> {
        let columns = [FILE_COLUMN, ROW_COLUMN].map(|name| self.column(name));
        self.select(columns.to_vec(), Some(condition.clone()))
    }

    /// Whether a row is one of those found, or not one.
    fn is_affected(&self, wanted: bool) -> Expr {
        let (mark, _) = self.column(AFFECTED_COLUMN);
        if wanted { mark } else { Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(mark) } }
    }

    /// Plans queries in which the target is read through `scan`; all of them see the same version of every
    /// other relation.
    async fn plan(&self, queries: &[Query], scan: Arc<dyn TableProvider>) -> Result<Vec<LogicalPlan>> {
        self.context.plan_queries_with(queries, target_override(scan)).await
    }
}

/// What queries call the table that is changed, so that a subquery over the table itself sees all of it.
pub const TARGET: &str = "__target";

pub fn target_override(scan: Arc<dyn TableProvider>) -> HashMap<QualifiedName, Arc<dyn TableProvider>> {
    [(QualifiedName::new(TARGET, TARGET), scan)].into()
}

/// The queries of a rewrite.
struct TargetQueries<'a> {
    target: Target<'a>,
    affected: Query,
    /// The new content of the affected files, in parts.
    remaining: Vec<Query>,
}

#[async_trait]
impl RewritePlans for TargetQueries<'_> {
    async fn affected(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
        self.target.context.snapshots.forget();
        let plans = self.target.plan(std::slice::from_ref(&self.affected), scan).await?;
        plans.into_iter().next().ok_or_else(|| Error::internal("a query without a plan"))
    }

    async fn remaining(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
        let plans = self.target.plan(&self.remaining, scan).await?;
        let parts = plans.into_iter().map(|plan| stored_types(self.target.table, plan));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let mut parts = parts.into_iter();
        let first = parts.next().ok_or_else(|| Error::internal("a rewrite without a query"))?;
        parts.try_fold(first, |all, part| Ok(LogicalPlanBuilder::from(all).union(part)?.build()?))
    }
}

/// Values take the type of their column, so that the parts of a union agree.
fn stored_types(table: &Table, plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let columns = schema.columns().into_iter().zip(schema.fields()).zip(&table.columns);
    let cast = columns.map(|((column, field), target)| {
        let wanted = target.data_type.to_query_arrow();
        let value = PlanExpr::Column(column);
        let value =
            if *field.data_type() == wanted { value } else { datafusion::prelude::cast(value, wanted) };
        value.alias(&target.name)
    });
    Ok(LogicalPlanBuilder::from(plan).project(cast.collect::<Vec<_>>())?.build()?)
}

/// The types of a statement's parameters: as declared, else those of the columns they are written to or
/// compared with, else text.
pub async fn parameters(
    context: &QueryContext,
    sql: &ast::Statement,
    declared: &[Option<FieldRef>],
) -> Result<Vec<FieldRef>> {
    let mut types = ParameterTypes::declared(declared);
    types.imply_from_text(sql);
    match sql {
        ast::Statement::Insert(insert) => {
            let table = insert_target(context, insert)?;
            let columns = insert_columns(table, insert)?;
            let Some(source) = &insert.source else { return Ok(Vec::new()) };
            if let SetExpr::Values(values) = source.body.as_ref() {
                for row in &values.rows {
                    for (value, column) in row.iter().zip(&columns) {
                        note(&mut types, value, column_type(table, column));
                    }
                }
            }
            if has_placeholders(sql) {
                let mut source = source.as_ref().clone();
                fill_in_defaults(&mut source, table, &columns)?;
                types.imply(&context.plan_query(&source).await?.plan)?;
            }
        }
        ast::Statement::Update(update) => {
            refuse_other_tables(update)?;
            let (name, alias) = single_table(std::slice::from_ref(&update.table))?;
            let table = update_target(context, name, &update.assignments)?;
            for (column, value) in assignments(table, &update.assignments)? {
                note(&mut types, &value, column_type(table, &column));
            }
            imply_condition(context, table, alias, update.selection.as_ref(), &mut types).await?;
        }
        ast::Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            let (name, alias) = single_table(from)?;
            let table = delete_target(context, name)?;
            imply_condition(context, table, alias, delete.selection.as_ref(), &mut types).await?;
        }
        ast::Statement::Merge(merge) if has_placeholders(sql) => {
            super::merge::parameters(context, merge, &mut types).await?;
        }
        _ => {}
    }
    Ok(types.finish())
}

fn has_placeholders(sql: &ast::Statement) -> bool {
    let mut found = false;
    let _ = ast::visit_expressions(sql, |expression: &Expr| {
        found |= placeholder(expression).is_some();
        std::ops::ControlFlow::<()>::Continue(())
    });
    found
}

pub(super) fn column_type(table: &Table, column: &str) -> Option<FieldRef> {
    let data_type = &table.column(column)?.data_type;
    Some(Arc::new(data_type.to_field("", true, data_type.to_arrow())))
}

fn note(types: &mut ParameterTypes, value: &Expr, field: Option<FieldRef>) {
    if let Some(place) = placeholder(value) {
        types.note_field(place, field);
    }
}

async fn imply_condition(
    context: &QueryContext,
    table: &Table,
    alias: String,
    condition: Option<&Expr>,
    types: &mut ParameterTypes,
) -> Result<()> {
    let Some(condition) = condition else { return Ok(()) };
    let target = Target { context, table, alias };
    let query = target.select(vec![target.column(&table.columns[0].name)], Some(condition.clone()))?;
    let scan = Arc::new(context.snapshots.scan(table).await?);
    types.imply(&context.plan_query_with(&query, target_override(scan)).await?.plan)
}
