//! Planning one statement.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast;
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName, Table};
use voxhouse_engine::transaction::Snapshots;
use voxhouse_engine::{Error, ErrorKind, Result, Warehouse};

use super::catalog::{Databases, Opened, Relations, StandsFor};
use super::{correlated, identity, json, lateral, names, numbers, profiles, reports, spelling, zone};
use crate::access::reads;
use crate::dialect::{At, Moment, Statement, StatementKind};
use crate::pg_catalog::{self, Visible};
use crate::relations::BuiltIns;
use crate::text::knowledge;

/// The name of the only database.
pub const DATABASE: &str = "voxhouse";
/// Where DataFusion looks for unqualified names; a schema that no user can create.
pub const SEARCH_PATH_SCHEMA: &str = "pg_search_path";

/// A plan and what it was planned against, so that it can be run again while that is still current.
#[derive(Clone)]
pub struct Planned {
    pub plan: LogicalPlan,
    catalog: Arc<CatalogSnapshot>,
    pub search_path: Vec<String>,
    /// Whose privileges were checked.
    pub role: String,
    pub opened: Opened,
}

impl Planned {
    /// Whether nothing that the plan reads has changed.
    pub async fn is_current(&self, context: &QueryContext) -> Result<bool> {
        let seen = &context.visible;
        if self.opened.volatile
            || !Arc::ptr_eq(&seen.catalog, &self.catalog)
            || seen.search_path != self.search_path
            || seen.role != self.role
        {
            return Ok(false);
        }
        for (name, read) in &self.opened.snapshots {
            if !Arc::ptr_eq(read, &context.snapshots.of(seen.catalog.table(name)?).await?) {
                return Ok(false);
            }
        }
        // Functions read what is in force when they run: the plan stays.
        let topics = self.opened.topics.iter().copied();
        context
            .built_ins
            .knowledge()
            .refresh(&context.warehouse, &seen.catalog, &context.base, topics)
            .await?;
        Ok(true)
    }
}

/// Plans the statements of one session against one catalog snapshot.
pub struct QueryContext {
    pub warehouse: Arc<Warehouse>,
    pub built_ins: Arc<BuiltIns>,
    /// The version of each table that the statement reads.
    pub snapshots: Arc<Snapshots>,
    pub visible: Arc<Visible>,
    /// Functions and settings of the session.
    pub base: SessionState,
}

impl QueryContext {
    pub fn relations(&self, overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>) -> Arc<Relations> {
        self.relations_standing_for(overrides, HashMap::new())
    }

    fn relations_standing_for(
        &self,
        overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>,
        stands_for: HashMap<QualifiedName, StandsFor>,
    ) -> Arc<Relations> {
        Arc::new(Relations {
            warehouse: Arc::clone(&self.warehouse),
            snapshots: Arc::clone(&self.snapshots),
            visible: Arc::clone(&self.visible),
            built_ins: Arc::clone(&self.built_ins),
            overrides,
            base: self.base.clone(),
            opened: Default::default(),
            depth: 0,
            access: Arc::clone(self.visible.access()),
            noted: Default::default(),
            stands_for,
            is_seen_only: false,
        })
    }

    pub async fn plan(&self, statement: Statement) -> Result<Planned> {
        self.plan_with(statement, HashMap::new()).await
    }

    /// Plans with relations that only this statement sees.
    pub async fn plan_with(
        &self,
        statement: Statement,
        mut overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    ) -> Result<Planned> {
        let mut stands_for = HashMap::new();
        let mut volatile = false;
        for moment in &statement.moments {
            let (name, relation, provider) = self.at_moment(moment, &statement).await?;
            // A version of a table stays what it is.
            volatile |= is_to_come(&moment.at) || self.visible.catalog.table(&relation).is_err();
            stands_for.insert(name.clone(), StandsFor { relation, is_target: false });
            overrides.insert(name, provider);
        }
        let relations = self.relations_standing_for(overrides, stands_for);
        relations.opened.lock().volatile = volatile;
        let state = with_catalog(&self.base, Arc::clone(&relations));
        let plan = Box::pin(plan_in(&state, &relations, statement)).await?;
        let opened = relations.opened.lock().clone();
        let catalog = Arc::clone(&self.visible.catalog);
        let role = self.visible.role.clone();
        Ok(Planned { plan, catalog, search_path: self.visible.search_path.clone(), role, opened })
    }

