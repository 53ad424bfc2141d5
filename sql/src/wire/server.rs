//! The listener: accepts, bounds, and ends connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::backend::{Backend, Session as _};
use super::connection::{Connection, farewell};
use super::input::Input;
use super::login::{Entered, Reception};
use super::output::Output;
use super::portal::Names;
use super::reply::{self, Severity};
use super::slots::{Newcomers, Slots};
use super::startup::{Greeting, Opening, Packet, greet, open};
use super::statement::Interrupts;
use super::stop::{Flow, Stop};
use super::throttle::Throttle;
use super::tls::{Tls, TlsFiles};
use crate::observe::counters::Refusal;
use crate::observe::spans;

/// How many connections the kernel may hold before they are accepted.
const BACKLOG: u32 = 1_024;

/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A peer that is silent for so long is asked whether it is still there, so often, and then given up: a client
/// whose machine or network has died is noticed within two minutes, and firewalls see traffic.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 6;

/// What a connection gets to say farewell in after it was told to end.
const TERMINATION: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub listen: SocketAddr,
    /// `None`: connections are not encrypted, and SSLRequest is refused.
    pub tls: Option<TlsFiles>,
    /// Whether connections without TLS are refused.
    pub requires_tls: bool,
    /// Sessions. Start-ups in progress are counted apart.
    pub max_connections: usize,
    /// Sessions, of those, that only superusers may have.
    pub superuser_reserved: usize,
    /// From accept to the end of log-in.
    pub startup_timeout: Duration,
    /// How long a shut-down waits for running statements before it cancels them.
    pub shutdown_grace: Duration,
    /// The largest message before log-in.
    pub max_startup_bytes: usize,
    /// The largest message after log-in.
    pub max_message_bytes: usize,
    /// The longest text of statements. Its tokens take many times the memory, so it is less than a message.
    pub max_statement_bytes: usize,
    /// From which the salts of unknown roles are derived. Nodes that share it cannot be told apart by asking.
    pub mock_secret: [u8; 32],
}

impl ServerOptions {
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            requires_tls: false,
            max_connections: 100,
            superuser_reserved: 3,
            startup_timeout: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(30),
            max_startup_bytes: 64 << 10,
            max_message_bytes: 256 << 20,
            max_statement_bytes: 16 << 20,
            mock_secret: rand::random(),
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
    tls: Option<Tls>,
    slots: Arc<Slots>,
    newcomers: Arc<Newcomers>,
    throttle: Throttle,
}

impl<B: Backend> Server<B> {
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// If the address cannot be bound, or a TLS file cannot be used: there is no falling back to plain text.
    pub fn bind(options: ServerOptions, backend: Arc<B>) -> Result<Self> {
        let listener = listen(options.listen)
            .map_err(|error| Error::from(error).in_context(format!("listening on {}", options.listen)))?;
        let tls = options.tls.as_ref().map(Tls::new).transpose()?;
        if options.requires_tls && tls.is_none() {
            return Err(Error::invalid_argument("TLS is required, but there is no certificate")
                .with_hint("Give --tls-cert and --tls-key."));
        }
        let slots = Slots::new(options.max_connections, options.superuser_reserved);
        let newcomers = Newcomers::new(options.max_connections);
        let throttle = Throttle::default();
        let shared = Arc::new(Shared { options, backend, tls, slots, newcomers, throttle });
        Ok(Self { listener, shared })
    }

    #[cfg(test)]
    pub(super) fn panics(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.shared.backend.observer().counters.panics)
    }

    pub fn local_addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Accepts until `shutdown`. Then idle connections end with 57P01 at once, busy ones after their statement
    /// or, when the grace period is over, in the middle of it.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<()> {
        let terminate = CancellationToken::new();
        let mut connections = JoinSet::new();
        let panics = Arc::clone(&self.shared.backend.observer().counters.panics);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(done) = connections.join_next(), if !connections.is_empty() => log_panic(done, &panics),
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
        self.shared.backend.observer().end();
        drop(self.listener);
        if timeout(self.shared.options.shutdown_grace, drain(&mut connections, &panics)).await.is_err() {
            terminate.cancel();
            // Whoever does not end by itself is dropped where it stands.
            let _ = timeout(TERMINATION, drain(&mut connections, &panics)).await;
        }
        connections.shutdown().await;
        Ok(())
    }
}

/// Keep-alive is inherited by the accepted sockets, so that a dead peer is noticed without traffic.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn drain(connections: &mut JoinSet<()>, panics: &AtomicUsize) {
    while let Some(done) = connections.join_next().await {
        log_panic(done, panics);
    }
}

