//! One connection's state, and the life of its statements.

mod block;
pub mod cursor;
mod parts;
pub mod role;
pub mod settings;
pub mod workers;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use futures::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::catalog::ddl::Ddl;
use voxhouse_engine::catalog::{Author, CatalogSnapshot};
use voxhouse_engine::transaction::{Snapshots, Temporary, TemporaryFolder};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::{
    self, Identity, OwnStatement, PipeStatement, SessionStatement, Statement, StatementKind,
};
use crate::instance::{self, Instance};
use crate::observe::watch::{LogAs, Progress};
use crate::pg_catalog::Visible;
use crate::query::reuse::Optimized;
use crate::query::style::SessionStyle;
use crate::query::{Planned, QueryContext};
use crate::statement::describe::ParameterTypes;
use crate::statement::{self, utility};
use crate::wire::backend::{self, Description, Login, Notice, Outcome, TransactionStatus};
use crate::wire::portal::Statements;
use crate::wire::style::TextStyle;
use crate::wire::types::same_columns;
use cursor::Cursors;
pub use parts::Parts;
use settings::{LOG_THRESHOLD, Reach, Saved, Settings};

/// A statement that has been planned as far as its description needs.
pub struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) parameters: Vec<FieldRef>,
    pub(crate) columns: Option<SchemaRef>,
    /// The plan made for the description, used by an execution that finds nothing changed.
    planned: Mutex<Option<Planned>>,
    /// That plan as the optimizer leaves it; `Some(None)` if it cannot be used again.
    optimized: Mutex<Option<Option<Optimized>>>,
    executed: Mutex<bool>,
}

pub struct Session {
    pub(crate) instance: Arc<Instance>,
    login: Login,
    pub(crate) settings: Settings,
    /// The settings when the block began.
    pub(crate) before_block: Option<Saved>,
    pub(crate) transaction: TransactionStatus,
    block: Option<block::Block>,
    /// Whether the statement that comes next shares an implicit transaction with others.
    in_company: bool,
    /// Set while a commit runs.
    committing: Arc<AtomicBool>,
    /// The temporary relations, as the last transaction left them.
    temporary: Arc<Temporary>,
    /// Where temporary tables lie, from the first one on.
    folder: Option<TemporaryFolder>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) cursors: Cursors,
    pub(crate) statements: Statements<Prepared>,
    /// What the catalog functions of the running statement see.
    visible: Arc<RwLock<Arc<Visible>>>,
    /// Made at the first statement, and given back when the session rests: it is by far the largest part.
    base: Mutex<Option<SessionState>>,
    connected_at: i64,
    /// What catalog relations and functions see of the session.
    parts: Arc<Parts>,
    /// Of the statement that runs or ran last, if somebody watches.
    progress: Option<Arc<Progress>>,
}

impl Session {
    pub fn new(instance: Arc<Instance>, login: Login) -> Result<Self> {
        let catalog = instance.warehouse.known_catalog();
        let settings = Settings::for_role(&login.role, catalog.is_superuser(&login.role));
        if let Some(threshold) = instance.observer.log_threshold() {
            settings.assume(LOG_THRESHOLD, threshold, Reach::Start);
        }
        let notices = take_stored(&settings, &catalog, &login.role);
        for (name, value) in &login.parameters {
            settings.put_at_start(name, value)?;
        }
        let parts = Arc::new(Parts::new(settings.clone()));
        let visible = Arc::new(RwLock::new(Arc::clone(&instance.before_any_statement)));
        let connected_at = chrono::Utc::now().timestamp_micros();
        Ok(Self {
            instance,
            login,
            settings,
            before_block: None,
            transaction: TransactionStatus::Idle,
            block: None,
            in_company: false,
            committing: Arc::default(),
            temporary: Arc::default(),
            folder: None,
            notices,
            cursors: parts.cursors.clone(),
            statements: parts.statements.clone(),
            visible,
            base: Mutex::default(),
            connected_at,
            parts,
            progress: None,
        })
    }

    /// What a statement that starts now can see.
    pub(crate) async fn context(&self, text: &str) -> Result<QueryContext> {
        let (catalog, snapshots) = self.sight().await?;
        Ok(self.context_over(catalog, snapshots, text))
    }

