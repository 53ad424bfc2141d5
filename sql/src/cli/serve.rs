//! `voxhouse serve`: a warehouse on the Postgres protocol until it is told to stop.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use voxhouse_engine::{Error, Result};

use super::config::{Config, bytes, duration};
use super::password::{self, Password};
use super::{RootArgs, open};
use crate::instance::{Instance, OWNER};
use crate::notify;
use crate::observe::http::Listener;
use crate::observe::scrape::Scrape;
use crate::query::context::DATABASE;
use crate::text::keeper;
use crate::wire::{ClientCertificates, Server, ServerOptions, TlsFiles};

#[derive(Args, Debug, Clone)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    root: RootArgs,
    #[command(flatten)]
    pub(super) listen: ListenArgs,
    /// Take notifications of files here, from object stores over HTTP: POST /pipes/NAME/notify.
    #[arg(long, env = "VOXHOUSE_LISTEN_HTTP", value_name = "HOST:PORT")]
    listen_http: Option<SocketAddr>,
    #[command(flatten)]
    observe: ObserveArgs,
}

#[derive(Args, Debug, Clone, Default)]
struct ObserveArgs {
    /// Serve metrics for Prometheus here, and whether the server is well: /metrics and /healthz over HTTP.
    #[arg(long, env = "VOXHOUSE_METRICS", value_name = "HOST:PORT")]
    metrics: Option<SocketAddr>,
    /// Log statements that take at least so long; 0 logs all [default: none].
    #[arg(long, env = "VOXHOUSE_LOG_MIN_DURATION_STATEMENT", value_name = "TIME")]
    log_min_duration_statement: Option<String>,
}

impl ServeArgs {
    pub(super) fn root(&self) -> &RootArgs {
        &self.root
    }
}

impl ObserveArgs {
    fn apply(&self, config: &mut Config) {
        config.metrics = self.metrics.or(config.metrics);
        if self.log_min_duration_statement.is_some() {
            config.log_min_duration_statement.clone_from(&self.log_min_duration_statement);
        }
    }
}

#[derive(Args, Debug, Clone, Default)]
pub(super) struct ListenArgs {
    /// Address and port; port 0 takes a free one.
    #[arg(long, env = "VOXHOUSE_LISTEN", value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// File with the password of the role voxhouse.
    #[arg(long, env = "VOXHOUSE_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Certificate chain in PEM; encrypts connections.
    #[arg(long, env = "VOXHOUSE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key in PEM.
    #[arg(long, env = "VOXHOUSE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Refuse connections that are not encrypted.
    #[arg(long, env = "VOXHOUSE_REQUIRE_TLS")]
    require_tls: bool,
    /// Authorities of clients' certificates, in PEM: a client that shows one whose common name (CN) is the role needs
    /// no password.
    #[arg(long, env = "VOXHOUSE_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Refuse clients without such a certificate; those whose CN is another role need the password too.
    #[arg(long, env = "VOXHOUSE_REQUIRE_CLIENT_CERT", requires = "tls_client_ca")]
    require_client_cert: bool,
    /// Sessions at a time [default: 100].
    #[arg(long, env = "VOXHOUSE_MAX_CONNECTIONS", value_name = "N")]
    max_connections: Option<usize>,
    /// How many of them are kept for superusers [default: 3].
    #[arg(long, env = "VOXHOUSE_SUPERUSER_RESERVED", value_name = "N")]
    superuser_reserved: Option<usize>,
    /// The largest message of a client: parameters of a statement, or rows of a COPY [default: 256MB].
    #[arg(long, env = "VOXHOUSE_MAX_MESSAGE", value_name = "SIZE")]
    max_message: Option<String>,
    /// The longest text of a statement [default: 16MB].
    #[arg(long, env = "VOXHOUSE_MAX_STATEMENT", value_name = "SIZE")]
    max_statement: Option<String>,
    /// How long a client may take to log in [default: 60s].
    #[arg(long, env = "VOXHOUSE_LOGIN_TIMEOUT", value_name = "TIME")]
    login_timeout: Option<String>,
    /// How long running statements may go on when the server is told to stop [default: 30s].
    #[arg(long, env = "VOXHOUSE_SHUTDOWN_GRACE", value_name = "TIME")]
    shutdown_grace: Option<String>,
}

