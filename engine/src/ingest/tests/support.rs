//! A file format, a planner, a store that fails on demand, and a warehouse with one pipe.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions as ShowOptions};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::catalog::ddl::{Ddl, NewPipe, NewTable};
use crate::catalog::{Author, Column, LoadMode, QualifiedName, Rule, SqlType};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::{Ingestion, Limits};
use crate::planning::{PipePlan, Planner, ROW_COLUMN, SOURCE_RELATION};
use crate::source::{BadRow, FileFormat, FormatOptions, Formats, OpenFile, SourceBatch, Split};
use crate::storage::{STORE_URL, Storage};
use crate::warehouse::Warehouse;

/// Text: a line of column names, then a line a row, all columns text, an empty value NULL.
#[derive(Debug)]
pub(super) struct Lines;

#[derive(Debug)]
struct LinesSplit {
    schema: SchemaRef,
    rows: Vec<(u64, String)>,
}

impl Split for LinesSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let batches: Vec<_> = self.rows.chunks(3).map(|rows| batch_of(&self.schema, rows)).collect();
        futures::stream::iter(batches).boxed()
    }
}

fn batch_of(schema: &SchemaRef, rows: &[(u64, String)]) -> Result<SourceBatch> {
    let width = schema.fields().len();
    let (mut row_numbers, mut bad_rows, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    for (row_number, line) in rows {
        if line == "DAMAGE" {
            return Err(Error::new(ErrorKind::DataCorrupted, "the rest of the file is damaged"));
        }
        let parts = if width == 1 { vec![line.as_str()] } else { line.split(',').collect() };
        let values: Vec<Option<String>> =
            parts.into_iter().map(|value| (!value.is_empty()).then(|| value.to_owned())).collect();
        if values.len() == width {
            row_numbers.push(*row_number);
            cells.push(values);
        } else {
            let reason = format!("{} values for {width} columns", values.len());
            bad_rows.push(BadRow { row_number: *row_number, reason, raw: line.clone().into() });
        }
    }
    let column = |index: usize| {
        Arc::new(StringArray::from_iter(cells.iter().map(|row| row[index].as_deref())))
            as arrow::array::ArrayRef
    };
    let batch = RecordBatch::try_new(Arc::clone(schema), (0..width).map(column).collect())?;
    Ok(SourceBatch { batch, row_numbers, bad_rows })
}

#[async_trait]
impl FileFormat for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn claims(&self, file_name: &str) -> bool {
        file_name.ends_with(".lines")
    }

    fn check_options(&self, _options: &FormatOptions) -> Result<()> {
        Ok(())
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        _: &FormatOptions,
    ) -> Result<OpenFile> {
        let bytes = store.get(&file.location).await?.bytes().await?;
        let corrupt = || Error::new(ErrorKind::DataCorrupted, "invalid lines file");
        let text = std::str::from_utf8(&bytes).map_err(|_| corrupt())?;
        let mut lines = text.lines();
        let header = lines.next().ok_or_else(corrupt)?;
        let fields: Vec<_> = header.split(',').map(|name| Field::new(name, DataType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let rows: Vec<(u64, String)> = (1..).zip(lines.map(str::to_owned)).collect();
        let (first, second) = rows.split_at(rows.len() / 2);
        let split = |rows: &[(u64, String)]| {
            Arc::new(LinesSplit { schema: Arc::clone(&schema), rows: rows.to_vec() }) as Arc<dyn Split>
        };
        Ok(OpenFile {
            schema: Arc::clone(&schema),
            splits: vec![split(first), split(second)],
            row_count: None,
        })
    }
}

/// A name that belongs to another pipe.
#[derive(Debug)]
pub(super) struct Other;

#[async_trait]
impl FileFormat for Other {
    fn name(&self) -> &'static str {
        "other"
    }

    fn claims(&self, file_name: &str) -> bool {
        file_name.ends_with(".other")
    }

    fn check_options(&self, _options: &FormatOptions) -> Result<()> {
        Ok(())
    }

    async fn open(&self, _: Arc<dyn ObjectStore>, _: &ObjectMeta, _: &FormatOptions) -> Result<OpenFile> {
        Err(Error::not_supported("nobody reads this"))
    }
}

pub(super) struct TestPlanner {
    context: SessionContext,
}

impl TestPlanner {
    pub(super) fn new(storage: &Storage) -> Self {
        let mut config = SessionConfig::new().with_target_partitions(2);
        config.options_mut().sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
        let context = SessionContext::new_with_config(config);
        context.register_object_store(&url::Url::parse(STORE_URL).unwrap(), storage.store());
        Self { context }
    }
}

impl Planner for TestPlanner {
    fn session_state(&self) -> SessionState {
        self.context.state()
    }

    fn plan_pipe<'a>(
        &'a self,
        _: &'a str,
        query: Option<&'a str>,
        source: Arc<dyn TableProvider>,
    ) -> BoxFuture<'a, Result<PipePlan>> {
        Box::pin(async move {
            let context = SessionContext::new_with_state(self.context.state());
            // States share their catalog.
            context.deregister_table(SOURCE_RELATION)?;
            context.register_table(SOURCE_RELATION, source)?;
            let query = query.unwrap_or("SELECT * FROM source");
            let traces_rows = !query.contains("GROUP BY");
            let query = if traces_rows && !query.contains('*') {
                query.replace(" FROM source", &format!(", \"{ROW_COLUMN}\" FROM source"))
            } else {
                query.to_owned()
            };
            Ok(PipePlan { plan: context.state().create_logical_plan(&query).await?, traces_rows })
        })
    }

    fn plan_query<'a>(&'a self, _: &'a str, query: &'a str) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move { Ok(self.context.state().create_logical_plan(query).await?) })
    }

    fn plan_expression(&self, expression: &str, schema: &DFSchema) -> Result<Expr> {
        Ok(self.context.state().create_logical_expr(expression, schema)?)
    }
}

