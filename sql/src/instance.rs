//! One running Voxhouse: a warehouse with everything that works on it, shared by all sessions.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::config::ConfigOptions;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::prelude::SessionConfig;
use futures::future::BoxFuture;
use parking_lot::RwLock;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use url::Url;
use voxhouse_engine::catalog::access::{Access, BOOTSTRAP_ROLE, Secured};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::ddl::{Ddl, RoleDdl, RoleOptions};
use voxhouse_engine::catalog::{Author, Role};
use voxhouse_engine::ingest::Ingestion;
use voxhouse_engine::maintenance::Maintenance;
use voxhouse_engine::planning::{PipePlan, Planner};
use voxhouse_engine::storage::{STORE_URL, Storage};
use voxhouse_engine::transaction::Snapshots;
use voxhouse_engine::{Error, ErrorKind, Result, Warehouse};
use voxhouse_udfs::Resolver;

use crate::observe::Observer;
use crate::pg_catalog::{self, Seen, Visible};
use crate::processes::Processes;
use crate::query::arithmetic::CheckedArithmetic;
use crate::query::context::{DATABASE, SEARCH_PATH_SCHEMA};
use crate::query::operators::PostgresOperators;
use crate::query::pauses::PausingJoins;
use crate::query::types::PostgresTypes;
use crate::query::zone::{self, SessionZone};
use crate::query::{self, QueryContext};
use crate::relations::BuiltIns;
use crate::session::settings::Settings;
use crate::session::workers::Workers;
use crate::session::{Parts, Session};
use crate::shipped;
use crate::text::knowledge::TextKnowledge;
use crate::wire::backend::{self, Login, LoginRole, ScramVerifier};

/// The role that owns a new warehouse.
pub const OWNER: &str = BOOTSTRAP_ROLE;

/// Work factor of password verifiers; PostgreSQL's.
const SCRAM_ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("4096 is not zero");

/// Footers and page indexes of Parquet files kept in memory.
const METADATA_CACHE_BYTES: usize = 256 * 1024 * 1024;

/// One part in so many of the memory limit is what identity resolution may keep between refreshes.
const SHARE_OF_IDENTITY: usize = 8;

#[derive(Debug, Clone)]
pub struct InstanceOptions {
    /// What all queries together may use for sorts, joins and aggregates before they spill.
    pub memory_limit: usize,
    /// Cores that one query uses.
    pub parallelism: usize,
}

impl Default for InstanceOptions {
    fn default() -> Self {
        let parallelism = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Self { memory_limit: default_memory_limit(), parallelism }
    }
}

/// Half of the machine's memory, and 4 GiB where that is unknown.
fn default_memory_limit() -> usize {
    const UNKNOWN: usize = 8 << 30;
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        kilobytes.trim().trim_end_matches("kB").trim().parse::<usize>().ok()
    });
    total.map_or(UNKNOWN, |kilobytes| kilobytes * 1024) / 2
}

/// The parts that work in the background; the ingestion comes to life after the relations that show it.
#[derive(Default)]
pub struct Background {
    ingestion: OnceLock<Arc<Ingestion>>,
    maintenance: OnceLock<Arc<Maintenance>>,
    pub observer: Arc<Observer>,
}

impl Background {
    pub fn ingestion(&self) -> Result<&Arc<Ingestion>> {
        self.ingestion.get().ok_or_else(|| Error::internal("ingestion is used before it started"))
    }

    pub fn maintenance(&self) -> Result<&Arc<Maintenance>> {
        self.maintenance.get().ok_or_else(|| Error::internal("maintenance is used before it started"))
    }
}

/// What every session shares.
pub struct Instance {
    pub warehouse: Arc<Warehouse>,
    pub built_ins: Arc<BuiltIns>,
    pub workers: Arc<Workers>,
    /// Who is connected.
    pub processes: Processes,
    /// What statements and connections have cost.
    pub observer: Arc<Observer>,
    memory_limit: usize,
    background: Arc<Background>,
    planner: Arc<BackgroundPlanner>,
    base: SessionState,
    /// What the catalog functions of a session see that has not asked anything yet.
    pub(crate) before_any_statement: Arc<Visible>,
    /// What the last statement of any session saw.
    pub(crate) last_seen: RwLock<Option<Seen>>,
    started_at: i64,
}

