//! One connection's state, and the life of its statements.

mod block;
pub mod cursor;
pub mod settings;
pub mod workers;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::execution::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::catalog::ddl::Ddl;
use voxhouse_engine::catalog::{Author, CatalogSnapshot};
use voxhouse_engine::transaction::{Snapshots, Temporary, TemporaryFolder};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::{self, OwnStatement, Statement, StatementKind};
use crate::instance::{self, Instance};
use crate::pg_catalog::Visible;
use crate::query::{Planned, QueryContext};
use crate::statement::{self, utility};
use crate::wire::backend::{self, Description, Login, Notice, Outcome, TransactionStatus};
use cursor::Cursors;
use settings::Settings;

/// A statement that has been planned as far as its description needs.
pub struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) parameters: Vec<DataType>,
    columns: Option<SchemaRef>,
    /// The plan made for the description, used by an execution that finds nothing changed.
    planned: Mutex<Option<Planned>>,
}

pub struct Session {
    pub(crate) instance: Arc<Instance>,
    pub(crate) role: String,
    login: Login,
    pub(crate) settings: Settings,
    /// The settings when the block began, and the names that SET LOCAL has changed in it.
    pub(crate) before_block: Option<(Settings, Vec<String>)>,
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
    /// What the catalog functions of the running statement see.
    visible: Arc<RwLock<Arc<Visible>>>,
    base: SessionState,
    connected_at: i64,
}

impl Session {
    pub fn new(instance: Arc<Instance>, login: Login) -> Result<Self> {
        let mut settings = Settings::for_role(&login.role);
        for (name, value) in &login.parameters {
            apply_login_parameter(&mut settings, name, value)?;
        }
        let _ = settings.take_changes();
        let catalog = instance.warehouse.known_catalog();
        let first = instance::visible(catalog, &instance.built_ins, &login.role, &settings);
        let visible = Arc::new(RwLock::new(Arc::new(first)));
        let base = instance.session_base(Arc::clone(&visible));
        let role = login.role.clone();
        let connected_at = chrono::Utc::now().timestamp_micros();
        Ok(Self {
            instance,
            role,
            login,
            settings,
            before_block: None,
            transaction: TransactionStatus::Idle,
            block: None,
            in_company: false,
            committing: Arc::default(),
            temporary: Arc::default(),
            folder: None,
            notices: Vec::new(),
            cursors: Cursors::default(),
            visible,
            base,
            connected_at,
        })
    }

    /// What a statement that starts now can see.
    pub(crate) async fn context(&self, text: &str) -> Result<QueryContext> {
        let (catalog, snapshots) = self.sight().await?;
        Ok(self.context_over(catalog, snapshots, text))
    }

    fn context_over(&self, catalog: Arc<CatalogSnapshot>, snapshots: Snapshots, text: &str) -> QueryContext {
        let mut seen = instance::visible(catalog, &self.instance.built_ins, &self.role, &self.settings);
        seen.process_id = self.login.process_id;
        seen.server_started_at = self.instance.started_at();
        seen.client.query = text.to_owned();
        seen.client.connected_at = self.connected_at;
        seen.client.address = self.login.client_address.parse().ok();
        seen.client.application_name =
            self.settings.show("application_name").map(|(_, value)| value).unwrap_or_default();
        let seen = Arc::new(seen);
        *self.visible.write() = Arc::clone(&seen);
        let mut base = self.base.clone();
        base.config_mut().options_mut().execution.time_zone =
            Some(self.settings.time_zone().name().to_owned());
        QueryContext {
            warehouse: Arc::clone(&self.instance.warehouse),
            built_ins: Arc::clone(&self.instance.built_ins),
            snapshots: Arc::new(snapshots),
            visible: seen,
            base,
        }
    }

    pub(crate) fn author(&self, statement: &Statement) -> Author {
        Author { role: self.role.clone(), statement: statement.text.clone() }
    }

    pub(crate) fn notice(&mut self, message: impl Into<String>) {
        self.notices.push(Notice { severity: "NOTICE", sqlstate: "00000", message: message.into() });
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
            };
        }
        Ok(answer)
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

    async fn run_query(
        &mut self,
        prepared: &Prepared,
        query: &ast::Query,
        parameters: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        let context = self.context(&prepared.statement.text).await?;
        let known = prepared.planned.lock().clone();
        let planned = match known {
            Some(planned) if planned.is_current(&context).await? => planned,
            _ => {
                let statement = Statement {
                    kind: StatementKind::Sql(Box::new(ast::Statement::Query(Box::new(query.clone())))),
                    ..prepared.statement.clone()
                };
                let planned = context.plan(statement).await?;
                let columns = statement::describe::labelled(&context, &planned.plan, query)?;
                if prepared.columns.as_ref().is_some_and(|described| *described != columns) {
                    return Err(Error::not_supported("cached plan must not change result type"));
                }
                *prepared.planned.lock() = Some(planned.clone());
                planned
            }
        };
        let plan = match parameters.is_empty() {
            true => planned.plan,
            false => planned.plan.replace_params_with_values(&parameters.into())?,
        };
        let state = context.state();
        let physical = state.create_physical_plan(&plan).await?;
        let rows = execute_stream(physical, state.task_ctx())?;
        Ok(Outcome::Rows { verb: "SELECT", rows: self.instance.workers.run(rows) })
    }
}

