//! MERGE: three queries over the target and the source.
//!
//! The source is joined to the target under the condition and the conditions of the WHEN MATCHED clauses; the
//! first clause that holds decides what becomes of a row. Source rows without a match go through the WHEN NOT
//! MATCHED clauses in the same way.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertExpr, MergeInsertKind,
    TableFactor,
};
use futures::future::BoxFuture;
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, QualifiedName, Table};
use voxhouse_engine::dml::{MergePlans, Part, Work};
use voxhouse_engine::table::scan::{FILE_COLUMN, ROW_COLUMN};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::column_type;
use super::returning::Returning;
use super::target::{TARGET, target_override};
use super::values::{assignments, qualified};
use crate::access::writes::{Need, writable_table};
use crate::dialect::{self, StatementKind};
use crate::query::QueryContext;
use crate::query::names::{existing_name, fold, parts};
use crate::query::pipe::parse_query;
use crate::session::Session;
use crate::statement::describe::ParameterTypes;

/// Marks the rows of one side of an outer join.
const MATCHED: &str = "__matched";
/// Tells of a match whether it deletes the row.
const DELETES: &str = "__deletes";

/// A MERGE, or a statement that is one under another name.
pub struct Merging<'a> {
    pub merge: &'a Merge,
    /// Whether it was written as `UPDATE … FROM`.
    pub as_update: bool,
    /// Relations that only this statement knows.
    pub beside: HashMap<QualifiedName, Arc<dyn TableProvider>>,
}

impl Merging<'_> {
    pub async fn run(
        self,
        session: &mut Session,
        context: &QueryContext,
        author: &Author,
        returning: Option<&Returning<'_>>,
    ) -> Result<u64> {
        let verb = if self.as_update { "UPDATE" } else { "MERGE" };
        let (table, mut statement) = of(context, self.merge)?;
        statement.as_update = self.as_update;
        statement.beside = self.beside;
        statement.check()?;
        statement.check_reads().await?;
        session.change_rows_returning(context, author, table, &Work::Merge(verb, &statement), returning).await
    }
}

/// A MERGE made here.
pub fn parse(text: &str) -> Result<Merge> {
    let mut statements = dialect::parse(text)?;
    match statements.pop().map(|statement| statement.kind) {
        Some(StatementKind::Sql(sql)) => match *sql {
            ast::Statement::Merge(merge) => Ok(merge),
            _ => Err(Error::internal(format!("not a MERGE: {text}"))),
        },
        _ => Err(Error::internal(format!("not a MERGE: {text}"))),
    }
}

/// The table that is changed, and the queries.
fn of<'a>(context: &'a QueryContext, merge: &'a Merge) -> Result<(&'a Table, MergeQueries<'a>)> {
    let TableFactor::Table { name, alias, .. } = &merge.table else {
        return Err(Error::syntax("the target of MERGE must be a table"));
    };
    let table = writable_table(&existing_name(name, &context.visible)?, &context.visible, |table| {
        merge.clauses.iter().map(|clause| need(table, &clause.action)).collect()
    })?;
    let target_alias = match alias {
        Some(alias) => fold(&alias.name),
        None => parts(name)?.pop().unwrap_or_default(),
    };
    let statement = MergeQueries {
        context,
        table,
        target: quoted(&target_alias),
        source: source(&merge.source)?,
        condition: merge.on.to_string(),
        clauses: &merge.clauses,
        as_update: false,
        beside: HashMap::new(),
    };
    Ok((table, statement))
}

/// The types of a MERGE's parameters: those of the columns they are written to or compared with.
pub async fn parameters(context: &QueryContext, merge: &Merge, types: &mut ParameterTypes) -> Result<()> {
    let (table, statement) = of(context, merge)?;
    statement.check()?;
    let column = |name: &str| column_type(table, name);
    for clause in &merge.clauses {
        match &clause.action {
            MergeAction::Update(update) => {
                for (name, value) in assignments(table, &update.assignments)? {
                    if let Some(data_type) = column(&name) {
                        types.note_expression(&value, &data_type);
                    }
                }
            }
            MergeAction::Insert(insert) => {
                for (name, value) in inserted_columns(table, insert)? {
                    if let Some(data_type) = column(&name) {
                        types.note_expression(value, &data_type);
                    }
                }
            }
            MergeAction::Delete { .. } => {}
        }
    }
    let scan: Arc<dyn TableProvider> = Arc::new(context.warehouse.scan(table).await?.with_places());
    types.imply(&statement.plan(&statement.affected_query()?, Arc::clone(&scan)).await?)?;
    if let Some(query) = statement.added_query()? {
        types.imply(&statement.plan(&query, scan).await?)?;
    }
    Ok(())
}