impl Instance {
    /// Opens the warehouse under a root, makes what every warehouse has, and finishes loads that a dead
    /// process left open.
    pub async fn open(storage: Storage, options: &InstanceOptions) -> Result<Arc<Self>> {
        let warehouse = Warehouse::open(storage, voxhouse_connectors::formats()).await?;
        let knowledge = Arc::<TextKnowledge>::default();
        let base = base_state(&warehouse, options, &knowledge)?;
        let background = Arc::new(Background::default());
        let background_planner = BackgroundPlanner {
            warehouse: Arc::clone(&warehouse),
            base: base.clone(),
            built_ins: OnceLock::new(),
        };
        let planner = Arc::new(background_planner);
        let ingestion =
            Arc::new(Ingestion::new(Arc::clone(&warehouse), Arc::clone(&planner) as Arc<dyn Planner>)?);
        let maintenance = Arc::new(Maintenance::new(
            Arc::clone(&warehouse),
            Arc::clone(&ingestion),
            Arc::clone(&planner) as Arc<dyn Planner>,
        ));
        if background.ingestion.set(ingestion).is_err() || background.maintenance.set(maintenance).is_err() {
            return Err(Error::internal("the background started twice"));
        }
        let matcher = Arc::new(Resolver::new(options.memory_limit / SHARE_OF_IDENTITY));
        let built_ins = Arc::new(BuiltIns::new(Arc::clone(&background), knowledge, matcher).await?);
        if planner.built_ins.set(Arc::clone(&built_ins)).is_err() {
            return Err(Error::internal("the planner started twice"));
        }
        let started_at = chrono::Utc::now().timestamp_micros();
        let workers = Workers::new(options.parallelism)?;
        let processes = Processes::default();
        let parts = Arc::new(Parts::new(Settings::for_role(OWNER, true)));
        let before_any_statement = Arc::new(visible(warehouse.known_catalog(), &built_ins, OWNER, &parts));
        let instance = Arc::new(Self {
            warehouse,
            built_ins,
            workers,
            last_seen: RwLock::default(),
            processes,
            observer: Arc::clone(&background.observer),
            memory_limit: options.memory_limit,
            background,
            planner,
            base,
            before_any_statement,
            started_at,
        });
        shipped::install(&instance).await?;
        Ok(instance)
    }

    pub fn ingestion(&self) -> Result<&Arc<Ingestion>> {
        self.background.ingestion()
    }

    pub fn maintenance(&self) -> Result<&Arc<Maintenance>> {
        self.background.maintenance()
    }

    pub fn planner(&self) -> Arc<dyn Planner> {
        Arc::clone(&self.planner) as Arc<dyn Planner>
    }

    pub fn started_at(&self) -> i64 {
        self.started_at
    }

    /// What all queries share: memory, disk, caches.
    pub fn runtime(&self) -> &Arc<RuntimeEnv> {
        self.base.runtime_env()
    }

    /// Bytes.
    pub fn memory_limit(&self) -> usize {
        self.memory_limit
    }

    /// A session without a connection, for the process itself.
    pub fn session(self: &Arc<Self>, role: &str) -> Result<Session> {
        Session::new(
            Arc::clone(self),
            Login {
                process_id: 0,
                role: role.to_owned(),
                database: DATABASE.to_owned(),
                parameters: Vec::new(),
                client: None,
                tls: false,
            },
        )
    }

    /// The state that a session starts from: shared functions, and catalog functions of its own.
    pub fn session_base(&self, visible: Arc<RwLock<Arc<Visible>>>) -> SessionState {
        let mut state = self.base.clone();
        for function in pg_catalog::scalar_functions(visible) {
            // A function of the same name gives way; registering cannot fail otherwise.
            let _ = FunctionRegistry::register_udf(&mut state, function);
        }
        state
    }

    /// Sets the password of a role.
    pub async fn set_password(&self, role: &str, password: &str) -> Result<()> {
        let catalog = self.warehouse.catalog().await?;
        let stored = catalog.role(role).and_then(|role| role.verifier.as_deref());
        if let Some(stored) = stored
            && stored.parse::<ScramVerifier>()?.accepts(password)
        {
            return Ok(());
        }
        let mut rng = ChaCha20Rng::from_os_rng();
        let verifier = ScramVerifier::from_password(password, SCRAM_ITERATIONS, &mut rng).to_string();
        let author = Author { role: OWNER.to_owned(), statement: format!("ALTER ROLE {role} PASSWORD …") };
        let options = RoleOptions { verifier: Some(Some(verifier)), ..RoleOptions::default() };
        let ddl = RoleDdl::Alter { name: role.to_owned(), options };
        self.warehouse.run_ddl(&author, vec![Ddl::Role(ddl)]).await?;
        Ok(())
    }