    fn context_over(&self, catalog: Arc<CatalogSnapshot>, snapshots: Snapshots, text: &str) -> QueryContext {
        let mut seen = instance::visible(catalog, &self.instance.built_ins, &self.role(), &self.parts);
        seen.session_role = self.session_role();
        seen.process_id = self.login.process_id;
        seen.server_started_at = self.instance.started_at();
        seen.client.query = text.to_owned();
        seen.client.connected_at = self.connected_at;
        seen.client.address = self.login.client;
        seen.processes = self.instance.processes.clone();
        seen.client.application_name = self.settings.value("application_name");
        let own = self.visible.read().seen();
        let is_known = own.is_some_and(|own| seen.take_over(&own));
        if !is_known && let Some(elsewhere) = self.instance.last_seen.read().as_ref() {
            seen.take_over(elsewhere);
        }
        *self.instance.last_seen.write() = seen.seen();
        let seen = Arc::new(seen);
        *self.visible.write() = Arc::clone(&seen);
        let mut base = self
            .base
            .lock()
            .get_or_insert_with(|| self.instance.session_base(Arc::clone(&self.visible)))
            .clone();
        let style = self.settings.text_style();
        let options = base.config_mut().options_mut();
        options.execution.time_zone = Some(style.zone.name().to_owned());
        options.extensions.insert(SessionStyle(style));
        QueryContext {
            warehouse: Arc::clone(&self.instance.warehouse),
            built_ins: Arc::clone(&self.instance.built_ins),
            snapshots: Arc::new(snapshots),
            visible: seen,
            base,
        }
    }

    pub(crate) fn author(&self, statement: &Statement) -> Author {
        Author { role: self.role(), statement: statement.text.clone() }
    }

    pub(crate) fn notice(&mut self, message: impl Into<String>) {
        self.notices.push(Notice { severity: "NOTICE", sqlstate: "00000", message: message.into() });
    }

    /// Tells that a statement did nothing. PostgreSQL says so by the SQLSTATE of what is there already, but not by that
    /// of what is not there.
    pub(crate) fn notice_of(&mut self, kind: ErrorKind, message: impl Into<String>) {
        use ErrorKind::{DuplicateObject, DuplicateSchema, DuplicateTable};
        let is_there = matches!(kind, DuplicateObject | DuplicateSchema | DuplicateTable);
        let sqlstate = if is_there { kind.sqlstate() } else { "00000" };
        self.notices.push(Notice { severity: "NOTICE", sqlstate, message: message.into() });
    }

    pub(crate) fn warning(&mut self, sqlstate: &'static str, message: impl Into<String>) {
        self.notices.push(Notice { severity: "WARNING", sqlstate, message: message.into() });
    }

    /// Plans a definition against a catalog that may hold changes which are not committed yet.
    pub async fn plan_ddl(
        &mut self,
        statement: &Statement,
        catalog: Arc<CatalogSnapshot>,
    ) -> Result<Option<Ddl>> {
        let snapshots = Snapshots::newest(&self.instance.warehouse, Arc::clone(&self.temporary));
        let context = self.context_over(catalog, snapshots, &statement.text);
        statement::ddl::plan(&context, statement).await
    }

    /// Runs statements for the process itself; the rows of the last one, if it returned any.
    pub async fn run(&mut self, sql: &str) -> Result<Vec<arrow::array::RecordBatch>> {
        use backend::Session as _;
        use futures::TryStreamExt;
        let mut answer = Vec::new();
        for statement in self.parse(sql)? {
            let prepared = self.prepare(statement, &[]).await?;
            answer = match self.execute(&prepared, Vec::new(), CancellationToken::new()).await? {
                Outcome::Rows { rows, .. } => rows.try_collect().await?,
                Outcome::Done(_) | Outcome::Empty => Vec::new(),
                Outcome::CopyOut { .. } | Outcome::CopyIn(_) => {
                    return Err(Error::not_supported("COPY needs a client to copy from or to"));
                }
            };
        }
        Ok(answer)
    }

    /// Tells whoever watches the statement what its plan is.
    pub(crate) fn note_plan(&self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(progress) = &self.progress {
            progress.has_plan(plan);
        }
    }

