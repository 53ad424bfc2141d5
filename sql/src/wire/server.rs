//! The listener: accepts, bounds, and ends connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::backend::{Backend, Session as _};
use super::cancel::{Process, Processes};
use super::connection::{Connection, farewell};
use super::input::Input;
use super::output::Output;
use super::portal::Names;
use super::startup::{Greeting, Opening, Packet, Reception, greet, open};
use super::statement::Interrupts;
use super::stop::{Flow, Stop};
use super::tls;

pub use super::tls::TlsFiles;

/// How many connections the kernel may hold before they are accepted.
const BACKLOG: u32 = 1_024;

/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a connection gets to say farewell in after it was told to end.
const TERMINATION: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub listen: SocketAddr,
    /// `None`: connections are not encrypted, and SSLRequest is refused.
    pub tls: Option<TlsFiles>,
    /// Sessions. Sockets that have not logged in yet may be as many again.
    pub max_connections: usize,
    /// From accept to the end of log-in.
    pub startup_timeout: Duration,
    /// How long a shut-down waits for running statements before it cancels them.
    pub shutdown_grace: Duration,
    /// The largest message before log-in.
    pub max_startup_bytes: usize,
    /// The largest message after log-in: a statement or its parameters.
    pub max_message_bytes: usize,
    /// From which the salts of unknown roles are derived. Nodes that share it cannot be told apart by asking.
    pub mock_secret: [u8; 32],
    /// Where the connections register, for `pg_cancel_backend` and `pg_terminate_backend`.
    pub processes: Processes,
}

impl ServerOptions {
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            max_connections: 100,
            startup_timeout: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(30),
            max_startup_bytes: 64 << 10,
            max_message_bytes: 256 << 20,
            mock_secret: rand::random(),
            processes: Processes::default(),
        }
    }
}

pub struct Server<B> {
    listener: TcpListener,
    shared: Arc<Shared<B>>,
}

struct Shared<B> {
    options: ServerOptions,
    backend: Arc<B>,
    tls: Option<TlsAcceptor>,
    sessions: Semaphore,
    newcomers: Arc<Semaphore>,
}

impl<B: Backend> Server<B> {
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// If the address cannot be bound, or a TLS file cannot be used: there is no falling back to plain text.
    pub fn bind(options: ServerOptions, backend: Arc<B>) -> Result<Self> {
        let listener = listen(options.listen)
            .map_err(|error| Error::from(error).in_context(format!("listening on {}", options.listen)))?;
        let tls = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let limit = options.max_connections.min(Semaphore::MAX_PERMITS);
        let sessions = Semaphore::new(limit);
        let newcomers = Arc::new(Semaphore::new(limit.max(16)));
        Ok(Self { listener, shared: Arc::new(Shared { options, backend, tls, sessions, newcomers }) })
    }

    pub fn local_addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Accepts until `shutdown`. Then idle connections end with 57P01 at once, busy ones after their statement
    /// or, when the grace period is over, in the middle of it.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<()> {
        let terminate = CancellationToken::new();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(done) = connections.join_next(), if !connections.is_empty() => log_panic(done),
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, address)) => {
                        let shared = Arc::clone(&self.shared);
                        connections.spawn(shared.attend(socket, address, shutdown.clone(), terminate.child_token()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        if timeout(self.shared.options.shutdown_grace, drain(&mut connections)).await.is_err() {
            terminate.cancel();
            // Whoever does not end by itself is dropped where it stands.
            let _ = timeout(TERMINATION, drain(&mut connections)).await;
        }
        connections.shutdown().await;
        Ok(())
    }
}

/// Keep-alive is inherited by the accepted sockets, so that a dead peer is noticed without traffic.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn drain(connections: &mut JoinSet<()>) {
    while let Some(done) = connections.join_next().await {
        log_panic(done);
    }
}

/// A panic ends its own connection only.
fn log_panic(done: std::result::Result<(), tokio::task::JoinError>) {
    if let Err(error) = done
        && error.is_panic()
    {
        tracing::error!(%error, "a connection panicked");
    }
}

impl<B: Backend> Shared<B> {
    /// The life of one socket.
    async fn attend(
        self: Arc<Self>,
        socket: TcpStream,
        address: SocketAddr,
        shutdown: CancellationToken,
        terminate: CancellationToken,
    ) {
        let deadline = Instant::now() + self.options.startup_timeout;
        let Ok(newcomer) = Arc::clone(&self.newcomers).try_acquire_owned() else { return };
        if socket.set_nodelay(true).is_err() {
            return;
        }
        let opening = open(socket, self.tls.as_ref(), self.options.max_startup_bytes);
        match timeout_at(deadline, opening).await {
            Ok(Ok(Opening::Cancel { process_id, secret })) => {
                self.options.processes.cancel_with_secret(process_id, &secret);
            }
            Ok(Ok(Opening::Greeting(greeting))) => {
                let newcomer = || drop(newcomer);
                self.receive(greeting, address, deadline, newcomer, shutdown, terminate).await;
            }
            Ok(Err(stop)) => tracing::debug!(%address, ?stop, "not a client"),
            Err(_) => tracing::debug!(%address, "start-up timed out"),
        }
    }

    async fn receive(
        &self,
        greeting: Greeting,
        address: SocketAddr,
        deadline: Instant,
        logged_in: impl FnOnce(),
        shutdown: CancellationToken,
        terminate: CancellationToken,
    ) {
        let (read, write) = tokio::io::split(greeting.transport);
        let mut input = Input::new(read, self.options.max_startup_bytes);
        let mut output = Output::new(write);
        let Ok(_slot) = self.sessions.try_acquire() else {
            let error = Error::new(ErrorKind::TooManyConnections, "sorry, too many clients already");
            return farewell(output, Stop::Fatal(error)).await;
        };
        let log_in = self.log_in(greeting.packet, address, &mut input, &mut output, terminate.clone());
        let entered = timeout_at(deadline, log_in).await.unwrap_or_else(|_| {
            Err(Stop::Fatal(Error::new(ErrorKind::Cancelled, "canceling authentication due to timeout")))
        });
        let (session, process) = match entered {
            Ok(entered) => entered,
            Err(stop) => {
                tracing::info!(%address, ?stop, "log-in failed");
                return farewell(output, stop).await;
            }
        };
        logged_in();
        input.set_max_frame_bytes(self.options.max_message_bytes);
        let interrupts = Interrupts { input, process, terminate };
        let names = Names::new(session.statements());
        Connection { session, interrupts, output, names, shutdown, skips_to_sync: false }.run().await;
    }

    async fn log_in(
        &self,
        packet: Packet,
        address: SocketAddr,
        input: &mut Input,
        output: &mut Output,
        terminate: CancellationToken,
    ) -> Flow<(B::Session, Process)> {
        let hello = greet(packet, output)?;
        let reception = Reception {
            backend: self.backend.as_ref(),
            processes: &self.options.processes,
            mock_secret: &self.options.mock_secret,
            client_address: address.ip().to_string(),
            terminate,
        };
        reception.log_in(hello, input, output).await
    }
}
