//! A client that says exactly what it is told to, however wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pgwire::api::auth::sasl::scram::gen_salted_password;
use ring::{digest, hmac};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::tls::{Socket, Transport};

pub(super) struct Raw {
    pub(super) stream: Transport,
    /// A second handle on the socket.
    socket: Option<socket2::Socket>,
}

/// How a client authenticates, for good or ill.
pub(super) struct Proof<'a> {
    pub(super) password: &'a str,
    pub(super) mechanism: &'a str,
    /// `n`, `y` or `p=…`.
    pub(super) flag: &'a str,
    /// What it believes to be at the other end.
    pub(super) end_point: &'a [u8],
}

impl<'a> Proof<'a> {
    pub(super) fn password(password: &'a str) -> Self {
        Self { password, mechanism: "SCRAM-SHA-256", flag: "n", end_point: b"" }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) kind: u8,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A field of an ErrorResponse or NoticeResponse.
    pub(super) fn field(&self, code: u8) -> Option<String> {
        self.body
            .split(|&byte| byte == 0)
            .find_map(|field| field.strip_prefix(&[code]))
            .map(|field| String::from_utf8(field.to_vec()).unwrap())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim_end_matches('\0').to_owned()
    }
}

pub(super) fn packet(code: u32, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], &code.to_be_bytes(), body].concat()
}

pub(super) fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32 + 4).to_be_bytes()[..], body].concat()
}

pub(super) fn parse(name: &str, sql: &str) -> Vec<u8> {
    frame(b'P', format!("{name}\0{sql}\0\0\0").as_bytes())
}

pub(super) fn bind(portal: &str, statement: &str) -> Vec<u8> {
    frame(b'B', format!("{portal}\0{statement}\0\0\0\0\0\0\0").as_bytes())
}

pub(super) fn execute(portal: &str, max_rows: i32) -> Vec<u8> {
    frame(b'E', &[portal.as_bytes(), &[0], &max_rows.to_be_bytes()].concat())
}

pub(super) fn query(sql: &str) -> Vec<u8> {
    frame(b'Q', format!("{sql}\0").as_bytes())
}

pub(super) fn sync() -> Vec<u8> {
    frame(b'S', &[])
}

impl Raw {
    pub(super) async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let socket = socket2::SockRef::from(&stream).try_clone().unwrap();
        Self { stream: Box::new(stream), socket: Some(socket) }
    }

    pub(super) fn over(stream: impl Socket + 'static) -> Self {
        Self { stream: Box::new(stream), socket: None }
    }

    /// Goes without a word that anything more was to be read.
    pub(super) fn reset(self) {
        self.socket.unwrap().set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }

    /// Logged in, up to ReadyForQuery.
    pub(super) async fn log_in(port: u16) -> Self {
        let (client, _) = Self::log_in_as(port, 3 << 16, "user\0analyst\0\0", "secret").await;
        client
    }

    pub(super) async fn log_in_as(
        port: u16,
        version: u32,
        hello: &str,
        password: &str,
    ) -> (Self, Vec<Answer>) {
        let mut client = Self::connect(port).await;
        let answers = client.enter(version, hello, &Proof::password(password)).await;
        (client, answers)
    }

    /// From the start-up packet to ReadyForQuery or an error.
    pub(super) async fn enter(&mut self, version: u32, hello: &str, proof: &Proof<'_>) -> Vec<Answer> {
        self.send(&packet(version, hello.as_bytes())).await;
        let mut answers = Vec::new();
        loop {
            let answer = self.receive().await.expect("an answer");
            let is_last = matches!(answer.kind, b'Z' | b'E');
            let asks_for_proof = answer.kind == b'R' && answer.body.get(3) == Some(&10);
            answers.push(answer);
            if is_last {
                return answers;
            }
            if asks_for_proof && let Some(refused) = self.prove(proof).await {
                answers.push(refused);
                return answers;
            }
        }
    }

    /// `Some`: the server did not like the first message.
    async fn prove(&mut self, proof: &Proof<'_>) -> Option<Answer> {
        let first = "n=,r=clientnonce";
        let initial = format!("{},,{first}", proof.flag);
        let length = (initial.len() as u32).to_be_bytes();
        let head = [proof.mechanism.as_bytes(), &[0], &length, initial.as_bytes()].concat();
        self.send(&frame(b'p', &head)).await;
        let server_first = self.receive().await.unwrap();
        if server_first.kind == b'E' {
            return Some(server_first);
        }
        let server_first = String::from_utf8(server_first.body[4..].to_vec()).unwrap();
        let value = |key: &str| server_first.split(',').find_map(|part| part.strip_prefix(key)).unwrap();
        let salted = gen_salted_password(
            proof.password,
            &STANDARD.decode(value("s=")).unwrap(),
            value("i=").parse().unwrap(),
        );
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        let client_key = sign(&salted, b"Client Key");
        let stored = digest::digest(&digest::SHA256, client_key.as_ref());
        let header = format!("{},,", proof.flag);
        let binding = STANDARD.encode([header.as_bytes(), proof.end_point].concat());
        let last = format!("c={binding},r={}", value("r="));
        let signature = sign(stored.as_ref(), format!("{first},{server_first},{last}").as_bytes());
        let proof: Vec<u8> = client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        self.send(&frame(b'p', format!("{last},p={}", STANDARD.encode(proof)).as_bytes())).await;
        None
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// `None`: the server has closed the connection.
    pub(super) async fn receive(&mut self) -> Option<Answer> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Answer { kind: head[0], body })
    }

    /// Up to the next ReadyForQuery, or to the end of the connection.
    pub(super) async fn answers(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(answer) = self.receive().await {
            let is_ready = answer.kind == b'Z';
            answers.push(answer);
            if is_ready {
                break;
            }
        }
        answers
    }

    /// The type bytes of the answers to `bytes`.
    pub(super) async fn kinds(&mut self, bytes: &[u8]) -> String {
        self.send(bytes).await;
        kinds(&self.answers().await)
    }
}

pub(super) fn kinds(answers: &[Answer]) -> String {
    answers.iter().map(|answer| char::from(answer.kind)).collect()
}