/// A panic ends its own connection only.
fn log_panic(done: std::result::Result<(), tokio::task::JoinError>, panics: &AtomicUsize) {
    if let Err(error) = done
        && error.is_panic()
    {
        let count = panics.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::error!(%error, count, "a connection panicked");
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
        let Some(newcomer) = self.newcomers.enter(address.ip()) else {
            self.refused(Refusal::StartUps);
            return turn_away(&socket);
        };
        if socket.set_nodelay(true).is_err() {
            return;
        }
        // Each stage is boxed, so that a connection which waits does not hold the room of those that are over.
        let opening = Box::pin(open(socket, self.tls.as_ref(), self.options.max_startup_bytes));
        let opened = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            opened = timeout_at(deadline, opening) => opened,
        };
        match opened {
            Ok(Ok(Opening::Cancel { process_id, secret })) => {
                self.backend.processes().cancel_with_secret(process_id, &secret);
            }
            Ok(Ok(Opening::Greeting(greeting))) => {
                let received = Box::pin(self.receive(greeting, address, deadline, shutdown, terminate)).await;
                drop(newcomer);
                if let Some((connection, span)) = received {
                    connection.run().instrument(span).await;
                }
            }
            Ok(Err(stop)) => tracing::debug!(%address, ?stop, "not a client"),
            Err(_) => {
                self.refused(Refusal::Timeout);
                tracing::debug!(%address, "start-up timed out");
            }
        }
    }

    /// `None`: the client was turned away, and told why.
    async fn receive(
        &self,
        greeting: Greeting,
        address: SocketAddr,
        deadline: Instant,
        shutdown: CancellationToken,
        terminate: CancellationToken,
    ) -> Option<(Box<Connection<B::Session>>, Span)> {
        let observer = self.backend.observer();
        let (read, write) = tokio::io::split(greeting.transport);
        let mut input = Input::new(read, self.options.max_startup_bytes, Arc::clone(observer));
        let mut output = Output::new(write, Arc::clone(observer));
        let log_in =
            Box::pin(self.log_in(greeting.packet, address, &mut input, &mut output, terminate.clone()));
        let entered = tokio::select! {
            biased;
            () = shutdown.cancelled() => Err(Stop::terminated()),
            entered = timeout_at(deadline, log_in) => entered.unwrap_or_else(|_| {
                self.refused(Refusal::Timeout);
                Err(timed_out())
            }),
        };
        let Entered { session, process, slot } = match entered {
            Ok(entered) => entered,
            Err(stop) => {
                tracing::info!(%address, ?stop, "log-in failed");
                farewell(output, stop).await;
                return None;
            }
        };
        observer.counters.connections.add(1);
        input.set_max_frame_bytes(self.options.max_message_bytes);
        let span = spans::session(process.id, &process.role(), &process.database());
        let interrupts = Interrupts { input, process, terminate };
        let names = Names::new(session.statements());
        let max_statement_bytes = self.options.max_statement_bytes;
        let connection = Box::new(Connection {
            session,
            interrupts,
            output,
            names,
            shutdown,
            max_statement_bytes,
            skips_to_sync: false,
            observer: Arc::clone(observer),
            query_id: 0,
            _slot: slot,
        });
        Some((connection, span))
    }

    async fn log_in(
        &self,
        packet: Packet,
        address: SocketAddr,
        input: &mut Input,
        output: &mut Output,
        terminate: CancellationToken,
    ) -> Flow<Entered<B::Session>> {
        let hello = greet(packet, output)?;
        let reception = Reception {
            backend: self.backend.as_ref(),
            slots: &self.slots,
            throttle: &self.throttle,
            mock_secret: &self.options.mock_secret,
            requires_tls: self.options.requires_tls,
            client: address,
            observer: self.backend.observer(),
            terminate,
        };
        reception.log_in(hello, input, output).await
    }
}

impl<B: Backend> Shared<B> {
    fn refused(&self, why: Refusal) {
        self.backend.observer().counters.refused(why);
    }
}

fn timed_out() -> Stop {
    Stop::Fatal(Error::new(ErrorKind::Cancelled, "canceling authentication due to timeout"))
}

/// A word to somebody who comes while too many are at the door; whether it arrives is not waited for.
fn turn_away(socket: &TcpStream) {
    let error = Error::new(ErrorKind::TooManyConnections, "sorry, too many clients already");
    let mut answer = BytesMut::new();
    reply::error(&mut answer, Severity::Fatal, &error);
    let _ = socket.try_write(&answer);
}