    /// Tells whoever watches the statement that it is another one which it runs.
    pub(crate) fn count_as(&self, statement: &Statement) {
        if let Some(progress) = &self.progress {
            progress.stands_for(&statement.identity);
        }
    }

    fn refuse_in_failed_transaction(&self, statement: &Statement) -> Result<()> {
        if self.transaction != TransactionStatus::Failed || statement::transaction::ends(statement) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::FailedTransaction,
            "current transaction is aborted, commands ignored until end of transaction block",
        ))
    }

    async fn run_query(&mut self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<Outcome> {
        let (physical, state) = self.physical_plan(prepared, parameters).await?;
        self.note_plan(&physical);
        let rows = execute_stream(physical, state.task_ctx())?;
        Ok(Outcome::Rows { verb: "SELECT", rows: self.instance.workers.run(rows) })
    }

    /// What runs a prepared query with these values. Its logical plan is used again unless something that it reads
    /// has changed.
    pub(crate) async fn physical_plan(
        &self,
        prepared: &Prepared,
        parameters: Vec<ScalarValue>,
    ) -> Result<(Arc<dyn ExecutionPlan>, SessionState)> {
        let statement = &prepared.statement;
        let query = match &statement.kind {
            StatementKind::Sql(sql) => match sql.as_ref() {
                ast::Statement::Query(query) => query,
                _ => return Err(Error::not_supported("EXPLAIN is supported for queries only")),
            },
            _ => return Err(Error::not_supported("EXPLAIN is supported for queries only")),
        };
        let context = self.context(&statement.text).await?;
        let known = prepared.planned.lock().clone();
        let planned = match known {
            Some(planned) if planned.is_current(&context).await? => planned,
            _ => {
                let mut planned = context.plan(statement.clone()).await?;
                planned.plan = statement::describe::typed(planned.plan, &prepared.parameters)?;
                let columns = statement::describe::labelled(&context, &planned.plan, query)?;
                if prepared.columns.as_ref().is_some_and(|described| !same_columns(described, &columns)) {
                    return Err(Error::not_supported("cached plan must not change result type"));
                }
                *prepared.planned.lock() = Some(planned.clone());
                *prepared.optimized.lock() = None;
                planned
            }
        };
        let state = context.state();
        // The first execution may be the only one.
        let is_again = std::mem::replace(&mut *prepared.executed.lock(), true);
        if is_again && prepared.optimized.lock().is_none() {
            let optimized = Optimized::of(&planned, &state)?;
            *prepared.optimized.lock() = Some(optimized);
        }
        let reused = match prepared.optimized.lock().as_ref() {
            Some(Some(optimized)) => optimized.with_values(&state, &parameters)?,
            _ => None,
        };
        if let Some(plan) = reused {
            return Ok((state.query_planner().create_physical_plan(&plan, &state).await?, state));
        }
        let plan = statement::describe::with_values(planned.plan, parameters)?;
        Ok((state.create_physical_plan(&plan).await?, state))
    }
}

/// Parameters, columns and plan of a statement.
type Described = (Vec<FieldRef>, Option<SchemaRef>, Option<Planned>);

impl Session {
    async fn plan_as_described(
        &mut self,
        statement: &Statement,
        declared: &[Option<FieldRef>],
    ) -> Result<Described> {
        self.refuse_in_failed_transaction(statement)?;
        let mut planned = None;
        let (parameters, columns) = match &statement.kind {
            StatementKind::Sql(sql) => match sql.as_ref() {
                ast::Statement::Query(query) => {
                    let context = self.context(&statement.text).await?;
                    let mut plan = context.plan(statement.clone()).await?;
                    let parameters = statement::describe::parameters(sql, &plan.plan, declared)?;
                    plan.plan = statement::describe::typed(plan.plan, &parameters)?;
                    let columns = statement::describe::labelled(&context, &plan.plan, query)?;
                    planned = Some(plan);
                    (parameters, Some(columns))
                }
                ast::Statement::Insert(_)
                | ast::Statement::Update(_)
                | ast::Statement::Delete(_)
                | ast::Statement::Merge(_) => {
                    let context = self.context(&statement.text).await?;
                    let parameters = statement::dml::parameters(&context, sql, declared).await?;
                    (parameters, statement::dml::returned_columns(&context, sql).await?)
                }
                ast::Statement::Call(call) => {
                    let mut types = ParameterTypes::declared(declared);
                    types.imply_text(sql);
                    (types.finish(), statement::call::schema(call)?)
                }
                ast::Statement::CreateTable(create) if create.query.is_some() => {
                    (statement::ddl::parameters(self, statement, create, declared).await?, None)
                }
                _ => (Vec::new(), None),
            },
            StatementKind::Own(OwnStatement::Upkeep(upkeep)) => {
                (Vec::new(), statement::upkeep::schema(upkeep))
            }
            StatementKind::Own(_) => (Vec::new(), None),
            StatementKind::Session(own) => {
                statement::session::describe(self, statement, own, declared).await?
            }
        };
        Ok((parameters, columns, planned))
    }

