//! The temporary relations of one session.
//!
//! They lie over the catalog, with numbers of their own. The files of a temporary table are known to its session
//! alone: its log is made, for what writers ask of it, and never gets a second entry. So a change is a new value,
//! and a rollback the old one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::catalog::ddl::{Ddl, Draft, DropKind, Effect};
use crate::catalog::{
    CatalogSnapshot, Change, FIRST_TEMPORARY_OID, Object, Oid, QualifiedName, Schema, TEMPORARY_SCHEMA, Table,
};
use crate::error::Result;
use crate::table::snapshot::TableSnapshot;
use crate::warehouse::Warehouse;

/// What becomes of a temporary table when a transaction commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCommit {
    #[default]
    PreserveRows,
    DeleteRows,
    Drop,
}

#[derive(Debug, Default)]
pub struct Temporary {
    objects: BTreeMap<Oid, Arc<Object>>,
    on_commit: HashMap<Oid, OnCommit>,
    /// By location, of the tables that have been changed.
    contents: HashMap<String, Arc<TableSnapshot>>,
    next_oid: Oid,
    /// The last catalog that the relations were laid over, and the outcome.
    merged: Mutex<Option<(Arc<CatalogSnapshot>, Arc<CatalogSnapshot>)>>,
}

impl Clone for Temporary {
    fn clone(&self) -> Self {
        Self {
            objects: self.objects.clone(),
            on_commit: self.on_commit.clone(),
            contents: self.contents.clone(),
            next_oid: self.next_oid,
            merged: Mutex::default(),
        }
    }
}

impl Temporary {
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// A catalog with these relations. The same for the same catalog, so that plans made over it stay current.
    pub fn over(&self, catalog: &Arc<CatalogSnapshot>) -> Arc<CatalogSnapshot> {
        if self.is_empty() {
            return Arc::clone(catalog);
        }
        let mut merged = self.merged.lock();
        if let Some((below, merged)) = merged.as_ref()
            && Arc::ptr_eq(below, catalog)
        {
            return Arc::clone(merged);
        }
        let fresh = Arc::new(catalog.with_temporary(self.objects.values()));
        *merged = Some((Arc::clone(catalog), Arc::clone(&fresh)));
        fresh
    }

    /// The files of a table that has been changed since it was made.
    pub fn content(&self, location: &str) -> Option<Arc<TableSnapshot>> {
        self.contents.get(location).cloned()
    }

    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.objects.values().filter_map(|object| match object.as_ref() {
            Object::Table(table) => Some(table),
            _ => None,
        })
    }

    /// Definitions that drop everything.
    pub fn drops(&self) -> Vec<Ddl> {
        let drop = |name: &QualifiedName, kind| Ddl::DropRelation {
            name: name.clone(),
            kind,
            if_exists: true,
            cascade: true,
        };
        let relations = self.objects.values().filter_map(|object| match object.as_ref() {
            Object::Table(table) => Some(drop(&table.name, DropKind::Table)),
            Object::View(view) => Some(drop(&view.name, DropKind::View)),
            _ => None,
        });
        relations.collect()
    }

    pub(super) fn set_content(&mut self, location: &str, content: Arc<TableSnapshot>) {
        self.contents.insert(location.to_owned(), content);
    }

    pub(super) fn set_on_commit(&mut self, table: Oid, action: OnCommit) {
        self.on_commit.insert(table, action);
    }

    pub(super) fn define(&mut self, catalog: &CatalogSnapshot, owner: &str, ddl: &Ddl) -> Result<Effect> {
        if self.is_empty() {
            self.put(Object::Schema(Schema {
                oid: FIRST_TEMPORARY_OID,
                name: TEMPORARY_SCHEMA.to_owned(),
                owner: owner.to_owned(),
                comment: None,
                acl: None,
            }));
        }
        let merged = catalog.with_temporary(self.objects.values()).numbered_from(self.next_oid);
        let mut draft = Draft::new(&merged, owner);
        let effect = draft.apply(ddl)?;
        self.next_oid = draft.snapshot().next_oid();
        for change in draft.into_changes() {
            match change {
                Change::Put(object) => self.put(object),
                Change::Drop { oid, .. } => self.forget(oid),
            }
        }
        Ok(effect)
    }

    fn put(&mut self, object: Object) {
        self.next_oid = self.next_oid.max(object.oid() + 1);
        self.objects.insert(object.oid(), Arc::new(object));
    }

    fn forget(&mut self, oid: Oid) {
        self.on_commit.remove(&oid);
        if let Some(Object::Table(table)) = self.objects.remove(&oid).as_deref() {
            self.contents.remove(&table.location);
        }
    }

    /// Does what the tables were told to do when a transaction commits.
    #[must_use]
    pub(super) fn after_commit(self: Arc<Self>) -> Arc<Self> {
        let is_idle = |action: &OnCommit| *action == OnCommit::PreserveRows;
        if self.on_commit.values().all(is_idle) {
            return self;
        }
        let mut next = self.as_ref().clone();
        for (oid, action) in &self.on_commit {
            match action {
                OnCommit::PreserveRows => {}
                OnCommit::DeleteRows => {
                    if let Some(Object::Table(table)) = self.objects.get(oid).map(Arc::as_ref) {
                        // As it was made: empty.
                        next.contents.remove(&table.location);
                    }
                }
                OnCommit::Drop => next.forget(*oid),
            }
        }
        Arc::new(next)
    }
}

/// The folder of one session's temporary tables; it goes with this.
pub struct TemporaryFolder {
    warehouse: Arc<Warehouse>,
    location: String,
}

impl TemporaryFolder {
    pub async fn open(warehouse: &Arc<Warehouse>) -> Result<Self> {
        let location = warehouse.leases().session_folder().await?;
        Ok(Self { warehouse: Arc::clone(warehouse), location })
    }

    /// A place for one more table.
    pub fn location(&self) -> String {
        format!("{}/{}", self.location, uuid::Uuid::new_v4().simple())
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let (warehouse, location) = (Arc::clone(&self.warehouse), std::mem::take(&mut self.location));
        // Outside of a runtime the process is ending; another one sweeps up after it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { warehouse.discard_temporary(&location).await });
        }
    }
}
