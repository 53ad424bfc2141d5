//! The catalog's Delta table: reading it in step with other nodes, and committing changes to it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use deltalake_core::kernel::Action;
use deltalake_core::operations::optimize::OptimizeType;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parking_lot::RwLock;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::{Author, CatalogSnapshot, Change, Object, Oid};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use crate::table::write::TableWriter;
use crate::table::{CommitInfo, DeltaTable, Looked, jitter};

/// Where the catalog lies under the root.
pub const CATALOG_LOCATION: &str = "_system/catalog";

/// Tries of one DDL statement that meets others.
const ATTEMPTS: u32 = 20;
/// Small files are read this many at a time.
const READ_AHEAD: usize = 16;
/// More files than this are rewritten as one: each commit leaves one, and a start reads them all.
const FILES_BEFORE_COMPACTION: usize = 100;

/// The catalog of a warehouse, kept current by looking for the next commit.
pub struct Catalog {
    table: DeltaTable,
    storage: Storage,
    current: RwLock<Arc<CatalogSnapshot>>,
    looked: Looked,
    ddl: tokio::sync::Mutex<()>,
}

/// A row of the catalog table.
struct Row {
    version: i64,
    ordinal: i64,
    change: Change,
}

impl Catalog {
    /// Opens the catalog, or makes an empty one. Two processes may do so at once.
    pub async fn open_or_create(storage: &Storage) -> Result<Self> {
        let table = DeltaTable::at(storage, CATALOG_LOCATION)?;
        if !table.exists().await? {
            match table.create(&schema(), &[], "catalog").await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::DuplicateTable => {}
                Err(error) => return Err(error),
            }
        }
        let catalog = Self {
            table,
            storage: storage.clone(),
            current: RwLock::new(Arc::new(CatalogSnapshot::default())),
            looked: Looked::default(),
            ddl: tokio::sync::Mutex::new(()),
        };
        catalog.reload().await?;
        Ok(catalog)
    }

    /// The catalog as last seen, without a look at the store.
    pub fn current(&self) -> Arc<CatalogSnapshot> {
        Arc::clone(&self.current.read())
    }

    /// The newest catalog: one request when nothing has changed.
    pub async fn refresh(&self) -> Result<Arc<CatalogSnapshot>> {
        let is_long_ago = self.looked.is_long_ago();
        self.looked.now();
        if is_long_ago {
            return self.reload().await;
        }
        match self.read_on().await {
            Ok(snapshot) => Ok(snapshot),
            // A file may have been compacted and removed before it was read here.
            Err(error) if error.kind() == ErrorKind::StorageIo => {
                tracing::info!(%error, "reading the catalog again from the start");
                self.reload().await
            }
            Err(error) => Err(error),
        }
    }

    async fn read_on(&self) -> Result<Arc<CatalogSnapshot>> {
        let known = self.current();
        let mut next = known.version() + 1;
        let mut changed: Option<CatalogSnapshot> = None;
        while let Some(bytes) = self.table.log_store().read_commit_entry(next).await? {
            let actions = deltalake_core::logstore::get_actions(next, &bytes)?;
            let snapshot = changed.get_or_insert_with(|| known.as_ref().clone());
            for row in self.read_rows(added_paths(&actions)).await? {
                snapshot.apply(&row.change);
            }
            snapshot.version = next;
            next += 1;
        }
        match changed {
            Some(snapshot) => Ok(self.keep_newest(snapshot)),
            None => Ok(known),
        }
    }

    async fn reload(&self) -> Result<Arc<CatalogSnapshot>> {
        let delta = self.table.snapshot().await?;
        let paths = delta.files()?.iter().map(|file| file.path.clone()).collect();
        let mut snapshot = CatalogSnapshot::default();
        for row in self.read_rows(paths).await? {
            snapshot.apply(&row.change);
        }
        snapshot.version = delta.version();
        Ok(self.keep_newest(snapshot))
    }

    /// Rewrites many small files as one. Losing a race for it loses nothing.
    async fn compact(&self) {
        let compacted = async {
            if self.table.snapshot().await?.files()?.len() > FILES_BEFORE_COMPACTION {
                self.table.delta().await?.optimize().with_type(OptimizeType::Compact).await?;
            }
            Ok::<(), Error>(())
        };
        if let Err(error) = compacted.await {
            tracing::info!(%error, "compacting the catalog");
        }
    }

    fn keep_newest(&self, snapshot: CatalogSnapshot) -> Arc<CatalogSnapshot> {
        let mut current = self.current.write();
        if snapshot.version > current.version || current.version == 0 {
            *current = Arc::new(snapshot);
        }
        Arc::clone(&current)
    }

    /// Runs a DDL statement: `plan` looks at the newest catalog and says what to change, or why not. It runs
    /// again when another node was quicker, so it sees that node's change. No change, no commit.
    pub async fn commit<T>(
        &self,
        author: &Author,
        mut plan: impl FnMut(&CatalogSnapshot) -> Result<(Vec<Change>, T)>,
    ) -> Result<T> {
        let _turn = self.ddl.lock().await;
        let mut attempt = 0;
        loop {
            let base = self.refresh().await?;
            let (changes, value) = plan(&base)?;
            if changes.is_empty() {
                return Ok(value);
            }
            match self.commit_once(&base, &changes, author).await {
                Ok(()) => {
                    self.compact().await;
                    return Ok(value);
                }
                Err(error) if error.kind() == ErrorKind::SerializationFailure && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(jitter(attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn commit_once(&self, base: &CatalogSnapshot, changes: &[Change], author: &Author) -> Result<()> {
        let delta = self.table.snapshot().await?;
        if delta.version() != base.version() {
            return Err(Error::new(ErrorKind::SerializationFailure, "the catalog has changed"));
        }
        let version = base.version() + 1;
        let mut writer = TableWriter::new(&self.table, &delta, schema())?;
        writer.write(&to_batch(version, changes, author)?).await?;
        let written = writer.finish().await?;
        let info = CommitInfo {
            application: None,
            metadata: [
                ("role".to_owned(), author.role.clone().into()),
                ("statement".to_owned(), author.statement.clone().into()),
            ]
            .into(),
        };
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        self.table.replace(&delta, written.adds, operation, info).await?;
        let mut snapshot = base.clone();
        for change in changes {
            snapshot.apply(change);
        }
        snapshot.version = version;
        self.keep_newest(snapshot);
        Ok(())
    }

    /// Rows of some files, in the order in which they were committed.
    async fn read_rows(&self, paths: Vec<Path>) -> Result<Vec<Row>> {
        let store = self.storage.store();
        let folder = self.storage.path(CATALOG_LOCATION);
        let files: Vec<bytes::Bytes> = futures::stream::iter(paths)
            .map(|path| {
                let (store, location) =
                    (Arc::clone(&store), path.parts().fold(folder.clone(), |p, part| p.join(part)));
                async move { store.get(&location).await?.bytes().await }
            })
            .buffered(READ_AHEAD)
            .try_collect()
            .await?;
        let mut rows = Vec::new();
        for bytes in files {
            // By the types of Parquet itself: a compaction writes other Arrow types than we do.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            for batch in ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)?.build()? {
                rows.extend(from_batch(&batch?)?);
            }
        }
        rows.sort_by_key(|row| (row.version, row.ordinal));
        Ok(rows)
    }

    /// The Delta table behind the catalog, for its history.
    pub fn table(&self) -> &DeltaTable {
        &self.table
    }
}

/// New rows of a commit; what a compaction rewrote is known.
fn added_paths(actions: &[Action]) -> Vec<Path> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Add(add) if add.data_change => Path::parse(&add.path).ok(),
            _ => None,
        })
        .collect()
}

