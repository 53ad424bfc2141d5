//! What good clients do: log in, ask, read.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::House;
use super::fake::Fake;
use super::raw::{Raw, packet};
use crate::wire::server::{Server, ServerOptions};
use crate::wire::tls::TlsFiles;

async fn connect(house: &House, role: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = Config::new();
    config.host("127.0.0.1").port(house.port).user(role).password(password);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test]
async fn wrong_password_and_unknown_role_fail_alike() {
    let house = House::open();
    let _client = connect(&house, "analyst", "secret").await.unwrap();
    let mut errors = Vec::new();
    for role in ["analyst", "nobody"] {
        let error = connect(&house, role, "guess").await.err().unwrap();
        let error = error.as_db_error().unwrap().clone();
        assert_eq!(error.code().code(), "28P01");
        assert_eq!(error.message(), format!("password authentication failed for user \"{role}\""));
        errors.push((
            error.severity().to_owned(),
            error.detail().map(str::to_owned),
            error.hint().map(str::to_owned),
        ));
    }
    assert_eq!(errors[0], errors[1]);
    assert_eq!(house.seen.get(|seen| &seen.open_sessions), 1);
}

/// The first server message of SCRAM holds the salt: for an unknown role it must not change between attempts.
#[tokio::test]
async fn the_salt_of_an_unknown_role_is_stable() {
    let house = House::open();
    let mut salts = Vec::new();
    for _ in 0..2 {
        let mut client = Raw::connect(house.port).await;
        client.send(&packet(3 << 16, b"user\0nobody\0\0")).await;
        client.receive().await.unwrap();
        client.send(&super::raw::frame(b'p', b"SCRAM-SHA-256\0\0\0\0\x09n,,n=,r=x")).await;
        let answer = client.receive().await.unwrap().text();
        salts.push(answer.split(",s=").nth(1).unwrap().to_owned());
    }
    assert_eq!(salts[0], salts[1]);
    assert!(salts[0].ends_with(",i=4096"));
}

#[tokio::test]
async fn protocol_versions_are_negotiated() {
    let house = House::open();
    for (minor, options, negotiated, secret_bytes) in [
        (0, "", None, 4),
        (2, "", None, 32),
        (3, "", Some((2, 0)), 32),
        (1, "", Some((0, 0)), 4),
        (9999, "_pq_.grease\0x\0", Some((2, 1)), 32),
    ] {
        let hello = format!("user\0analyst\0{options}\0");
        let (_, answers) = Raw::log_in_as(house.port, (3 << 16) | minor, &hello, "secret").await;
        let answer = answers.iter().find(|answer| answer.kind == b'v');
        let told = answer.map(|answer| (answer.body[3], answer.body[7]));
        assert_eq!(told, negotiated, "3.{minor}");
        let key = answers.iter().find(|answer| answer.kind == b'K').unwrap();
        assert_eq!(key.body.len(), 4 + secret_bytes, "3.{minor}");
    }
}

#[tokio::test]
async fn too_many_connections_and_a_missing_database_are_fatal() {
    let house = House::with(Fake::new(), |options| {
        options.max_connections = 2;
        options.superuser_reserved = 0;
    });
    let first = Raw::log_in(house.port).await;
    let (_, answers) =
        Raw::log_in_as(house.port, 3 << 16, "user\0analyst\0database\0missing\0\0", "secret").await;
    let last = answers.last().unwrap();
    assert_eq!((last.field(b'S').as_deref(), last.field(b'C').as_deref()), (Some("FATAL"), Some("42704")));
    let _second = Raw::log_in(house.port).await;
    let (_, answers) = Raw::log_in_as(house.port, 3 << 16, "user\0analyst\0\0", "secret").await;
    assert_eq!(answers.last().unwrap().field(b'C').as_deref(), Some("53300"));
    drop(first);
    super::eventually("a slot is free", || house.seen.get(|seen| &seen.open_sessions) == 1).await;
    Raw::log_in(house.port).await;
}

