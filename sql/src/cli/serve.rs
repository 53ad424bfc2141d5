//! `voxhouse serve`: a warehouse on the Postgres protocol until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, Result};

use super::config::Config;
use super::password::{self, Password};
use super::{RootArgs, open};
use crate::instance::{Instance, OWNER};
use crate::query::context::DATABASE;
use crate::wire::{Server, ServerOptions, TlsFiles};

#[derive(Args, Debug, Clone)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    root: RootArgs,
    #[command(flatten)]
    pub(super) listen: ListenArgs,
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
        ] {
            if given.is_some() {
                kept.clone_from(given);
            }
        }
    }
}

pub(super) async fn run(args: ServeArgs) -> Result<ExitCode> {
    let mut config = args.root.config()?;
    args.listen.apply(&mut config);
    let instance = open(&config).await?;
    let password = password::ensure(&instance, &config).await?;
    serve(instance, &config, &password, |address| println!("{}", invitation(address, &password))).await
}

/// Binds, says so, and serves until Ctrl-C or SIGTERM.
pub(super) async fn serve(
    instance: Arc<Instance>,
    config: &Config,
    password: &Password,
    ready: impl FnOnce(SocketAddr),
) -> Result<ExitCode> {
    let mut options = ServerOptions::new(config.listen);
    options.max_connections = config.max_connections;
    options.tls = match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
        (None, None) => None,
        _ => return Err(Error::invalid_argument("tls_cert and tls_key go together")),
    };
    let server = Server::bind(options, Arc::new(Arc::clone(&instance)))?;
    let address = server.local_addr()?;
    if let Some(fresh) = &password.fresh {
        println!("The password of role {OWNER} is {fresh}");
        println!("It is shown once, and kept in {}", password.file.display());
    }
    ready(address);
    tracing::info!(%address, root = %instance.warehouse.storage().url(), "voxhouse is ready");
    let shutdown = CancellationToken::new();
    let background = tokio::spawn(load_in_background(Arc::clone(&instance), shutdown.clone()));
    tokio::spawn(stop_on_signal(shutdown.clone()));
    let served = server.serve(shutdown.clone()).await;
    shutdown.cancel();
    let _ = background.await;
    if let Err(error) = instance.warehouse.leases().close().await {
        tracing::warn!(%error, "removing temporary tables");
    }
    served.map(|()| ExitCode::SUCCESS)
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

async fn stop_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("shutting down");
    shutdown.cancel();
}

/// A line to paste.
pub(super) fn invitation(address: SocketAddr, password: &Password) -> String {
    format!(
        "PGPASSWORD=$(cat {}) psql -h {} -p {} -U {OWNER} -d {DATABASE}",
        password.file.display(),
        address.ip(),
        address.port()
    )
}