    /// Sets the first password of all. `false`: another process was quicker, and its password counts.
    pub async fn set_first_password(&self, role: &str, password: &str) -> Result<bool> {
        if !self.needs_password().await? {
            return Ok(false);
        }
        self.set_password(role, password).await?;
        Ok(true)
    }

    /// From which the verifiers of unknown roles are made: the same in all nodes of the warehouse, and after a
    /// restart, as long as the password of its owner stays.
    pub async fn mock_secret(&self) -> Result<[u8; 32]> {
        let catalog = self.warehouse.catalog().await?;
        let owner = catalog.role(OWNER).and_then(|role| role.verifier.as_deref());
        Ok(match owner {
            Some(verifier) => verifier.parse::<ScramVerifier>()?.derived_secret(),
            None => rand::random(),
        })
    }

    /// Whether nobody can log in yet.
    pub async fn needs_password(&self) -> Result<bool> {
        Ok(self.warehouse.catalog().await?.roles().all(|role| role.verifier.is_none()))
    }
}

impl backend::Backend for Arc<Instance> {
    type Session = Session;

    fn processes(&self) -> &Processes {
        &self.processes
    }

    fn observer(&self) -> &Arc<Observer> {
        &self.observer
    }

    fn role<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<LoginRole>>> {
        Box::pin(async move {
            let catalog = self.warehouse.catalog().await?;
            let may_log_in =
                |role: &&Role| role.login && role.valid_until.is_none_or(|until| chrono::Utc::now() < until);
            let Some(role) = catalog.role(name).filter(may_log_in) else { return Ok(None) };
            Ok(Some(LoginRole {
                verifier: role.verifier.as_deref().and_then(|text| verifier_of(name, text)),
                superuser: role.superuser,
                connection_limit: role.connection_limit.and_then(|limit| usize::try_from(limit).ok()),
            }))
        })
    }

    fn connect<'a>(&'a self, login: Login) -> BoxFuture<'a, Result<Session>> {
        Box::pin(async move {
            if login.database != DATABASE {
                return Err(Error::new(
                    ErrorKind::UndefinedDatabase,
                    format!("database \"{}\" does not exist", login.database),
                )
                .with_hint(format!("The only database is \"{DATABASE}\".")));
            }
            let catalog = self.warehouse.known_catalog();
            if !Access::of(&catalog, &login.role).may(&Secured::database(&catalog), Privilege::Connect) {
                return Err(Error::new(
                    ErrorKind::InsufficientPrivilege,
                    format!("permission denied for database \"{DATABASE}\""),
                )
                .with_detail("User does not have CONNECT privilege."));
            }
            Session::new(Arc::clone(self), login)
        })
    }
}

/// A verifier that cannot be read is none: the error must not tell a stranger that the role exists.
fn verifier_of(role: &str, text: &str) -> Option<ScramVerifier> {
    text.parse().inspect_err(|error| tracing::error!(%error, role, "the role cannot log in")).ok()
}

/// Plans what runs without a session: pipes, checks, materialised views.
struct BackgroundPlanner {
    warehouse: Arc<Warehouse>,
    base: SessionState,
    built_ins: OnceLock<Arc<BuiltIns>>,
}

impl BackgroundPlanner {
    async fn context(&self, role: &str) -> Result<QueryContext> {
        let built_ins =
            self.built_ins.get().ok_or_else(|| Error::internal("the planner is used before it started"))?;
        let catalog = self.warehouse.catalog().await?;
        let parts = Arc::new(Parts::new(Settings::for_role(role, catalog.is_superuser(role))));
        Ok(QueryContext {
            warehouse: Arc::clone(&self.warehouse),
            snapshots: Arc::new(Snapshots::newest(&self.warehouse, Arc::default())),
            built_ins: Arc::clone(built_ins),
            visible: Arc::new(visible(catalog, built_ins, role, &parts)),
            base: self.base.clone(),
        })
    }
}

impl Planner for BackgroundPlanner {
    fn session_state(&self) -> SessionState {
        self.base.clone()
    }

    fn plan_pipe<'a>(
        &'a self,
        role: &'a str,
        query: Option<&'a str>,
        source: Arc<dyn TableProvider>,
    ) -> BoxFuture<'a, Result<PipePlan>> {
        Box::pin(async move { self.context(role).await?.plan_pipe(query, source).await })
    }

    fn plan_query<'a>(&'a self, role: &'a str, query: &'a str) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let query = crate::query::pipe::parse_query(query)?;
            Ok(self.context(role).await?.plan_query(&query).await?.plan)
        })
    }

    fn plan_expression(&self, expression: &str, schema: &DFSchema) -> Result<Expr> {
        plan_expression(&self.base, expression, schema)
    }
}