#[tokio::test]
async fn values_travel_both_ways() {
    let house = House::open();
    let client = connect(&house, "analyst", "secret").await.unwrap();
    let date = NaiveDate::from_ymd_opt(2024, 3, 9).unwrap();
    let time = NaiveTime::from_hms_micro_opt(10, 14, 56, 123_400).unwrap();
    let local = NaiveDateTime::new(date, time);
    let instant: DateTime<Utc> = local.and_utc();
    let words: Vec<Option<String>> = vec![Some("好评".into()), None, Some("a \"b\"".into())];
    let none: Option<i64> = None;
    let row = client
        .query_one(
            "echo bool int2 int4 int8 float4 float8 text bytea date time timestamp timestamptz text[] int8 oid",
            &[
                &true, &-2_i16, &-4_i32, &i64::MAX, &1.5_f32, &-0.1_f64, &"评论", &vec![0_u8, 255], &date, &time,
                &local, &instant, &words, &none, &7_u32,
            ],
        )
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!((row.get::<_, i16>(1), row.get::<_, i32>(2), row.get::<_, i64>(3)), (-2, -4, i64::MAX));
    assert_eq!((row.get::<_, f32>(4), row.get::<_, f64>(5)), (1.5, -0.1));
    assert_eq!((row.get::<_, &str>(6), row.get::<_, &[u8]>(7)), ("评论", &[0, 255][..]));
    assert_eq!((row.get::<_, NaiveDate>(8), row.get::<_, NaiveTime>(9)), (date, time));
    assert_eq!((row.get::<_, NaiveDateTime>(10), row.get::<_, DateTime<Utc>>(11)), (local, instant));
    assert_eq!(row.get::<_, Vec<Option<String>>>(12), words);
    assert_eq!((row.get::<_, Option<i64>>(13), row.get::<_, u32>(14)), (None, 7));
}

#[tokio::test]
async fn the_simple_protocol_returns_text() {
    let house = House::open();
    let client = connect(&house, "analyst", "secret").await.unwrap();
    let messages = client.simple_query("rows 7; insert").await.unwrap();
    let numbers: Vec<&str> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7"]);
    assert!(matches!(messages.last(), Some(SimpleQueryMessage::CommandComplete(1))));
    let error = client.simple_query("fail").await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().code().code(), "42P01");
}

#[tokio::test]
async fn portals_of_a_transaction_are_read_in_pages() {
    let house = House::open();
    let mut client = connect(&house, "analyst", "secret").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("rows 7", &[]).await.unwrap();
    for expected in [3, 3, 1, 0] {
        assert_eq!(transaction.query_portal(&portal, 3).await.unwrap().len(), expected);
    }
}

fn tls_files() -> TlsFiles {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire/tests/tls");
    TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem"), clients: None }
}

fn connector(alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(tls_files().cert).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn tls_by_request_and_direct() {
    let house = House::with(Fake::new(), |options| options.tls = Some(tls_files()));
    for is_direct in [false, true] {
        let mut socket = TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
        if !is_direct {
            // GSSENCRequest first, as libpq may.
            for (code, expected) in [(80_877_104, b'N'), (80_877_103, b'S')] {
                socket.write_all(&packet(code, &[])).await.unwrap();
                assert_eq!(socket.read_u8().await.unwrap(), expected);
            }
        }
        let alpn: &[&[u8]] = if is_direct { &[b"postgresql"] } else { &[] };
        let server_name = ServerName::try_from("localhost").unwrap();
        let stream = connector(alpn).connect(server_name, socket).await.unwrap();
        let mut config = Config::new();
        config.user("analyst").password("secret").ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect_raw(stream, NoTls).await.unwrap();
        tokio::spawn(connection);
        let rows = client.query("rows 10000", &[]).await.unwrap();
        assert_eq!(rows.len(), 10_000);
    }
    // Somebody who speaks TLS but not this protocol.
    let socket = TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
    let mut stream =
        connector(&[]).connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap();
    stream.write_all(&packet(3 << 16, b"user\0analyst\0\0")).await.unwrap();
    assert!(matches!(stream.read(&mut [0; 16]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn without_tls_the_request_is_refused_once() {
    let house = House::open();
    let mut client = Raw::connect(house.port).await;
    client.send(&packet(80_877_103, &[])).await;
    assert_eq!(client.stream.read_u8().await.unwrap(), b'N');
    client.send(&packet(80_877_103, &[])).await;
    assert!(client.receive().await.is_none());
}

#[tokio::test]
async fn tls_files_that_cannot_be_used_are_fatal() {
    let TlsFiles { cert, key, .. } = tls_files();
    for files in [
        TlsFiles { cert: "/nonexistent.pem".into(), key: key.clone(), clients: None },
        TlsFiles { cert: key.clone(), key: key.clone(), clients: None },
        TlsFiles { cert: cert.clone(), key: cert.clone(), clients: None },
    ] {
        let mut options = ServerOptions::new(([127, 0, 0, 1], 0).into());
        options.tls = Some(files);
        assert!(Server::bind(options, Arc::new(Fake::new())).is_err());
    }
}