/// A store in memory whose files somebody changes behind a reader's back.
#[derive(Debug, Default)]
pub(super) struct Meddler {
    inner: InMemory,
    /// By path: what is there once somebody reads; nothing for a file that goes.
    changes: Mutex<HashMap<Path, Option<String>>>,
    refused: Mutex<HashSet<Path>>,
}

impl fmt::Display for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddler")
    }
}

impl Meddler {
    pub(super) fn at_first_read_of(&self, path: &str, content: Option<&str>) {
        self.changes.lock().insert(Path::from(path), content.map(str::to_owned));
    }

    pub(super) fn refuse(&self, path: &str, refused: bool) {
        let mut all = self.refused.lock();
        if refused {
            all.insert(Path::from(path))
        } else {
            all.remove(&Path::from(path))
        };
    }
}

#[async_trait]
impl ObjectStore for Meddler {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        if self.refused.lock().contains(path) {
            return Err(FaultyStore::error());
        }
        let change = self.changes.lock().remove(path);
        match change {
            Some(Some(content)) => drop(self.inner.put(path, content.into()).await?),
            Some(None) => self.inner.delete(path).await?,
            None => {}
        }
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// What happens at the chosen request to the store, and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It and all later ones fail and do nothing: the process is cut off. Counts only what changes the store.
    CutOff,
    /// It alone fails, be it a read or a write.
    Once,
    /// It is done, but its answer is lost. Counts only what changes the store.
    AnswerLost,
    /// It never comes back; the test drops the run. Counts only what changes the store.
    Hang,
}

/// Passes requests on, until the chosen one.
#[derive(Debug)]
pub(super) struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    fault: Fault,
    at: usize,
    requests: AtomicUsize,
    armed: AtomicBool,
    pub(super) struck: AtomicBool,
    pub(super) hung: Notify,
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