/// What a WHEN clause needs.
fn need(table: &Table, action: &MergeAction) -> Result<Need> {
    Ok(match action {
        MergeAction::Delete { .. } => Need::table(Privilege::Delete),
        MergeAction::Update(update) => {
            let columns = assignments(table, &update.assignments)?.into_keys().collect();
            Need::columns(Privilege::Update, columns)
        }
        MergeAction::Insert(insert) => Need::columns(Privilege::Insert, insert_columns(table, insert)?),
    })
}

fn insert_columns(table: &Table, insert: &MergeInsertExpr) -> Result<Vec<String>> {
    if insert.columns.is_empty() {
        return Ok(table.columns.iter().map(|column| column.name.clone()).collect());
    }
    insert.columns.iter().map(|name| Ok(parts(name)?.pop().unwrap_or_default())).collect()
}

fn quoted(name: &str) -> String {
    Ident::with_quote('"', name).to_string()
}

/// The source as it is named outside, and as text.
struct Source {
    name: Ident,
    alias: String,
    factor: String,
}

fn source(factor: &TableFactor) -> Result<Source> {
    let alias = match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            fold(&alias.name)
        }
        TableFactor::Table { name, .. } => parts(name)?.pop().unwrap_or_default(),
        _ => {
            return Err(Error::syntax("the source of MERGE must be a table or a subquery with a name"));
        }
    };
    Ok(Source { name: Ident::with_quote('"', &alias), alias: quoted(&alias), factor: factor.to_string() })
}

struct MergeQueries<'a> {
    context: &'a QueryContext,
    table: &'a Table,
    target: String,
    source: Source,
    condition: String,
    clauses: &'a [MergeClause],
    as_update: bool,
    beside: HashMap<QualifiedName, Arc<dyn TableProvider>>,
}

