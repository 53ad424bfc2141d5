//! The command line: what `voxhouse` can be told to do.

mod answers;
mod check;
mod config;
mod demo;
mod load;
mod logging;
mod password;
mod progress;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use voxhouse_engine::storage::Storage;
use voxhouse_engine::{Error, Result};

use crate::instance::{Instance, InstanceOptions};
use crate::observe::spans;
use config::Config;
use logging::LogFormat;

const STACK_BYTES: usize = 64 << 20;

/// The warehouse for customer experience: what customers say and do, in SQL.
#[derive(Parser)]
#[command(name = "voxhouse", version, about, max_term_width = 100)]
struct Cli {
    /// How lines of the log look: text, or one JSON object a line [default: text].
    #[arg(long, env = "VOXHOUSE_LOG_FORMAT", global = true, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a warehouse over the Postgres protocol.
    Serve(serve::ServeArgs),
    /// Make the bundled example, answer its questions, and serve it.
    Demo(demo::DemoArgs),
    /// Load files into a table, each file once.
    Load(load::LoadArgs),
    /// Look whether a warehouse is in order.
    Check(check::CheckArgs),
}

impl Cli {
    /// A configuration file that cannot be read is complained of later.
    fn log_format(&self) -> LogFormat {
        let root = match &self.command {
            Command::Serve(args) => args.root(),
            Command::Demo(args) => args.root(),
            Command::Load(args) => args.root(),
            Command::Check(args) => args.root(),
        };
        let configured = || root.config().ok().and_then(|config| config.log_format);
        self.log_format.or_else(configured).unwrap_or_default()
    }
}

/// Which warehouse, and what the process may use.
#[derive(Args, Debug, Clone, Default)]
struct RootArgs {
    /// Folder or URL of the warehouse (file://, s3://, gs://, az://).
    #[arg(long, env = "VOXHOUSE_ROOT", value_name = "URL")]
    root: Option<String>,
    /// Configuration file; voxhouse.toml in the current folder if there is one.
    #[arg(long, env = "VOXHOUSE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What all queries together may use before they spill, such as 2GB.
    #[arg(long, env = "VOXHOUSE_MEMORY_LIMIT", value_name = "SIZE")]
    memory_limit: Option<String>,
    /// How long one request to a remote object store may take [default: 30s].
    #[arg(long, env = "VOXHOUSE_STORE_REQUEST_TIMEOUT", value_name = "DURATION")]
    store_request_timeout: Option<String>,
    /// How long to wait for a connection to it [default: 5s].
    #[arg(long, env = "VOXHOUSE_STORE_CONNECT_TIMEOUT", value_name = "DURATION")]
    store_connect_timeout: Option<String>,
    /// For how long a request is tried again when the store is down or throttles [default: 60s].
    #[arg(long, env = "VOXHOUSE_STORE_RETRY_TIMEOUT", value_name = "DURATION")]
    store_retry_timeout: Option<String>,
}

impl RootArgs {
    fn config(&self) -> Result<Config> {
        let mut config = Config::read(self.config.as_deref())?;
        if let Some(root) = &self.root {
            config.root.clone_from(root);
        }
        for (given, kept) in [
            (&self.memory_limit, &mut config.memory_limit),
            (&self.store_request_timeout, &mut config.store_request_timeout),
            (&self.store_connect_timeout, &mut config.store_connect_timeout),
            (&self.store_retry_timeout, &mut config.store_retry_timeout),
        ] {
            if given.is_some() {
                kept.clone_from(given);
            }
        }
        Ok(config)
    }
}

async fn open(config: &Config) -> Result<Arc<Instance>> {
    let storage = Storage::open(&config.root, &config.store()?)?;
    let mut options = InstanceOptions::default();
    if let Some(limit) = &config.memory_limit {
        options.memory_limit = config::bytes(limit)?;
    }
    Instance::open(storage, &options).await
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.log_format());
    spans::follow_tasks();
    // Deeply nested statements are worked on recursively; the stack is only reserved, not used.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(wire_threads());
    let runtime = match builder.enable_all().thread_stack_size(STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::from(error)),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Load(args) => load::run(args).await,
            Command::Check(args) => check::run(args).await,
        }
    });
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// More than cores: planning a large statement keeps a thread busy, and must not keep all from the others.
fn wire_threads() -> usize {
    const LEAST: usize = 8;
    std::thread::available_parallelism().map_or(LEAST, |cores| (2 * cores.get()).max(LEAST))
}

fn fail(error: &Error) -> ExitCode {
    eprintln!("ERROR:  {error}");
    if let Some(detail) = error.detail() {
        eprintln!("DETAIL:  {detail}");
    }
    if let Some(hint) = error.hint() {
        eprintln!("HINT:  {hint}");
    }
    ExitCode::FAILURE
}