    async fn run_statement(
        &mut self,
        prepared: &Arc<Prepared>,
        parameters: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        let bound = statement::literal::bound(&prepared.statement, &parameters)?;
        let statement = bound.as_ref().unwrap_or(&prepared.statement);
        self.refuse_in_failed_transaction(statement)?;
        if self.in_company && !self.in_block() && !statement::transaction::controls(statement) {
            self.begin_block(true);
        }
        match &statement.kind {
            StatementKind::Sql(sql) => match sql.as_ref() {
                sql if statement::transaction::handles(sql) => statement::transaction::run(self, sql).await,
                ast::Statement::Query(_) => self.run_query(prepared, parameters).await,
                sql if utility::handles(sql) => utility::run(statement, sql),
                ast::Statement::Call(call) => statement::call::run(self, call).await,
                ast::Statement::Insert(_)
                | ast::Statement::Update(_)
                | ast::Statement::Delete(_)
                | ast::Statement::Merge(_)
                | ast::Statement::Truncate(_) => statement::dml::run(self, statement, sql, &parameters).await,
                ast::Statement::AlterTable(alter) if statement::table_options::sets(alter) => {
                    statement::upkeep::set_options(self, statement, alter).await
                }
                _ => statement::ddl::run(self, statement).await,
            },
            StatementKind::Session(own) => statement::session::run(self, prepared, own, parameters).await,
            StatementKind::Own(OwnStatement::Copy(copy)) => statement::copy::run(self, statement, copy).await,
            StatementKind::Own(own) => match own {
                OwnStatement::Access(access) => match self.run_role_statement(access).await? {
                    Some(done) => Ok(done),
                    None => statement::ddl::run(self, statement).await,
                },
                OwnStatement::RefreshMaterializedView { name } => {
                    statement::ddl::refresh(self, statement, name).await
                }
                OwnStatement::Pipe(PipeStatement::Replay { name, from }) => {
                    statement::pipe::replay(self, name, from.as_deref()).await
                }
                OwnStatement::Upkeep(upkeep) => statement::upkeep::run(self, statement, upkeep).await,
                _ => statement::ddl::run(self, statement).await,
            },
        }
    }
}

impl backend::Session for Session {
    type Statement = Statement;
    type Prepared = Prepared;

    fn parameter_status(&self) -> Vec<(String, String)> {
        self.settings.reported()
    }

