//! The relations of one statement, as DataFusion looks them up.
//!
//! A provider is made for each statement over one catalog snapshot. Tables are opened when the planner names
//! them, views are planned then, and each table is opened once: a statement reads one version of it throughout.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::SessionState;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use voxhouse_engine::catalog::access::Access;
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName, Relation, TEMPORARY_SCHEMA, Table, View};
use voxhouse_engine::table::snapshot::TableSnapshot;
use voxhouse_engine::transaction::Snapshots;
use voxhouse_engine::{Error, Result, Warehouse};
use voxhouse_udfs::knowledge::Topic;

use super::context::{DATABASE, SEARCH_PATH_SCHEMA, plan_in, with_catalog};
use crate::access::columns::Named;
use crate::access::reads;
use crate::dialect;
use crate::pg_catalog::{self, Visible};
use crate::relations::{BuiltIns, no_past};
use crate::text::kept::Halves;

/// Views inside views inside views: beyond this, a view must contain itself.
const MAX_VIEW_DEPTH: usize = 32;

/// Everything a statement can name.
pub struct Relations {
    pub warehouse: Arc<Warehouse>,
    pub snapshots: Arc<Snapshots>,
    pub visible: Arc<Visible>,
    pub built_ins: Arc<BuiltIns>,
    /// Relations of this statement only: a pipe's `source`, a table at a moment, a table with its file column.
    pub overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    /// Functions and settings, without a catalog: views are planned with it.
    pub base: SessionState,
    pub opened: Mutex<Opened>,
    pub depth: usize,
    /// Whose query it is: the session's role, or the owner of the view that is planned.
    pub access: Arc<Access>,
    /// The relations that the planner has asked for, to be checked when the plan is made.
    pub noted: Mutex<BTreeSet<QualifiedName>>,
    /// Overrides that show a relation of the catalog: the relation's privileges count.
    pub stands_for: HashMap<QualifiedName, StandsFor>,
    /// Whether the plan is only looked at: relations, views too, come as `Named`.
    pub is_seen_only: bool,
}

/// The relation that an override shows.
#[derive(Debug, Clone)]
pub struct StandsFor {
    pub relation: QualifiedName,
    /// Whether the statement changes it.
    pub is_target: bool,
}

/// What the statement has read so far.
#[derive(Default, Clone)]
pub struct Opened {
    providers: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    /// The tables as they were read.
    pub snapshots: Vec<(QualifiedName, Arc<TableSnapshot>)>,
    /// Whether a relation was read whose content has no version.
    pub volatile: bool,
    /// What text functions that are called need to know.
    pub topics: BTreeSet<Topic>,
}

impl fmt::Debug for Relations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relations").field("catalog_version", &self.visible.catalog.version()).finish()
    }
}

impl Relations {
    /// The schemas in which an unqualified name is looked for, in order.
    pub fn search_path(&self) -> impl Iterator<Item = &str> {
        let own = [TEMPORARY_SCHEMA, pg_catalog::PG_CATALOG].into_iter();
        let named = self.visible.search_path.iter().map(|schema| match schema.as_str() {
            "$user" => self.visible.role.as_str(),
            other => other,
        });
        own.chain(named.filter(|schema| reads::may_use(self.catalog(), &self.access, schema)))
    }

    /// Notes that the planner asked for a relation, and gives what it gets.
    fn noted(
        &self,
        relation: &QualifiedName,
        is_target: bool,
        provider: Arc<dyn TableProvider>,
    ) -> Arc<dyn TableProvider> {
        if !self.access.is_superuser() {
            self.noted.lock().insert(relation.clone());
        }
        match self.is_seen_only {
            true => Arc::new(Named { relation: relation.clone(), is_target, provider }),
            false => provider,
        }
    }