impl FaultyStore {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, fault: Fault, at: usize) -> Arc<Self> {
        let (requests, armed, struck) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { inner, fault, at, requests, armed, struck, hung: Notify::new() })
    }

    /// Requests count from now on.
    pub(super) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    fn error() -> object_store::Error {
        object_store::Error::Generic { store: "test", source: "the store is gone".into() }
    }

    async fn read<T>(&self, request: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        if self.fault == Fault::Once { self.change(request).await } else { request.await }
    }

    async fn change<T>(&self, request: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        if !self.armed.load(Ordering::SeqCst) {
            return request.await;
        }
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if number < self.at {
            return request.await;
        }
        self.struck.store(true, Ordering::SeqCst);
        match (self.fault, number == self.at) {
            (Fault::CutOff, _) | (Fault::Once, true) => Err(Self::error()),
            (Fault::AnswerLost, true) => {
                let _ = request.await;
                Err(Self::error())
            }
            (Fault::Once | Fault::AnswerLost, false) => request.await,
            (Fault::Hang, _) => {
                self.hung.notify_one();
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.change(self.inner.put_opts(path, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.change(self.inner.put_multipart_opts(path, options)).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.read(self.inner.get_opts(path, options)).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.read(self.inner.get_ranges(path, ranges)).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.read(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.change(self.inner.copy_opts(from, to, options)).await
    }
}

/// A pipe of the test.
#[derive(Default)]
pub(super) struct Setup<'a> {
    pub(super) mode: LoadMode,
    pub(super) options: Vec<(&'a str, &'a str)>,
    pub(super) query: Option<&'a str>,
    pub(super) every_seconds: Option<u64>,
}

/// One process's view of a warehouse.
pub(super) struct Process {
    pub(super) warehouse: Arc<Warehouse>,
    pub(super) ingestion: Arc<Ingestion>,
    pub(super) store: Arc<dyn ObjectStore>,
    context: SessionContext,
}

pub(super) fn author() -> Author {
    Author { role: "voxhouse".into(), statement: "test".into() }
}

impl Process {
    pub(super) async fn start(store: Arc<dyn ObjectStore>) -> Result<Self> {
        let storage = Storage::over(Arc::clone(&store))?;
        let formats = Formats::new(vec![Arc::new(Lines), Arc::new(Other)]);
        let warehouse = Warehouse::open(storage.clone(), formats).await?;
        let planner = TestPlanner::new(&storage);
        let context = planner.context.clone();
        let ingestion = Ingestion::new(Arc::clone(&warehouse), Arc::new(planner))?
            .with_limits(Limits { batch_files: 2, ..Limits::default() });
        Ok(Self { warehouse, ingestion: Arc::new(ingestion), store, context })
    }

    /// A new warehouse with the table `x.notes(id integer primary key, text text not null, mark text)` where
    /// `id < 1000`.
    pub(super) async fn with_table() -> Self {
        let process = Self::start(Arc::new(InMemory::new())).await.unwrap();
        process.create_table(true).await;
        process
    }

    /// As [`with_table`](Self::with_table), without a key, with a partition a mark.
    pub(super) async fn with_partitions() -> Self {
        let process = Self::start(Arc::new(InMemory::new())).await.unwrap();
        process.create_table_of(false, &["mark"]).await;
        process
    }

    /// As [`with_table`](Self::with_table), with a pipe, over a store that others change while it is read.
    pub(super) async fn meddled() -> (Self, Arc<Meddler>) {
        let meddler = Arc::new(Meddler::default());
        let process = Self::start(Arc::clone(&meddler) as _).await.unwrap();
        process.create_table(true).await;
        process.create_pipe(None).await;
        (process, meddler)
    }

    pub(super) fn ingestion_with_batches_of(&self, batch_files: usize) -> Ingestion {
        let planner = TestPlanner::new(self.warehouse.storage());
        Ingestion::new(Arc::clone(&self.warehouse), Arc::new(planner))
            .unwrap()
            .with_limits(Limits { batch_files, ..Limits::default() })
    }

    /// The data files of the table, by path.
    pub(super) async fn files(&self) -> Vec<String> {
        let catalog = self.warehouse.catalog().await.unwrap();
        let delta = self.warehouse.delta(catalog.table(&notes()).unwrap()).unwrap();
        let files = delta.snapshot().await.unwrap().files().unwrap();
        let mut paths: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
        paths.sort();
        paths
    }

    pub(super) async fn create_table(&self, keyed: bool) {
        self.create_table_of(keyed, &[]).await;
    }

    async fn create_table_of(&self, keyed: bool, partition_by: &[&str]) {
        let mut text = Column::new("text", SqlType::Text);
        text.not_null = true;
        let mut mark = Column::new("mark", SqlType::Text);
        mark.default = Some("'unmarked'".into());
        let mut constraints =
            vec![(Some("small".to_owned()), Rule::Check { expression: "id < 1000".into() })];
        if keyed {
            constraints.push((None, Rule::PrimaryKey { columns: vec!["id".into()] }));
        }
        let table = NewTable {
            columns: vec![Column::new("id", SqlType::Integer), text, mark],
            constraints,
            partition_by: partition_by.iter().map(|name| (*name).to_owned()).collect(),
            ..NewTable::default()
        };
        let name = notes();
        let location = self.warehouse.free_location(&name).await.unwrap();
        let ddl = vec![
            Ddl::CreateSchema { name: "x".into(), owner: None, if_not_exists: true },
            Ddl::CreateTable { name, table, location, if_not_exists: false },
        ];
        self.warehouse.run_ddl(&author(), ddl).await.unwrap();
    }

    pub(super) async fn create_pipe(&self, query: Option<&str>) {
        self.create_pipe_every(query, None).await;
    }

    pub(super) async fn create_pipe_every(&self, query: Option<&str>, every_seconds: Option<u64>) {
        self.create(Setup { query, every_seconds, ..Setup::default() }).await;
    }

    pub(super) async fn create(&self, setup: Setup<'_>) {
        let options = setup.options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let pipe = NewPipe {
            name: "notes".into(),
            from: "landing/notes".into(),
            into: notes(),
            format: "lines".into(),
            options: options.collect(),
            mode: setup.mode,
            every_seconds: setup.every_seconds,
            query: setup.query.map(str::to_owned),
        };
        let ddl = vec![Ddl::CreatePipe { pipe, or_replace: true, if_not_exists: false }];
        self.warehouse.run_ddl(&author(), ddl).await.unwrap();
    }

    pub(super) async fn put(&self, name: &str, text: &str) {
        let path = Path::from(format!("landing/notes/{name}"));
        self.store.put(&path, text.to_owned().into()).await.unwrap();
    }

    pub(super) async fn query(&self, sql: &str) -> Vec<String> {
        self.look().await.query(sql).await
    }

    /// The warehouse as it is now.
    pub(super) async fn look(&self) -> Look {
        let context = SessionContext::new_with_state(self.context.state());
        let catalog = self.warehouse.catalog().await.unwrap();
        let table = catalog.table(&notes()).unwrap();
        let providers: [(&str, Arc<dyn TableProvider>); 4] = [
            ("notes", Arc::new(self.warehouse.scan(table).await.unwrap())),
            ("loads", self.ingestion.loads_provider().await.unwrap()),
            ("rejects", self.ingestion.rejects_provider().await.unwrap()),
            ("quality", self.ingestion.quality_provider().await.unwrap()),
        ];
        for (name, provider) in providers {
            context.deregister_table(name).unwrap();
            context.register_table(name, provider).unwrap();
        }
        Look(context)
    }
}

pub(super) struct Look(SessionContext);

impl Look {
    /// Rows as text, values divided by a bar.
    pub(super) async fn query(&self, sql: &str) -> Vec<String> {
        let batches = self.0.sql(sql).await.unwrap().collect().await.unwrap();
        let options = ShowOptions::default().with_null("NULL");
        let mut lines = Vec::new();
        for batch in &batches {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                lines.push(columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join("|"));
            }
        }
        lines
    }
}

pub(super) fn notes() -> QualifiedName {
    QualifiedName::new("x", "notes")
}
