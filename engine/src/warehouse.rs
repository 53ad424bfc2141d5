//! A warehouse: one root, its catalog and its tables.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::prelude::{SessionConfig, SessionContext};
use parking_lot::Mutex;

use crate::catalog::ddl::{Ddl, Draft, Effect, NewTable, check_columns};
use crate::catalog::log::{CATALOG_LOCATION, Catalog};
use crate::catalog::{Author, CatalogSnapshot, QualifiedName, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::{LOADS_LOCATION, QUALITY_LOCATION, REJECTS_LOCATION};
use crate::source::Formats;
use crate::storage::{Storage, delete_folder, require_conditional_put};
use crate::table::DeltaTable;
use crate::table::changes::disturbed;
use crate::table::definition::{Standing, standing};
use crate::table::external;
use crate::table::scan::TableScan;
use crate::table::snapshot::TableSnapshot;
use crate::transaction::leases::Leases;

const SYSTEM_LOCATIONS: [&str; 4] = [CATALOG_LOCATION, LOADS_LOCATION, REJECTS_LOCATION, QUALITY_LOCATION];

/// Shared by every session of the process.
pub struct Warehouse {
    storage: Storage,
    catalog: Catalog,
    formats: Formats,
    /// By location. A dropped table's handle stays until the process ends; it is small.
    tables: Mutex<HashMap<String, Arc<DeltaTable>>>,
    leases: Leases,
}

impl Warehouse {
    /// Opens the warehouse under a root, or makes it.
    pub async fn open(storage: Storage, formats: Formats) -> Result<Arc<Self>> {
        require_conditional_put(&storage).await?;
        let catalog = Catalog::open_or_create(&storage).await?;
        let leases = Leases::new(&storage);
        if let Err(error) = leases.sweep().await {
            tracing::warn!(%error, "removing temporary tables of dead processes");
        }
        Ok(Arc::new(Self { storage, catalog, formats, tables: Mutex::new(HashMap::new()), leases }))
    }

    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub fn formats(&self) -> &Formats {
        &self.formats
    }

    /// The catalog as other nodes see it now.
    pub async fn catalog(&self) -> Result<Arc<CatalogSnapshot>> {
        self.catalog.refresh().await
    }

    /// The catalog as this node last saw it.
    pub fn known_catalog(&self) -> Arc<CatalogSnapshot> {
        self.catalog.current()
    }

    pub fn catalog_log(&self) -> &Catalog {
        &self.catalog
    }

    /// The folders of temporary tables.
    pub fn leases(&self) -> &Leases {
        &self.leases
    }

    /// The handle on a table's log.
    pub fn delta(&self, table: &Table) -> Result<Arc<DeltaTable>> {
        let Some(from) = &table.external else { return self.delta_at(&table.location) };
        let mut tables = self.tables.lock();
        if let Some(known) = tables.get(&table.location) {
            return Ok(Arc::clone(known));
        }
        let handle = Arc::new(external::open(&self.storage, from)?);
        tables.insert(table.location.clone(), Arc::clone(&handle));
        Ok(handle)
    }

    /// A handle on another program's table, wherever it lies.
    pub fn external(&self, from: &str) -> Result<DeltaTable> {
        external::open(&self.storage, from)
    }

    /// The handle on the log at a location under the root.
    pub fn delta_at(&self, location: &str) -> Result<Arc<DeltaTable>> {
        let mut tables = self.tables.lock();
        if let Some(known) = tables.get(location) {
            return Ok(Arc::clone(known));
        }
        let handle = Arc::new(DeltaTable::at(&self.storage, location)?);
        tables.insert(location.to_owned(), Arc::clone(&handle));
        Ok(handle)
    }

    /// The table as this process knows it, without a look at the store; `None` if it has not been read yet.
    pub fn known_snapshot(&self, table: &Table) -> Option<Arc<TableSnapshot>> {
        let handle = self.tables.lock().get(&table.location).cloned()?;
        handle.known_snapshot()
    }

    /// VACUUM of the tables of the system itself, which keep their own retention.
    pub async fn vacuum_system(&self) -> Result<usize> {
        let mut removed = 0;
        for location in SYSTEM_LOCATIONS {
            let table = self.delta_at(location)?;
            if table.exists().await? {
                removed += table.vacuum(None).await?;
            }
        }
        Ok(removed)
    }

    /// The table as of now, for a query.
    pub async fn scan(&self, table: &Table) -> Result<TableScan> {
        let snapshot = self.delta(table)?.snapshot().await?;
        self.scan_snapshot(table, snapshot)
    }

    pub fn scan_snapshot(&self, table: &Table, snapshot: Arc<TableSnapshot>) -> Result<TableScan> {
        let delta = self.delta(table)?;
        TableScan::new(delta.storage(), delta.location(), snapshot, table.query_schema())
    }

    /// Runs DDL as one commit: all of it, or none. The effects come in the order of the operations.
    pub async fn run_ddl(&self, author: &Author, operations: Vec<Ddl>) -> Result<Vec<Effect>> {
        self.run(author, operations, Logs::ToMake).await
    }

    /// Runs DDL whose tables have their logs already: a table that was filled before anybody could see it, and
    /// the tables that every warehouse has, which processes that start at once make together.
    pub async fn register(&self, author: &Author, operations: Vec<Ddl>) -> Result<Vec<Effect>> {
        self.run(author, operations, Logs::Made).await
    }

    async fn run(&self, author: &Author, mut operations: Vec<Ddl>, logs: Logs) -> Result<Vec<Effect>> {
        let mut created = Vec::new();
        for operation in &mut operations {
            let Ddl::CreateTable { name, table, location, .. } = operation else { continue };
            check_columns(table)?;
            if table.external.is_some() {
                continue;
            }
            if self.make_log(name, table, location).await? {
                created.push(location.clone());
            } else if logs == Logs::ToMake {
                // Another process was quicker there; what it made is not ours to fill or to remove.
                *location = unique_location(name);
                self.make_log(name, table, location).await?;
                created.push(location.clone());
            }
        }
        let committed = self
            .catalog
            .commit(author, |base| {
                let mut draft = Draft::new(base, &author.role);
                let effects =
                    operations.iter().map(|operation| draft.apply(operation)).collect::<Result<Vec<_>>>()?;
                Ok((draft.into_changes(), effects))
            })
            .await;
        match committed {
            // The definition may stand, and with it the tables.
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => Err(error),
            Ok(effects) => {
                self.discard_skipped(&operations, &effects, &created).await;
                self.follow_up(&effects).await?;
                Ok(effects)
            }
            Err(error) => {
                self.discard_unused(&created).await;
                Err(error)
            }
        }
    }

    /// Commits the definitions of a transaction, each by its role, which saw `seen` happen. The tables have their
    /// logs already. Definitions that mean something else by now are refused with 40001.
    pub(crate) async fn commit_definitions(
        &self,
        author: &Author,
        definitions: &[(String, Ddl)],
        seen: &[Effect],
    ) -> Result<()> {
        let committed = self.catalog.commit(author, |base| {
            let mut draft = Draft::new(base, &author.role);
            let mut effects = Vec::with_capacity(definitions.len());
            for (role, definition) in definitions {
                draft = draft.owned_by(role);
                effects.push(draft.apply(definition)?);
            }
            if !effects.iter().zip(seen).all(|(effect, seen)| effect.is_like(seen)) {
                return Err(Error::new(
                    ErrorKind::SerializationFailure,
                    "could not serialize access due to concurrent definitions",
                )
                .with_hint("Run the transaction again."));
            }
            Ok((draft.into_changes(), effects))
        });
        let effects = committed.await?;
        if let Err(error) = self.follow_up(&effects).await {
            // It is committed; ADD COLUMN IF NOT EXISTS brings the log of a table up to date later.
            tracing::warn!(%error, "after a transaction");
        }
        Ok(())
    }

    /// Where a new table will lie: `schema/table`, or with a number behind it where a table lay before. Nodes
    /// keep handles by location, and a handle must never meet another table's log.
    pub async fn free_location(&self, name: &QualifiedName) -> Result<String> {
        let plain = plain_location(name);
        // Names that no folder can have may share one: a number tells them apart.
        let is_own = plain == name.to_string().replacen('.', "/", 1);
        if is_own
            && !self.catalog.refresh().await?.had_location(&plain)
            && !DeltaTable::at(&self.storage, &plain)?.exists().await?
        {
            return Ok(plain);
        }
        Ok(unique_location(name))
    }

    /// Makes the log of a table to be. Returns whether it was made now, so that it can be taken back.
    pub async fn make_log(&self, name: &QualifiedName, table: &NewTable, location: &str) -> Result<bool> {
        let (schema, delta) = (storage_schema(table), self.delta_at(location)?);
        match delta.create_with(&schema, &table.partition_by, &name.name, &table.properties).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::DuplicateTable => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn discard_skipped(&self, operations: &[Ddl], effects: &[Effect], created: &[String]) {
        let skipped: Vec<String> = operations
            .iter()
            .zip(effects)
            .filter_map(|(operation, effect)| match (operation, effect) {
                (Ddl::CreateTable { location, .. }, Effect::Skipped { .. }) if created.contains(location) => {
                    Some(location.clone())
                }
                _ => None,
            })
            .collect();
        self.discard_unused(&skipped).await;
    }

    /// Removes folders that no table of the catalog has. A commit whose answer was lost may have happened.
    pub async fn discard_unused(&self, locations: &[String]) {
        let Ok(catalog) = self.catalog.refresh().await else { return };
        let used = |location: &String| catalog.tables().any(|table| table.location == *location);
        let unused: Vec<String> = locations.iter().filter(|location| !used(location)).cloned().collect();
        self.discard(&unused).await;
    }

    pub(crate) async fn discard(&self, locations: &[String]) {
        for location in locations {
            self.tables.lock().remove(location);
            if let Err(error) = delete_folder(&self.storage, location).await {
                tracing::warn!(%location, %error, "removing the log of a table that was not created");
            }
        }
    }

    /// Removes the temporary tables of a session.
    pub(crate) async fn discard_temporary(&self, folder: &str) {
        let inside = format!("{folder}/");
        self.tables.lock().retain(|location, _| !location.starts_with(&inside));
        self.discard(&[folder.to_owned()]).await;
    }

    /// What DDL means for the tables themselves.
    async fn follow_up(&self, effects: &[Effect]) -> Result<()> {
        for effect in effects {
            match effect {
                Effect::TablesDropped(tables) => {
                    let locations: Vec<String> = tables.iter().map(|table| table.location.clone()).collect();
                    self.discard(&locations).await;
                }
                Effect::ColumnsChanged(table) => self.widen_log(table).await?,
                Effect::Done | Effect::Skipped { .. } | Effect::Warned { .. } => {}
            }
        }
        Ok(())
    }

    /// Brings the columns of a table's log up to those of the catalog.
    pub(crate) async fn widen_log(&self, table: &Table) -> Result<()> {
        let config = SessionConfig::new().with_target_partitions(1);
        let context = SessionContext::new_with_config(config);
        context.register_object_store(Storage::object_store_url().as_ref(), self.storage.store());
        self.delta(table)?.alter(&table.storage_schema(), &context.state()).await
    }

    /// A version of a table for rows to be written for: its log has the columns of the catalog, of the same types. A
    /// process that died after it had altered the table may have left it otherwise.
    pub(crate) async fn writable(
        &self,
        table: &Table,
        base: Arc<TableSnapshot>,
    ) -> Result<Arc<TableSnapshot>> {
        match standing(&base.schema(), &table.storage_schema()) {
            Standing::Same => Ok(base),
            Standing::Behind => {
                self.widen_log(table).await?;
                self.delta(table)?.snapshot().await
            }
            Standing::Ahead => Err(disturbed("The table was altered meanwhile.")),
        }
    }
}

/// Whether the logs of new tables are there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Logs {
    ToMake,
    Made,
}

fn plain_location(name: &QualifiedName) -> String {
    format!("{}/{}", folder_name(&name.schema), folder_name(&name.name))
}

pub(crate) fn unique_location(name: &QualifiedName) -> String {
    format!("{}-{}", plain_location(name), uuid::Uuid::new_v4().simple())
}

/// A name as part of a path that every store and every Delta reader writes alike: anything but plain letters,
/// digits, `-`, `_` and inner dots becomes `_`.
fn folder_name(name: &str) -> String {
    let plain = |(place, letter): (usize, char)| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => letter,
        '.' if place > 0 => letter,
        _ => '_',
    };
    name.chars().enumerate().map(plain).collect()
}

fn storage_schema(table: &NewTable) -> arrow::datatypes::SchemaRef {
    let key: Vec<&String> = table
        .constraints
        .iter()
        .filter_map(|(_, rule)| match rule {
            crate::catalog::Rule::PrimaryKey { columns } => Some(columns),
            _ => None,
        })
        .flatten()
        .collect();
    let fields: Vec<_> = table
        .columns
        .iter()
        .map(|column| {
            let nullable = !column.not_null && !key.contains(&&column.name);
            arrow::datatypes::Field::new(&column.name, column.data_type.to_arrow(), nullable)
        })
        .collect();
    Arc::new(arrow::datatypes::Schema::new(fields))
}