fn schema() -> SchemaRef {
    Arc::new(ArrowSchema::new(vec![
        Field::new("catalog_version", DataType::Int64, false),
        Field::new("ordinal", DataType::Int64, false),
        Field::new("oid", DataType::Int64, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("schema_name", DataType::Utf8, true),
        Field::new("name", DataType::Utf8, false),
        Field::new("dropped", DataType::Boolean, false),
        Field::new("definition", DataType::Utf8, true),
        Field::new("role", DataType::Utf8, false),
        Field::new("statement", DataType::Utf8, false),
        Field::new("changed_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
    ]))
}

fn to_batch(version: u64, changes: &[Change], author: &Author) -> Result<RecordBatch> {
    let rows = changes.len();
    let now = chrono::Utc::now().timestamp_micros();
    let mut definitions = Vec::with_capacity(rows);
    let mut names = Vec::with_capacity(rows);
    for change in changes {
        match change {
            Change::Put(object) => {
                definitions.push(Some(serde_json::to_string(object)?));
                names.push((
                    object.kind(),
                    object.schema_name().map(str::to_owned),
                    object.name().to_owned(),
                ));
            }
            Change::Drop { kind, schema, name, .. } => {
                definitions.push(None);
                names.push((*kind, schema.clone(), name.clone()));
            }
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![version as i64; rows])),
        Arc::new(Int64Array::from_iter_values(0..rows as i64)),
        Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| i64::from(change.oid())))),
        Arc::new(StringArray::from_iter_values(names.iter().map(|(kind, _, _)| *kind))),
        Arc::new(StringArray::from_iter(names.iter().map(|(_, schema, _)| schema.clone()))),
        Arc::new(StringArray::from_iter_values(names.iter().map(|(_, _, name)| name))),
        Arc::new(BooleanArray::from_iter(definitions.iter().map(|definition| Some(definition.is_none())))),
        Arc::new(StringArray::from(definitions)),
        Arc::new(StringArray::from(vec![author.role.as_str(); rows])),
        Arc::new(StringArray::from(vec![author.statement.as_str(); rows])),
        Arc::new(TimestampMicrosecondArray::from(vec![now; rows]).with_timezone("UTC")),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