/// Start-up parameters are settings; `options` holds some as `-c name=value`.
fn apply_login_parameter(settings: &mut Settings, name: &str, value: &str) -> Result<()> {
    if name != "options" {
        return settings.set(name, value);
    }
    let mut words = value.split_whitespace();
    while let Some(word) = words.next() {
        let assignment = match word {
            "-c" => words.next(),
            other => other.strip_prefix("-c").or_else(|| other.strip_prefix("--")),
        };
        if let Some((name, value)) = assignment.and_then(|assignment| assignment.split_once('=')) {
            settings.set(&name.replace('-', "_"), value)?;
        }
    }
    Ok(())
}

#[async_trait]
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

    fn time_zone(&self) -> chrono_tz::Tz {
        self.settings.time_zone()
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.transaction
    }

    fn statement_timeout(&self) -> Option<Duration> {
        self.settings.statement_timeout()
    }

    fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        dialect::parse(sql)
    }

    async fn prepare(
        &mut self,
        statement: Statement,
        declared: &[Option<DataType>],
    ) -> Result<Arc<Prepared>> {
        self.refuse_in_failed_transaction(&statement)?;
        let mut planned = None;
        let (parameters, columns) = match &statement.kind {
            StatementKind::Sql(sql) => match sql.as_ref() {
                ast::Statement::Query(query) => {
                    let context = self.context(&statement.text).await?;
                    let plan = context.plan(statement.clone()).await?;
                    let columns = statement::describe::labelled(&context, &plan.plan, query)?;
                    let parameters = statement::describe::parameters(&plan.plan, declared)?;
                    planned = Some(plan);
                    (parameters, Some(columns))
                }
                ast::Statement::Insert(_) | ast::Statement::Update(_) | ast::Statement::Delete(_) => {
                    let context = self.context(&statement.text).await?;
                    (statement::dml::parameters(&context, sql, declared).await?, None)
                }
                ast::Statement::ShowVariable { .. } => (Vec::new(), Some(utility::show_schema(&statement)?)),
                ast::Statement::Explain { .. } => (Vec::new(), Some(text_column("QUERY PLAN"))),
                ast::Statement::Call(call) => (Vec::new(), statement::call::schema(call)?),
                sql if statement::cursor::handles(sql) => {
                    (Vec::new(), statement::cursor::columns(self, sql)?)
                }
                _ => (Vec::new(), None),
            },
            StatementKind::Own(_) => (Vec::new(), None),
        };
        Ok(Arc::new(Prepared { statement, parameters, columns, planned: Mutex::new(planned) }))
    }

    fn describe(&self, prepared: &Prepared) -> Description {
        Description { parameters: prepared.parameters.clone(), columns: prepared.columns.clone() }
    }

    async fn execute(
        &mut self,
        prepared: &Arc<Prepared>,
        parameters: Vec<ScalarValue>,
        _cancel: CancellationToken,
    ) -> Result<Outcome> {
        let statement = &prepared.statement;
        self.refuse_in_failed_transaction(statement)?;
        if self.in_company && !self.in_block() && !statement::transaction::controls(statement) {
            self.begin_block(true);
        }
        match &statement.kind {
            StatementKind::Sql(sql) => match sql.as_ref() {
                sql if statement::transaction::handles(sql) => statement::transaction::run(self, sql).await,
                ast::Statement::Query(query) => self.run_query(prepared, query, parameters).await,
                sql if utility::handles(sql) => utility::run(self, statement, sql).await,
                sql if statement::cursor::handles(sql) => statement::cursor::run(self, statement, sql).await,
                ast::Statement::Explain { .. } => statement::explain::run(self, statement, sql).await,
                ast::Statement::Call(call) => statement::call::run(self, call).await,
                ast::Statement::Insert(_)
                | ast::Statement::Update(_)
                | ast::Statement::Delete(_)
                | ast::Statement::Merge(_)
                | ast::Statement::Truncate(_) => statement::dml::run(self, statement, sql, &parameters).await,
                _ => statement::ddl::run(self, statement).await,
            },
            StatementKind::Own(own) => match own {
                OwnStatement::RefreshMaterializedView { name } => {
                    statement::ddl::refresh(self, statement, name).await
                }
                OwnStatement::Vacuum { table, retain_hours } => {
                    statement::ddl::vacuum(self, table.as_ref(), *retain_hours).await
                }
                _ => statement::ddl::run(self, statement).await,
            },
        }
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

    async fn sync(&mut self) -> Result<()> {
        self.in_company = false;
        if !self.in_implicit_block() {
            return Ok(());
        }
        if self.transaction == TransactionStatus::Failed {
            self.roll_back_block().await;
            return Ok(());
        }
        self.commit_block().await
    }
}

/// The schema of an answer of one text column.
pub(crate) fn text_column(name: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]))
}