    fn take_parameter_changes(&mut self) -> Vec<(String, String)> {
        self.settings.take_changes()
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn cursor_columns(&self, name: &str) -> Option<SchemaRef> {
        self.cursors.columns(name).ok()
    }

    fn close_cursor(&mut self, name: &str) {
        // To the protocol, closing what there is not is no error.
        let _ = self.cursors.close(name);
    }

    fn statements(&self) -> Statements<Prepared> {
        self.statements.clone()
    }

    fn sends_binary(&self, prepared: &Prepared) -> bool {
        matches!(&prepared.statement.kind, StatementKind::Session(own)
            if matches!(own.as_ref(), SessionStatement::Fetch { cursor, .. } if self.cursors.is_binary(cursor)))
    }

    fn object_names(&self) -> Option<Arc<dyn backend::ObjectNames>> {
        Some(Arc::new(crate::pg_catalog::Names(Arc::clone(&self.visible.read()))))
    }

    fn text_style(&self) -> TextStyle {
        self.settings.text_style()
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.transaction
    }

    fn statement_timeout(&self) -> Option<Duration> {
        self.settings.statement_timeout()
    }

    fn idle_timeout(&self) -> Option<Duration> {
        self.settings.timeout(match self.transaction {
            TransactionStatus::Idle => "idle_session_timeout",
            _ => "idle_in_transaction_session_timeout",
        })
    }

    fn rest(&mut self) {
        *self.base.lock() = None;
        // Its plan holds what the statement has seen. Named statements keep theirs: they are made to come again.
        if let Ok(unnamed) = self.statements.get("")
            && let Some(plan) = unnamed.plan()
        {
            *plan.planned.lock() = None;
            *plan.optimized.lock() = None;
        }
        *self.visible.write() = Arc::clone(&self.instance.before_any_statement);
    }

    fn identity(&self, statement: &Statement) -> Arc<Identity> {
        Arc::clone(&statement.identity)
    }

    fn acting_role(&self) -> String {
        self.role()
    }

    fn log_as(&self) -> Option<LogAs> {
        let threshold = self.settings.log_threshold()?;
        Some(LogAs { threshold, application_name: self.settings.value("application_name") })
    }

    fn watch(&mut self, progress: &Arc<Progress>) {
        self.progress = Some(Arc::clone(progress));
    }

    fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        dialect::parse(sql)
    }

    fn prepare<'a>(
        &'a mut self,
        statement: Statement,
        declared: &'a [Option<FieldRef>],
    ) -> BoxFuture<'a, Result<Arc<Prepared>>> {
        Box::pin(async move {
            let described = self.plan_as_described(&statement, declared).await;
            let (parameters, columns, planned) = described.map_err(|error| statement.locate(error))?;
            Ok(Arc::new(Prepared {
                statement,
                parameters,
                columns,
                planned: Mutex::new(planned),
                optimized: Mutex::default(),
                executed: Mutex::default(),
            }))
        })
    }

    fn describe(&self, prepared: &Prepared) -> Description {
        Description { parameters: prepared.parameters.clone(), columns: prepared.columns.clone() }
    }

    fn execute<'a>(
        &'a mut self,
        prepared: &'a Arc<Prepared>,
        parameters: Vec<ScalarValue>,
        _cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            self.run_statement(prepared, parameters).await.map_err(|error| prepared.statement.locate(error))
        })
    }

    fn copy_in<'a>(
        &'a mut self,
        prepared: &'a Arc<Prepared>,
        rows: SendableRecordBatchStream,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            match &prepared.statement.kind {
                StatementKind::Own(OwnStatement::Copy(copy)) => {
                    statement::copy::receive(self, &prepared.statement, copy, rows).await
                }
                _ => Err(Error::internal("rows for a statement that takes none")),
            }
        })
    }

    fn statement_failed(&mut self) {
        if self.transaction == TransactionStatus::InTransaction {
            self.transaction = TransactionStatus::Failed;
        }
    }

    fn set_company(&mut self, in_company: bool) {
        self.in_company = in_company;
    }

    fn commit_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.committing)
    }

    fn sync<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.in_company = false;
            if !self.in_implicit_block() {
                if self.transaction == TransactionStatus::Idle {
                    self.settings.end_transaction();
                }
                return Ok(());
            }
            if self.transaction == TransactionStatus::Failed {
                self.roll_back_block().await;
                return Ok(());
            }
            self.commit_block().await
        })
    }
}

/// What ALTER ROLE and ALTER DATABASE say of the session. What is no value any more is warned of: it must not keep
/// anybody out.
fn take_stored(settings: &Settings, catalog: &CatalogSnapshot, role: &str) -> Vec<Notice> {
    let layers = catalog.settings_of(role).into_iter();
    let all = layers.flat_map(|(source, layer)| layer.iter().map(move |setting| (setting, source)));
    let refused = all.filter_map(|(setting, source)| settings.put_stored(setting, source).err());
    let warning = |error: Error| Notice {
        severity: "WARNING",
        sqlstate: error.sqlstate(),
        message: error.message().to_owned(),
    };
    refused.map(warning).collect()
}

/// The schema of an answer of one text column.
pub(crate) fn text_column(name: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]))
}