    /// The same relations, for a plan that is only looked at.
    pub fn seen_only(&self) -> Self {
        Self {
            warehouse: Arc::clone(&self.warehouse),
            snapshots: Arc::clone(&self.snapshots),
            visible: Arc::clone(&self.visible),
            built_ins: Arc::clone(&self.built_ins),
            overrides: self.overrides.clone(),
            base: self.base.clone(),
            opened: Mutex::new(self.opened.lock().clone()),
            depth: self.depth,
            access: Arc::clone(&self.access),
            noted: Mutex::default(),
            stands_for: self.stands_for.clone(),
            is_seen_only: true,
        }
    }

    /// Looks up a name that was written with its schema.
    async fn lookup_qualified(
        self: &Arc<Self>,
        name: &QualifiedName,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if !self.access.is_superuser() && !self.overrides.contains_key(name) {
            reads::require_usage(self.catalog(), &self.access, &name.schema)?;
            // Nothing is opened, or worked out, for somebody who may see none of it.
            let exists = self.catalog().relation(name).is_some() || self.built_ins.contains(name);
            if exists && !reads::may_read_some(self.catalog(), &self.access, name) {
                return Err(reads::relation_denied(self.catalog(), name));
            }
        }
        self.lookup(name).await
    }

    pub async fn lookup(self: &Arc<Self>, name: &QualifiedName) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(found) = self.overridden(name) {
            return Ok(Some(found));
        }
        if name.schema == pg_catalog::PG_CATALOG || name.schema == pg_catalog::INFORMATION_SCHEMA {
            let schema = pg_catalog::schema_provider(Arc::clone(&self.visible), &name.schema);
            let found = schema.table(&name.name).await?;
            if found.is_some() && self.snapshots.is_of_a_moment() {
                return Err(no_past(name));
            }
            self.opened.lock().volatile |= found.is_some();
            return Ok(found.map(|found| self.noted(name, false, found)));
        }
        if let Some(found) = self.opened.lock().providers.get(name) {
            return Ok(Some(self.noted(name, false, Arc::clone(found))));
        }
        let found: Arc<dyn TableProvider> = match self.visible.catalog.relation(name) {
            Some(Relation::Table(table)) if table.external.is_some() => self.external(name, table).await?,
            Some(Relation::Table(table)) => {
                let scan = self.snapshots.scan(table).await?;
                self.opened.lock().snapshots.push((name.clone(), Arc::clone(scan.snapshot())));
                Arc::new(scan)
            }
            Some(Relation::View(view)) => self.plan_view(view).await?,
            None => match self.built_ins.provider(name, self).await? {
                Some(found) => {
                    self.opened.lock().volatile = true;
                    found
                }
                None => return Ok(None),
            },
        };
        self.opened.lock().providers.insert(name.clone(), Arc::clone(&found));
        Ok(Some(self.noted(name, false, found)))
    }

    /// Another program's table.
    async fn external(&self, name: &QualifiedName, table: &Table) -> Result<Arc<dyn TableProvider>> {
        let snapshot = self.snapshots.of(table).await?;
        self.opened.lock().snapshots.push((name.clone(), Arc::clone(&snapshot)));
        if snapshot.is_plain() {
            return Ok(Arc::new(self.warehouse.scan_snapshot(table, snapshot)?));
        }
        self.warehouse.delta(table)?.foreign_provider(table, &snapshot, &self.base).await
    }

    fn overridden(&self, name: &QualifiedName) -> Option<Arc<dyn TableProvider>> {
        let found = Arc::clone(self.overrides.get(name)?);
        Some(match self.stands_for.get(name) {
            Some(shown) => self.noted(&shown.relation, shown.is_target, found),
            None => found,
        })
    }

    async fn plan_view(self: &Arc<Self>, view: &View) -> Result<Arc<dyn TableProvider>> {
        if self.depth >= MAX_VIEW_DEPTH {
            return Err(Error::new(
                voxhouse_engine::ErrorKind::LimitExceeded,
                format!("views are nested too deeply at \"{}\"", view.name),
            ));
        }
        let mut nested = self.nested(&view.owner);
        if let Some(halves) = Halves::of(view, self).await?
            && let Some(nested) = Arc::get_mut(&mut nested)
        {
            nested.opened.get_mut().snapshots.extend(halves.snapshots);
            (nested.overrides, nested.stands_for) = (halves.overrides, halves.stands_for);
        }
        let statement = dialect::parse(&view.query)?
            .pop()
            .ok_or_else(|| Error::internal(format!("view \"{}\" has no query", view.name)))?;
        let state = with_catalog(&self.base, Arc::clone(&nested));
        let plan = plan_in(&state, &nested, statement)
            .await
            .map_err(|error| error.in_context(format!("view \"{}\"", view.name)))?;
        self.opened.lock().absorb(&nested.opened.lock());
        Ok(Arc::new(ViewTable::new(plan, Some(view.query.clone()))))
    }

    /// The same relations one view further down, with the privileges of its owner; what it opens is shared.
    fn nested(self: &Arc<Self>, owner: &str) -> Arc<Self> {
        Arc::new(Self {
            warehouse: Arc::clone(&self.warehouse),
            snapshots: Arc::clone(&self.snapshots),
            visible: Arc::clone(&self.visible),
            built_ins: Arc::clone(&self.built_ins),
            overrides: HashMap::new(),
            base: self.base.clone(),
            opened: Mutex::new(self.opened.lock().clone()),
            depth: self.depth + 1,
            access: match self.access.role() == owner {
                true => Arc::clone(&self.access),
                false => Arc::new(Access::of(self.catalog(), owner)),
            },
            noted: Mutex::default(),
            stands_for: HashMap::new(),
            is_seen_only: false,
        })
    }

    fn schema_names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.visible.catalog.schemas().map(|schema| schema.name.clone()).collect();
        names.extend([pg_catalog::PG_CATALOG.to_owned(), pg_catalog::INFORMATION_SCHEMA.to_owned()]);
        names
    }

    pub fn catalog(&self) -> &CatalogSnapshot {
        &self.visible.catalog
    }
}