impl MergeQueries<'_> {
    fn check(&self) -> Result<()> {
        for clause in self.clauses {
            let fits = match (&clause.clause_kind, &clause.action) {
                (MergeClauseKind::Matched, MergeAction::Update(_) | MergeAction::Delete { .. }) => true,
                (
                    MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget,
                    MergeAction::Insert(_),
                ) => true,
                (MergeClauseKind::NotMatchedBySource, _) => {
                    return Err(Error::not_supported("WHEN NOT MATCHED BY SOURCE is not supported"));
                }
                _ => false,
            };
            if !fits {
                return Err(Error::syntax(format!(
                    "WHEN {} cannot {}",
                    clause.clause_kind,
                    verb(&clause.action)
                )));
            }
        }
        Ok(())
    }

    fn matched(&self) -> impl Iterator<Item = &MergeClause> {
        self.clauses.iter().filter(|clause| matches!(clause.clause_kind, MergeClauseKind::Matched))
    }

    fn not_matched(&self) -> impl Iterator<Item = &MergeClause> {
        self.clauses.iter().filter(|clause| !matches!(clause.clause_kind, MergeClauseKind::Matched))
    }

    /// Whether any clause of a kind acts on a row.
    fn any<'b>(clauses: impl Iterator<Item = &'b MergeClause>) -> String {
        let conditions: Vec<String> = clauses.map(|clause| format!("({})", holds(clause))).collect();
        if conditions.is_empty() { "false".into() } else { conditions.join(" OR ") }
    }

    /// The value that the first clause which holds gives, else `otherwise`.
    fn first<'b>(
        clauses: impl Iterator<Item = &'b MergeClause>,
        value: impl Fn(&MergeClause) -> Result<String>,
        otherwise: &str,
    ) -> Result<String> {
        let mut arms = String::new();
        for clause in clauses {
            arms.push_str(&format!(" WHEN {} THEN {}", holds(clause), value(clause)?));
        }
        Ok(if arms.is_empty() { otherwise.to_owned() } else { format!("CASE{arms} ELSE {otherwise} END") })
    }

    fn deletes(&self) -> Result<String> {
        let value =
            |clause: &MergeClause| Ok(matches!(clause.action, MergeAction::Delete { .. }).to_string());
        Self::first(self.matched(), value, "false")
    }

    fn affected_query(&self) -> Result<String> {
        let (target, source) = (&self.target, &self.source);
        Ok(format!(
            "SELECT {target}.{FILE_COLUMN}, {target}.{ROW_COLUMN}, {deletes} AS {DELETES} \
             FROM {table} AS {target} JOIN {factor} ON ({on}) AND ({any})",
            deletes = self.deletes()?,
            table = format_args!("{TARGET}.{TARGET}"),
            factor = source.factor,
            on = self.condition,
            any = Self::any(self.matched()),
        ))
    }

    fn remaining_query(&self, part: Part) -> Result<String> {
        let (target, source) = (&self.target, &self.source);
        let mut columns = Vec::with_capacity(self.table.columns.len());
        for column in &self.table.columns {
            let name = quoted(&column.name);
            let old = format!("{target}.{name}");
            let value = |clause: &MergeClause| match &clause.action {
                MergeAction::Update(update) => {
                    let assigned = assignments(self.table, &update.assignments)?;
                    Ok(assigned.get(&column.name).map_or_else(|| old.clone(), Expr::to_string))
                }
                _ => Ok(old.clone()),
            };
            let new = Self::first(self.matched(), value, &old)?;
            columns.push(format!("CASE WHEN {}.{MATCHED} THEN {new} ELSE {old} END AS {name}", source.alias));
        }
        let is_other = format!("{}.{MATCHED} IS NULL", source.alias);
        let stays = format!("NOT ({})", self.deletes()?);
        let part = match part {
            Part::All => format!("{is_other} OR {stays}"),
            Part::Affected => format!("NOT ({is_other}) AND {stays}"),
            Part::Others => is_other,
        };
        Ok(format!(
            "SELECT {columns} FROM {table} AS {target} \
             LEFT JOIN (SELECT *, true AS {MATCHED} FROM {factor}) AS {alias} ON ({on}) AND ({any}) \
             WHERE {part}",
            columns = columns.join(", "),
            table = format_args!("{TARGET}.{TARGET}"),
            factor = source.factor,
            alias = source.alias,
            on = self.condition,
            any = Self::any(self.matched()),
        ))
    }

    fn added_query(&self) -> Result<Option<String>> {
        if self.not_matched().next().is_none() {
            return Ok(None);
        }
        let (target, source) = (&self.target, &self.source);
        // A row without a match has no other columns than the source's.
        let not_matched: Vec<MergeClause> = self
            .not_matched()
            .map(|clause| MergeClause {
                predicate: clause.predicate.clone().map(|predicate| self.of_source(predicate)),
                ..clause.clone()
            })
            .collect();
        let mut columns = Vec::with_capacity(self.table.columns.len());
        for column in &self.table.columns {
            let default = column.default.clone().unwrap_or_else(|| "NULL".to_owned());
            let value = |clause: &MergeClause| match &clause.action {
                MergeAction::Insert(insert) => {
                    let value = inserted(self.table, insert, &column.name)?;
                    Ok(value.map_or_else(|| default.clone(), |value| self.of_source(value).to_string()))
                }
                _ => Ok(default.clone()),
            };
            let value = Self::first(not_matched.iter(), value, "NULL")?;
            columns.push(format!("{value} AS {}", quoted(&column.name)));
        }
        Ok(Some(format!(
            "SELECT {columns} FROM {factor} \
             LEFT JOIN (SELECT *, true AS {MATCHED} FROM {table} AS {target}) AS {target} ON ({on}) \
             WHERE {target}.{MATCHED} IS NULL AND ({any})",
            columns = columns.join(", "),
            factor = source.factor,
            table = format_args!("{TARGET}.{TARGET}"),
            on = self.condition,
            any = Self::any(not_matched.iter()),
        )))
    }

    /// Columns without a relation are the source's.
    fn of_source(&self, expression: Expr) -> Expr {
        qualified(expression, &self.source.name, |_| true)
    }

    /// Whether the role may read what the conditions and the new values name. What is inserted comes from the
    /// source, and is checked with it.
    async fn check_reads(&self) -> Result<()> {
        let mut values: Vec<String> = self.clauses.iter().map(holds).collect();
        for clause in self.clauses {
            if let MergeAction::Update(update) = &clause.action {
                values.extend(assignments(self.table, &update.assignments)?.values().map(Expr::to_string));
            }
        }
        let values: Vec<String> =
            values.iter().enumerate().map(|(place, value)| format!("{value} AS __{place}")).collect();
        let query = format!(
            "SELECT {values} FROM {TARGET}.{TARGET} AS {target} JOIN {factor} ON {on}",
            values = values.join(", "),
            target = self.target,
            factor = self.source.factor,
            on = self.condition,
        );
        let target = QualifiedName::new(TARGET, TARGET);
        self.context.check_change(self.table, target, &parse_query(&query)?, self.beside.clone()).await
    }

    async fn plan(&self, query: &str, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
        let mut relations = target_override(scan);
        relations.extend(self.beside.clone());
        Ok(self.context.plan_query_with(&parse_query(query)?, relations).await?.plan)
    }
}