    /// Checks what the conditions and values of a change read. `query` has them, and reads the table that is
    /// changed under the name `target`, and perhaps relations of its own, `beside`.
    pub async fn check_change(
        &self,
        table: &Table,
        target: QualifiedName,
        query: &ast::Query,
        beside: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    ) -> Result<()> {
        let access = self.visible.access();
        // Other relations are checked here too: the change may find no row, and then never plan what reads them.
        let is_known = reads::may_read_all(&self.visible.catalog, access, &table.name)
            && !names::reads_beside(query, &target);
        if access.is_superuser() || is_known {
            return Ok(());
        }
        let scan = self.snapshots.scan(table).await?.with_places();
        let stands_for = StandsFor { relation: table.name.clone(), is_target: true };
        let mut overrides = beside;
        overrides.insert(target.clone(), Arc::new(scan));
        let relations = self.relations_standing_for(overrides, HashMap::from([(target, stands_for)]));
        let state = with_catalog(&self.base, Arc::clone(&relations));
        let statement = sql_statement(ast::Statement::Query(Box::new(query.clone())));
        Box::pin(plan_in(&state, &relations, statement)).await.map(|_| ())
    }

    pub async fn plan_query(&self, query: &ast::Query) -> Result<Planned> {
        self.plan_query_with(query, HashMap::new()).await
    }

    /// Plans a query that reads tables as they were.
    pub async fn plan_query_at(&self, query: &ast::Query, moments: &[Moment]) -> Result<Planned> {
        let statement = sql_statement(ast::Statement::Query(Box::new(query.clone())));
        self.plan(Statement { moments: moments.to_vec(), ..statement }).await
    }

    pub async fn plan_query_with(
        &self,
        query: &ast::Query,
        overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    ) -> Result<Planned> {
        self.plan_with(sql_statement(ast::Statement::Query(Box::new(query.clone()))), overrides).await
    }

    /// Plans queries that belong together: all of them read the same version of each relation.
    pub async fn plan_queries_with(
        &self,
        queries: &[ast::Query],
        overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    ) -> Result<Vec<LogicalPlan>> {
        let relations = self.relations(overrides);
        let state = with_catalog(&self.base, Arc::clone(&relations));
        let mut plans = Vec::with_capacity(queries.len());
        for query in queries {
            let statement = sql_statement(ast::Statement::Query(Box::new(query.clone())));
            plans.push(Box::pin(plan_in(&state, &relations, statement)).await?);
        }
        Ok(plans)
    }

    /// A state that can execute plans of this session.
    pub fn state(&self) -> SessionState {
        with_catalog(&self.base, self.relations(HashMap::new()))
    }

    async fn at_moment(
        &self,
        moment: &Moment,
        statement: &Statement,
    ) -> Result<(QualifiedName, QualifiedName, Arc<dyn TableProvider>)> {
        let StatementKind::Sql(sql) = &statement.kind else {
            return Err(Error::not_supported("a past version can only be read by a query"));
        };
        let written = names::schema_of_relation(sql, &moment.alias);
        if let Some(schema) = &written {
            reads::require_usage(&self.visible.catalog, self.visible.access(), schema)?;
        }
        let relations = self.relations(HashMap::new());
        let candidates: Vec<QualifiedName> = match &written {
            Some(schema) => vec![QualifiedName::new(schema, &moment.table)],
            None => relations.search_path().map(|schema| QualifiedName::new(schema, &moment.table)).collect(),
        };
        let catalog = &self.visible.catalog;
        let exists =
            |name: &&QualifiedName| catalog.relation(name).is_some() || self.built_ins.contains(name);
        let name = candidates.iter().find(exists).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedTable, format!("relation \"{}\" does not exist", moment.table))
        })?;
        if !reads::may_read_some(catalog, self.visible.access(), name) {
            return Err(reads::relation_denied(catalog, name));
        }
        let provider = self.as_it_was(name, &moment.at).await?;
        let schema = written.unwrap_or_else(|| SEARCH_PATH_SCHEMA.to_owned());
        Ok((QualifiedName::new(schema, &moment.alias), name.clone(), provider))
    }

    /// A relation as it was: a table's version, or what a view's query gives over the tables of the moment.
    async fn as_it_was(&self, name: &QualifiedName, at: &At) -> Result<Arc<dyn TableProvider>> {
        if let Ok(table) = self.visible.catalog.table(name) {
            if table.name.is_temporary() {
                return Err(Error::not_supported("temporary tables keep no past versions"));
            }
            let delta = self.warehouse.delta(table)?;
            let snapshot = match at {
                At::Version(version) => delta.snapshot_at_version(*version).await?,
                At::Timestamp(text) => delta.snapshot_at(parse_timestamp(text)?).await?,
            };
            return Ok(Arc::new(self.warehouse.scan_snapshot(table, snapshot)?));
        }
        let At::Timestamp(text) = at else {
            return Err(Error::not_supported(format!("relation \"{name}\" has no versions of its own"))
                .with_hint(
                    "Write TIMESTAMP AS OF and a time: the tables behind it are read as they were then.",
                ));
        };
        let then = Self {
            warehouse: Arc::clone(&self.warehouse),
            built_ins: Arc::clone(&self.built_ins),
            snapshots: Arc::new(Snapshots::at(&self.warehouse, parse_timestamp(text)?)),
            visible: Arc::clone(&self.visible),
            base: self.base.clone(),
        };
        let found = Box::pin(then.relations(HashMap::new()).lookup(name)).await?;
        found.ok_or_else(|| Error::internal(format!("relation \"{name}\" is gone")))
    }
}