fn from_batch(batch: &RecordBatch) -> Result<Vec<Row>> {
    let versions: &Int64Array = column(batch, "catalog_version")?;
    let ordinals: &Int64Array = column(batch, "ordinal")?;
    let oids: &Int64Array = column(batch, "oid")?;
    let names: &StringArray = column(batch, "name")?;
    let definitions: &StringArray = column(batch, "definition")?;
    (0..batch.num_rows())
        .map(|row| {
            let change = if definitions.is_valid(row) {
                Change::Put(serde_json::from_str::<Object>(definitions.value(row)).map_err(|error| {
                    corrupt(format!("object {} cannot be read: {error}", oids.value(row)))
                })?)
            } else {
                let oid =
                    Oid::try_from(oids.value(row)).map_err(|_| corrupt("an oid is out of range".into()))?;
                Change::Drop { oid, kind: "", schema: None, name: names.value(row).to_owned() }
            };
            Ok(Row { version: versions.value(row), ordinal: ordinals.value(row), change })
        })
        .collect()
}

fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<T>())
        .ok_or_else(|| corrupt(format!("column \"{name}\" is missing")))
}

fn corrupt(detail: String) -> Error {
    Error::new(ErrorKind::DataCorrupted, "the catalog is corrupt").with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::access::BOOTSTRAP_ROLE;
    use crate::catalog::ddl::{Ddl, Draft};

    async fn run(catalog: &Catalog, ddl: Ddl) {
        let author = Author { role: BOOTSTRAP_ROLE.into(), statement: "s".into() };
        let plan = |base: &CatalogSnapshot| {
            let mut draft = Draft::new(base, BOOTSTRAP_ROLE);
            draft.apply(&ddl)?;
            Ok((draft.into_changes(), ()))
        };
        catalog.commit(&author, plan).await.unwrap();
    }

    fn told(snapshot: &CatalogSnapshot) -> Vec<(String, Oid)> {
        let mut schemas: Vec<_> =
            snapshot.schemas().map(|schema| (schema.name.clone(), schema.oid)).collect();
        schemas.sort();
        schemas
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_definitions_leave_few_files_and_other_nodes_follow() {
        let storage = Storage::in_memory().unwrap();
        let one = Catalog::open_or_create(&storage).await.unwrap();
        let other = Catalog::open_or_create(&storage).await.unwrap();
        let late = Catalog::open_or_create(&storage).await.unwrap();
        for number in 0..250 {
            let node = if number % 7 == 0 { &other } else { &one };
            let name = format!("s{number}");
            run(node, Ddl::CreateSchema { owner: None, name: name.clone(), if_not_exists: false }).await;
            if number % 3 == 0 {
                run(node, Ddl::DropSchema { name, if_exists: false, cascade: false }).await;
            }
        }
        let files = one.table.snapshot().await.unwrap().files().unwrap().len();
        assert!(files <= FILES_BEFORE_COMPACTION, "{files} files");
        let expected = told(&one.refresh().await.unwrap());
        assert_eq!(expected.iter().filter(|(name, _)| name.starts_with('s')).count(), 250 - 84);
        assert_eq!(told(&other.refresh().await.unwrap()), expected);
        assert_eq!(told(&late.refresh().await.unwrap()), expected);
        let anew = Catalog::open_or_create(&storage).await.unwrap();
        assert_eq!(told(&anew.current()), expected);
        assert_eq!(anew.current().next_oid(), one.current().next_oid());
    }
}
