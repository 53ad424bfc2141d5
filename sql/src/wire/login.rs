//! From a start-up packet to a session: who it is, whether there is room, and the greeting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind};

use super::backend::{Backend, Login, LoginRole, ScramVerifier, Session};
use super::frontend::{sasl_initial, utf8};
use super::input::Input;
use super::output::Output;
use super::reply;
use super::scram::{Channel, Exchange, MECHANISM, MECHANISM_PLUS, Refused};
use super::slots::{Slot, Slots};
use super::startup::{Hello, PROTOCOL_3_2};
use super::stop::{Flow, Stop};
use super::throttle::Throttle;
use crate::observe::Observer;
use crate::observe::counters::Refusal;
use crate::processes::Process;

/// What log-in needs of the server.
pub(super) struct Reception<'a, B> {
    pub(super) backend: &'a B,
    pub(super) slots: &'a Arc<Slots>,
    pub(super) throttle: &'a Throttle,
    /// From which the verifiers of unknown roles are made.
    pub(super) mock_secret: &'a [u8],
    pub(super) requires_tls: bool,
    pub(super) client: SocketAddr,
    pub(super) observer: &'a Observer,
    /// Ends the connection.
    pub(super) terminate: CancellationToken,
}

/// Somebody who has logged in.
pub(super) struct Entered<S> {
    pub(super) session: S,
    pub(super) process: Process,
    pub(super) slot: Slot,
}

impl<B: Backend> Reception<'_, B> {
    /// Authenticates, opens the session and tells the client about it; all but the first ReadyForQuery.
    pub(super) async fn log_in(
        &self,
        hello: Hello,
        input: &mut Input,
        output: &mut Output,
    ) -> Flow<Entered<B::Session>> {
        if self.requires_tls && hello.tls.is_none() {
            self.observer.counters.refused(Refusal::Unencrypted);
            let error =
                Error::new(ErrorKind::InvalidAuthorization, "the server accepts only encrypted connections")
                    .with_hint(
                        "Connect with sslmode=require, or sslmode=verify-full and the server's certificate.",
                    );
            return Err(Stop::Fatal(error));
        }
        let role = self.authenticate(&hello, input, output).await?;
        let slot = self.slots.take(&hello.role, &role).map_err(|full| {
            self.observer.counters.refused(full.into());
            full.error(&hello.role)
        })?;
        reply::authentication_ok(&mut output.buffer);
        let secret = if hello.version >= PROTOCOL_3_2 {
            rand::random::<[u8; 32]>().to_vec()
        } else {
            rand::random::<[u8; 4]>().to_vec()
        };
        let process = self.backend.processes().register(
            secret.clone(),
            self.terminate.clone(),
            &hello.role,
            &hello.database,
            self.client,
        );
        let login = Login {
            process_id: process.id,
            role: hello.role,
            database: hello.database,
            parameters: hello.parameters,
            client: Some(self.client),
            tls: hello.tls.is_some(),
        };
        let session = self.backend.connect(login).await.inspect_err(|_| {
            self.observer.counters.refused(Refusal::Other);
        })?;
        for (name, value) in session.parameter_status() {
            if name == "application_name" {
                process.set_application_name(&value);
            }
            reply::parameter_status(&mut output.buffer, &name, &value);
        }
        reply::backend_key(&mut output.buffer, process.id, &secret);
        Ok(Entered { session, process, slot })
    }

    /// By certificate, or else by password. Whatever is wrong with role or password, the steps, the time they
    /// take and the error are the same.
    async fn authenticate(&self, hello: &Hello, input: &mut Input, output: &mut Output) -> Flow<LoginRole> {
        let role = self.backend.role(&hello.role).await?;
        let shown = hello.tls.as_ref().and_then(|tls| tls.client_name.as_deref());
        let role = match role {
            Some(role) if shown == Some(hello.role.as_str()) => return Ok(role),
            role => role,
        };
        let nobody = ScramVerifier::of_nobody(self.mock_secret, &hello.role);
        let verifier = role.as_ref().and_then(|role| role.verifier.clone()).unwrap_or(nobody);
        let verdict = self.exchange(hello, verifier, input, output).await?;
        sleep(self.throttle.delay(self.client.ip(), &hello.role, Instant::now())).await;
        match (verdict, role) {
            (Ok(server_final), Some(role)) => {
                reply::authentication_sasl_final(&mut output.buffer, &server_final);
                Ok(role)
            }
            (verdict, _) => {
                self.throttle.failed(self.client.ip(), &hello.role, Instant::now());
                self.observer.counters.authentication_failures.add(1);
                self.observer.counters.refused(Refusal::Authentication);
                Err(verdict.err().unwrap_or(Refused::WrongProof).stop(&hello.role))
            }
        }
    }

    /// SCRAM-SHA-256, bound to the TLS connection if the client can. The server's last message, or why not.
    async fn exchange(
        &self,
        hello: &Hello,
        verifier: ScramVerifier,
        input: &mut Input,
        output: &mut Output,
    ) -> Flow<Result<String, Refused>> {
        let end_point = hello.tls.as_ref().and_then(|tls| tls.end_point.as_deref());
        let offered: &[&str] = if end_point.is_some() { &[MECHANISM_PLUS, MECHANISM] } else { &[MECHANISM] };
        reply::authentication_sasl(&mut output.buffer, offered);
        output.flush().await?;
        let (mechanism, first) = sasl_initial(password_message(input).await?)?;
        let channel = match (mechanism.as_str(), end_point) {
            (MECHANISM, None) => Channel::Unbound,
            (MECHANISM, Some(_)) => Channel::Declined,
            (MECHANISM_PLUS, Some(end_point)) => Channel::Bound(end_point),
            _ => {
                return Err(Stop::fatal_protocol("client selected an invalid SASL authentication mechanism"));
            }
        };
        let (exchange, server_first) = match Exchange::start(utf8(&first)?, channel, verifier) {
            Ok(started) => started,
            // Before anything was proved: this is no guess at a password.
            Err(refused) => return Err(refused.stop(&hello.role)),
        };
        reply::authentication_sasl_continue(&mut output.buffer, &server_first);
        output.flush().await?;
        let last = password_message(input).await?;
        Ok(exchange.finish(utf8(&last)?))
    }
}

async fn password_message(input: &mut Input) -> Flow<Bytes> {
    let frame = input.frame().await?;
    match frame.kind {
        b'p' => Ok(frame.body),
        b'X' => Err(Stop::Gone),
        other => Err(Stop::fatal_protocol(format!("expected SASL response, got message type {other}"))),
    }
}