fn verb(action: &MergeAction) -> &'static str {
    match action {
        MergeAction::Insert(_) => "INSERT",
        MergeAction::Update(_) => "UPDATE",
        MergeAction::Delete { .. } => "DELETE",
    }
}

fn holds(clause: &MergeClause) -> String {
    clause.predicate.as_ref().map_or_else(|| "true".to_owned(), Expr::to_string)
}

/// What an INSERT clause puts into a column.
fn inserted(table: &Table, insert: &MergeInsertExpr, column: &str) -> Result<Option<Expr>> {
    let columns = inserted_columns(table, insert)?;
    Ok(columns.into_iter().find(|(name, _)| name == column).map(|(_, value)| value.clone()))
}

/// The columns that an INSERT clause fills, and their values.
fn inserted_columns<'a>(table: &Table, insert: &'a MergeInsertExpr) -> Result<Vec<(String, &'a Expr)>> {
    let MergeInsertKind::Values(values) = &insert.kind else {
        return Err(Error::not_supported("INSERT ROW is not supported"));
    };
    let [row] = values.rows.as_slice() else {
        return Err(Error::syntax("MERGE inserts one row of values a clause"));
    };
    let columns = insert_columns(table, insert)?;
    if row.len() != columns.len() {
        return Err(Error::syntax("INSERT of MERGE needs one value for each column"));
    }
    if let Some(unknown) = columns.iter().find(|name| table.column(name).is_none()) {
        return Err(Error::new(
            ErrorKind::UndefinedColumn,
            format!("column \"{unknown}\" of relation \"{}\" does not exist", table.name.name),
        ));
    }
    Ok(columns.into_iter().zip(row.iter()).collect())
}

impl MergePlans for MergeQueries<'_> {
    fn affected<'a>(&'a self, scan: Arc<dyn TableProvider>) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            self.context.snapshots.forget();
            self.plan(&self.affected_query()?, scan).await
        })
    }

    fn remaining<'a>(
        &'a self,
        scan: Arc<dyn TableProvider>,
        part: Part,
    ) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move { self.plan(&self.remaining_query(part)?, scan).await })
    }

    fn added<'a>(&'a self, scan: Arc<dyn TableProvider>) -> BoxFuture<'a, Result<Option<LogicalPlan>>> {
        Box::pin(async move {
            match self.added_query()? {
                Some(query) => Ok(Some(self.plan(&query, scan).await?)),
                None => Ok(None),
            }
        })
    }

    fn double_match(&self) -> Error {
        let kind = ErrorKind::CardinalityViolation;
        if self.as_update {
            let matched =
                format!("UPDATE … FROM finds several rows for a row of \"{}\"", self.table.name.name);
            return Error::new(kind, matched).with_hint(
                "Make the rows of FROM unique: which of them would give the new values is not said.",
            );
        }
        Error::new(kind, "MERGE command cannot affect row a second time")
            .with_hint("Ensure that not more than one source row matches any one target row.")
    }
}