impl Opened {
    fn absorb(&mut self, nested: &Opened) {
        self.providers.extend(nested.providers.iter().map(|(name, table)| (name.clone(), Arc::clone(table))));
        self.snapshots = nested.snapshots.clone();
        self.volatile |= nested.volatile;
        self.topics.extend(&nested.topics);
    }
}

/// The one database.
#[derive(Debug)]
pub struct Databases(pub Arc<Relations>);

impl CatalogProviderList for Databases {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![DATABASE.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == DATABASE).then(|| Arc::new(Database(Arc::clone(&self.0))) as Arc<dyn CatalogProvider>)
    }
}

#[derive(Debug)]
struct Database(Arc<Relations>);

impl CatalogProvider for Database {
    fn schema_names(&self) -> Vec<String> {
        self.0.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(OneSchema { relations: Arc::clone(&self.0), name: name.to_owned() }))
    }
}

#[derive(Debug)]
struct OneSchema {
    relations: Arc<Relations>,
    name: String,
}

/// What is behind a name, if anything.
type Looked = DataFusionResult<Option<Arc<dyn TableProvider>>, DataFusionError>;

impl OneSchema {
    /// Apart from the trait: under its bounds of lifetimes the compiler takes seconds to see that plans are `Send`.
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Looked> {
        Box::pin(async move {
            if self.name != SEARCH_PATH_SCHEMA {
                return Ok(self.relations.lookup_qualified(&QualifiedName::new(&self.name, name)).await?);
            }
            let own = QualifiedName::new(SEARCH_PATH_SCHEMA, name);
            if let Some(found) = self.relations.overridden(&own) {
                return Ok(Some(found));
            }
            for schema in self.relations.search_path() {
                if let Some(found) = self.relations.lookup(&QualifiedName::new(schema, name)).await? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }
}

impl SchemaProvider for OneSchema {
    fn table_names(&self) -> Vec<String> {
        self.relations.catalog().relation_names(&self.name)
    }

    fn table<'s, 'n, 'f>(&'s self, name: &'n str) -> BoxFuture<'f, Looked>
    where
        's: 'f,
        'n: 'f,
        Self: 'f,
    {
        self.look_up(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.relations.catalog().relation(&QualifiedName::new(&self.name, name)).is_some()
    }
}