impl ListenArgs {
    pub(super) fn apply(&self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        for (given, kept) in [
            (&self.password_file, &mut config.password_file),
            (&self.tls_cert, &mut config.tls_cert),
            (&self.tls_key, &mut config.tls_key),
            (&self.tls_client_ca, &mut config.tls_client_ca),
        ] {
            if given.is_some() {
                kept.clone_from(given);
            }
        }
        for (given, kept) in [
            (&self.max_message, &mut config.max_message),
            (&self.max_statement, &mut config.max_statement),
            (&self.login_timeout, &mut config.login_timeout),
            (&self.shutdown_grace, &mut config.shutdown_grace),
        ] {
            if given.is_some() {
                kept.clone_from(given);
            }
        }
        config.require_tls |= self.require_tls;
        config.require_client_cert |= self.require_client_cert;
        config.max_connections = self.max_connections.unwrap_or(config.max_connections);
        config.superuser_reserved = self.superuser_reserved.unwrap_or(config.superuser_reserved);
    }
}

pub(super) async fn run(args: ServeArgs) -> Result<ExitCode> {
    let mut config = args.root.config()?;
    args.listen.apply(&mut config);
    args.observe.apply(&mut config);
    config.listen_http = args.listen_http.or(config.listen_http);
    let instance = open(&config).await?;
    if let Some(time) = &config.log_min_duration_statement {
        let milliseconds = duration(time)?.as_millis();
        instance.observer.set_log_threshold(i32::try_from(milliseconds).unwrap_or(i32::MAX));
    }
    let password = password::ensure(&instance, &config).await?;
    serve(instance, &config, &password, |address| println!("{}", invitation(address, &password))).await
}

/// Binds, says so, and serves until Ctrl-C or SIGTERM; a second one does not wait for anybody.
pub(super) async fn serve(
    instance: Arc<Instance>,
    config: &Config,
    password: &Password,
    ready: impl FnOnce(SocketAddr),
) -> Result<ExitCode> {
    let options = ServerOptions { mock_secret: instance.mock_secret().await?, ..server_options(config)? };
    let server = Server::bind(options, Arc::new(Arc::clone(&instance)))?;
    let address = server.local_addr()?;
    let metrics = metrics(&instance, config).await?;
    let notifications = notifications(&instance, config).await?;
    if let Some(fresh) = &password.fresh {
        println!("The password of role {OWNER} is {fresh}");
        println!("It is shown once, and kept in {}", password.file.display());
    }
    if config.tls_cert.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "connections are not encrypted: --tls-cert and --tls-key are not given");
    }
    ready(address);
    tracing::info!(%address, root = %instance.warehouse.storage().url(), "voxhouse is ready");
    let shutdown = CancellationToken::new();
    let background = tokio::spawn(load_in_background(Arc::clone(&instance), shutdown.clone()));
    let upkeep = tokio::spawn(tend_in_background(Arc::clone(&instance), shutdown.clone()));
    let keeper = tokio::spawn(keeper::run(Arc::clone(&instance), shutdown.clone()));
    tokio::spawn(stop_on_signal(shutdown.clone()));
    let served = server.serve(shutdown.clone()).await;
    shutdown.cancel();
    drop(notifications);
    // Until here it has told that the server is shutting down.
    drop(metrics);
    let _ = tokio::join!(background, upkeep, keeper);
    if let Err(error) = instance.warehouse.leases().close().await {
        tracing::warn!(%error, "removing temporary tables");
    }
    served.map(|()| ExitCode::SUCCESS)
}

/// Serves metrics, if they are wanted, for as long as the handle lives.
async fn metrics(instance: &Arc<Instance>, config: &Config) -> Result<Option<AbortOnDropHandle<()>>> {
    let Some(address) = config.metrics else { return Ok(None) };
    let listener = Listener::bind(address).await?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "whoever reaches this address can read the metrics");
    }
    tracing::info!(%address, "metrics are served");
    let scrape = Scrape {
        instance: Arc::clone(instance),
        max_connections: config.max_connections,
        superuser_reserved: config.superuser_reserved,
    };
    Ok(Some(AbortOnDropHandle::new(tokio::spawn(listener.serve(Arc::new(scrape))))))
}