/// Whether a moment lies ahead, so that what was there then is not known yet.
fn is_to_come(at: &At) -> bool {
    matches!(at, At::Timestamp(text) if parse_timestamp(text).is_ok_and(|moment| moment > Utc::now()))
}

/// A statement that was made here rather than written by a user.
pub fn sql_statement(statement: ast::Statement) -> Statement {
    Statement {
        text: String::new(),
        kind: StatementKind::Sql(Box::new(statement)),
        cluster_by: Vec::new(),
        moments: Vec::new(),
        start: Default::default(),
        identity: Default::default(),
    }
}

/// The functions and settings of `base`, over these relations.
pub fn with_catalog(base: &SessionState, relations: Arc<Relations>) -> SessionState {
    let mut state = base.clone();
    state.register_catalog_list(Arc::new(Databases(relations)));
    state.mark_start_execution();
    state
}

/// Plans one SQL statement, and checks that the role of `relations` may read all that the plan reads. No plan is made
/// anywhere else.
pub async fn plan_in(
    state: &SessionState,
    relations: &Arc<Relations>,
    statement: Statement,
) -> Result<LogicalPlan> {
    let StatementKind::Sql(mut sql) = statement.kind else {
        return Err(Error::internal("a statement without a plan was planned"));
    };
    Box::pin(profiles::expand(&mut sql, state, relations)).await?;
    reports::expand(&mut sql)?;
    Box::pin(identity::expand(&mut sql, state, relations)).await?;
    spelling::today::rewrite(&mut sql);
    spelling::records::rewrite(&mut sql);
    let has_rows = json::rewrite(&mut sql)?;
    pg_catalog::rewrite(&mut sql, &relations.visible)?;
    spelling::rewrite(&mut sql)?;
    spelling::scalars::in_from(&mut sql, state);
    zone::rewrite(&mut sql);
    names::unqualify_database(&mut sql);
    names::qualify_wildcards(&mut sql);
    let checked = (!relations.access.is_superuser()).then(|| sql.clone());
    let mut named = sql.clone();
    let plan = match state.statement_to_plan(DataFusionStatement::Statement(sql)).await {
        Err(error) if spelling::outputs_collide(&error) => {
            spelling::name_outputs(&mut named);
            state.statement_to_plan(DataFusionStatement::Statement(named)).await?
        }
        planned => planned?,
    };
    let plan = if has_rows { json::expand(plan)? } else { plan };
    let plan = correlated::into_joins(lateral::carry_through(plan)?)?;
    let plan = numbers::settle(plan)?;
    refuse_server_access(&plan)?;
    Box::pin(know(relations, &plan)).await?;
    if let Some(sql) = checked {
        reads::check(relations, &sql, &plan).await?;
    }
    Ok(plan)
}

/// Brings what the text functions of a plan know up to date; once a statement, whatever views it reads.
async fn know(relations: &Relations, plan: &LogicalPlan) -> Result<()> {
    let mut topics = knowledge::topics_in(plan)?;
    topics.retain(|topic| !relations.opened.lock().topics.contains(topic));
    if topics.is_empty() {
        return Ok(());
    }
    let (warehouse, catalog) = (&relations.warehouse, relations.catalog());
    relations
        .built_ins
        .knowledge()
        .refresh(warehouse, catalog, &relations.base, topics.iter().copied())
        .await?;
    relations.opened.lock().topics.extend(topics);
    Ok(())
}

/// No statement reads or writes files of the server, or changes the process.
fn refuse_server_access(plan: &LogicalPlan) -> Result<()> {
    let forbidden = match plan {
        LogicalPlan::Copy(_) => "COPY to a file",
        LogicalPlan::Ddl(_) => "this DDL",
        LogicalPlan::Dml(_) => "this statement",
        LogicalPlan::Statement(_) => "this statement",
        _ => return Ok(()),
    };
    Err(Error::not_supported(format!("{forbidden} is not supported")))
}

/// A timestamp with or without a time and a zone; without a zone it is UTC.
pub fn parse_timestamp(text: &str) -> Result<DateTime<Utc>> {
    let text = text.trim();
    let zoned = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"];
    let with_zone = zoned.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    if let Some(with_zone) = with_zone.or_else(|| DateTime::parse_from_rfc3339(text).ok()) {
        return Ok(with_zone.with_timezone(&Utc));
    }
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let wall = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0));
    wall.map(|wall| wall.and_utc()).ok_or_else(|| {
        Error::new(ErrorKind::InvalidDatetime, format!("invalid input syntax for type timestamp: \"{text}\""))
    })
}