/// Plans a stored expression; types are made to agree as in a query.
pub fn plan_expression(state: &SessionState, expression: &str, schema: &DFSchema) -> Result<Expr> {
    let planned = state.create_logical_expr(expression, schema)?;
    let context = SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build();
    let simplifier = ExprSimplifier::new(context);
    // Some functions, such as coalesce, exist only until they are simplified.
    Ok(simplifier.simplify(simplifier.coerce(planned, schema)?)?)
}

/// What a statement of this role sees.
pub fn visible(
    catalog: Arc<voxhouse_engine::catalog::CatalogSnapshot>,
    built_ins: &BuiltIns,
    role: &str,
    parts: &Arc<Parts>,
) -> Visible {
    Visible {
        catalog,
        built_in: built_ins.listed(),
        functions: built_ins.functions(),
        sizes: Arc::default(),
        role: role.to_owned(),
        session_role: role.to_owned(),
        database: DATABASE.to_owned(),
        process_id: 0,
        search_path: parts.settings.search_path(),
        session: Arc::clone(parts) as Arc<dyn pg_catalog::SessionParts>,
        client: pg_catalog::Client::default(),
        processes: Processes::default(),
        server_started_at: 0,
        derived: pg_catalog::Derived::default(),
    }
}

fn base_state(
    warehouse: &Warehouse,
    options: &InstanceOptions,
    knowledge: &TextKnowledge,
) -> Result<SessionState> {
    let mut config = ConfigOptions::new();
    config.catalog.create_default_catalog_and_schema = false;
    config.catalog.default_catalog = DATABASE.to_owned();
    config.catalog.default_schema = SEARCH_PATH_SCHEMA.to_owned();
    config.catalog.information_schema = false;
    config.execution.target_partitions = options.parallelism.max(1);
    config.execution.parquet.pushdown_filters = true;
    // It compares the notes on columns, too; a UNION keeps those of one side in the logical plan and others in the physical.
    config.execution.skip_physical_aggregate_schema_check = true;
    config.execution.time_zone = Some("UTC".to_owned());
    config.sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
    config.sql_parser.collect_spans = true;
    config.sql_parser.parse_float_as_decimal = true;
    let mut state = SessionStateBuilder::new()
        .with_config(SessionConfig::from(config))
        .with_runtime_env(runtime(warehouse, options)?)
        .with_expr_planners(vec![Arc::new(PostgresOperators)])
        .with_default_features()
        .with_analyzer_rule(Arc::new(SessionZone))
        .with_analyzer_rule(Arc::new(CheckedArithmetic))
        .with_type_planner(Arc::new(PostgresTypes))
        .with_physical_optimizer_rule(Arc::new(PausingJoins))
        .build();
    voxhouse_udfs::register_all(&mut state, knowledge.taught())?;
    for function in query::input::functions()
        .chain(query::templates::functions())
        .chain(query::json::functions())
        .chain(query::spelling::functions())
        .chain(query::library::functions())
    {
        FunctionRegistry::register_udf(&mut state, function)?;
    }
    // By this name it stands in defaults, which are expressions and no statements.
    let uuid = datafusion::functions::string::uuid().as_ref().clone().with_aliases(["gen_random_uuid"]);
    FunctionRegistry::register_udf(&mut state, Arc::new(uuid))?;
    FunctionRegistry::register_udf(&mut state, zone::timezone())?;
    FunctionRegistry::register_udf(&mut state, query::sleep::pg_sleep())?;
    for aggregate in query::library::aggregates() {
        FunctionRegistry::register_udaf(&mut state, aggregate)?;
    }
    FunctionRegistry::register_udaf(&mut state, query::average::average())?;
    FunctionRegistry::register_udaf(&mut state, query::totals::sum())?;
    for aggregate in query::spread::functions() {
        FunctionRegistry::register_udaf(&mut state, aggregate)?;
    }
    Ok(state)
}

fn runtime(warehouse: &Warehouse, options: &InstanceOptions) -> Result<Arc<RuntimeEnv>> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_limit)))
        .with_metadata_cache_limit(METADATA_CACHE_BYTES)
        .build_arc()?;
    let url = Url::parse(STORE_URL).map_err(|error| Error::internal(error.to_string()))?;
    runtime.register_object_store(&url, warehouse.storage().store());
    Ok(runtime)
}