/// Takes notifications, if they are wanted, for as long as the handle lives.
async fn notifications(instance: &Arc<Instance>, config: &Config) -> Result<Option<AbortOnDropHandle<()>>> {
    let Some(address) = config.listen_http else { return Ok(None) };
    let tls = tls_files(config)?;
    let listener = notify::Listener::bind(address, tls.as_ref()).await?;
    let address = listener.local_addr()?;
    if tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "passwords of notifications are not encrypted: --tls-cert and --tls-key are not given");
    }
    tracing::info!(%address, "notifications are taken");
    Ok(Some(AbortOnDropHandle::new(tokio::spawn(listener.serve(Arc::clone(instance))))))
}

fn server_options(config: &Config) -> Result<ServerOptions> {
    let mut options = ServerOptions::new(config.listen);
    if config.superuser_reserved >= config.max_connections {
        return Err(Error::invalid_argument("superuser_reserved must be less than max_connections"));
    }
    options.max_connections = config.max_connections;
    options.superuser_reserved = config.superuser_reserved;
    options.requires_tls = config.require_tls;
    options.tls = tls_files(config)?;
    if let Some(size) = &config.max_message {
        options.max_message_bytes = bytes(size)?;
    }
    if let Some(size) = &config.max_statement {
        options.max_statement_bytes = bytes(size)?;
    }
    if let Some(time) = &config.login_timeout {
        options.startup_timeout = duration(time)?;
    }
    if let Some(time) = &config.shutdown_grace {
        options.shutdown_grace = duration(time)?;
    }
    Ok(options)
}

fn tls_files(config: &Config) -> Result<Option<TlsFiles>> {
    let clients = config
        .tls_client_ca
        .clone()
        .map(|authorities| ClientCertificates { authorities, required: config.require_client_cert });
    match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert: cert.clone(), key: key.clone(), clients })),
        (None, None) if clients.is_some() => {
            Err(Error::invalid_argument("tls_client_ca needs tls_cert and tls_key"))
        }
        (None, None) => Ok(None),
        _ => Err(Error::invalid_argument("tls_cert and tls_key go together")),
    }
}

/// Finishes what a dead process left open, then runs pipes when they are due.
async fn load_in_background(instance: Arc<Instance>, shutdown: CancellationToken) {
    let ingestion = match instance.ingestion() {
        Ok(ingestion) => Arc::clone(ingestion),
        Err(error) => return tracing::error!(%error, "loading is off"),
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let work = async {
        if let Err(error) = ingestion.recover().await {
            tracing::error!(%error, "finishing interrupted loads");
        }
        ingestion.run_scheduler(stopped).await;
    };
    tokio::pin!(work);
    tokio::select! {
        () = &mut work => return,
        () = shutdown.cancelled() => {}
    }
    // Runs that have begun are dropped; the next start finishes them.
    let _ = stop.send(true);
}

/// Keeps tables fast while nobody asks for it.
async fn tend_in_background(instance: Arc<Instance>, shutdown: CancellationToken) {
    let maintenance = match instance.maintenance() {
        Ok(maintenance) => Arc::clone(maintenance),
        Err(error) => return tracing::error!(%error, "compaction is off"),
    };
    tokio::select! {
        () = maintenance.run_background() => {}
        () = shutdown.cancelled() => {}
    }
}

async fn stop_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    let mut told = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    told().await;
    tracing::info!("shutting down; a second signal ends running statements at once");
    shutdown.cancel();
    told().await;
    tracing::warn!("ended by a second signal");
    // Whatever is under way: what is committed is whole, and the next start finishes or forgets the rest.
    std::process::exit(130);
}

/// A line to paste.
pub(super) fn invitation(address: SocketAddr, password: &Password) -> String {
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let file = password.file.display().to_string();
    format!(
        "PGPASSWORD=$(cat {}) psql -h {host} -p {} -U {OWNER} -d {DATABASE}",
        quoted_for_shell(&file),
        address.port()
    )
}

fn quoted_for_shell(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
