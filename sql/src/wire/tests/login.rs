//! Who gets in, how, and what those learn who do not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::House;
use super::fake::Fake;
use super::raw::{Answer, Proof, Raw, packet, query};
use crate::wire::certificate::end_point;
use crate::wire::tls::{ClientCertificates, TlsFiles};

const HELLO: &str = "user\0analyst\0\0";
const V3: u32 = 3 << 16;

fn file(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire/tests/tls").join(name)
}

fn files(clients_required: Option<bool>) -> TlsFiles {
    let clients =
        clients_required.map(|required| ClientCertificates { authorities: file("ca.pem"), required });
    TlsFiles { cert: file("cert.pem"), key: file("key.pem"), clients }
}

fn house(clients_required: Option<bool>) -> House {
    House::with(Fake::new(), |options| options.tls = Some(files(clients_required)))
}

/// A client behind TLS, which shows a certificate or none. An error: the handshake failed.
async fn encrypted(house: &House, certificate: Option<&str>) -> std::io::Result<Raw> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("cert.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match certificate {
        None => config.with_no_client_auth(),
        Some(name) => {
            let chain = vec![CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap()];
            let key = PrivateKeyDer::from_pem_file(file(&format!("{name}-key.pem"))).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let mut socket = TcpStream::connect(("127.0.0.1", house.port)).await?;
    socket.write_all(&packet(80_877_103, &[])).await?;
    assert_eq!(socket.read_u8().await?, b'S');
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    Ok(Raw::over(stream))
}

fn sqlstate(answers: &[Answer]) -> Option<String> {
    answers.last().filter(|answer| answer.kind == b'E').and_then(|answer| answer.field(b'C'))
}

fn mechanisms(answers: &[Answer]) -> Vec<String> {
    let names = String::from_utf8(answers[0].body[4..].to_vec()).unwrap();
    names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[tokio::test]
async fn channel_binding_ties_the_proof_to_the_certificate() {
    let house = house(None);
    let ours = end_point(&CertificateDer::from_pem_file(file("cert.pem")).unwrap()).unwrap();
    let (plain, plus) = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS");
    let bound = "p=tls-server-end-point";
    for (mechanism, flag, end_point, expected) in [
        (plus, bound, ours.as_slice(), None),
        (plain, "n", b"", None),
        // Another certificate at the other end of the client's connection.
        (plus, bound, &[7; 32], Some("28000")),
        // The client was told that there is no -PLUS.
        (plain, "y", b"", Some("28000")),
        (plus, "n", b"", Some("08P01")),
        (plus, "p=tls-unique", &ours, Some("08P01")),
        (plain, bound, &ours, Some("08P01")),
        ("SCRAM-SHA-1", "n", b"", Some("08P01")),
    ] {
        let mut client = encrypted(&house, None).await.unwrap();
        let proof = Proof { password: "secret", mechanism, flag, end_point };
        let answers = client.enter(V3, HELLO, &proof).await;
        assert_eq!(mechanisms(&answers), [plus, plain]);
        assert_eq!(sqlstate(&answers).as_deref(), expected, "{mechanism} {flag}");
    }
    let mut client = encrypted(&house, None).await.unwrap();
    let wrong = Proof { password: "guess", mechanism: plus, flag: bound, end_point: &ours };
    assert_eq!(sqlstate(&client.enter(V3, HELLO, &wrong).await).as_deref(), Some("28P01"));
    // Without TLS there is nothing to bind to, and a client that could says so.
    let mut client = Raw::connect(house.port).await;
    let proof = Proof { flag: "y", ..Proof::password("secret") };
    let answers = client.enter(V3, HELLO, &proof).await;
    assert_eq!((mechanisms(&answers), sqlstate(&answers)), (vec![plain.to_owned()], None));
}

#[tokio::test]
async fn a_certificate_in_the_name_of_the_role_needs_no_password() {
    let house = house(Some(false));
    let wrong = Proof::password("no password");
    for (certificate, role, gets_in) in [
        (Some("client"), "analyst", true),
        // A role that has no password can log in like this only.
        (Some("client"), "machine", false),
        (Some("owner"), "analyst", false),
        // Nobody has made the role of this certificate.
        (Some("owner"), "voxhouse", false),
        (None, "analyst", false),
    ] {
        let mut client = encrypted(&house, certificate).await.unwrap();
        let answers = client.enter(V3, &format!("user\0{role}\0\0"), &wrong).await;
        let expected = (!gets_in).then_some("28P01");
        assert_eq!(sqlstate(&answers).as_deref(), expected, "{certificate:?} as {role}");
    }
    // Without one, or with another's, the password counts.
    for certificate in [None, Some("owner")] {
        let mut client = encrypted(&house, certificate).await.unwrap();
        assert_eq!(sqlstate(&client.enter(V3, HELLO, &Proof::password("secret")).await), None);
    }
}

/// The end of a refused handshake may show in the handshake or at the first read.
async fn is_let_in(house: &House, certificate: Option<&str>) -> bool {
    let Ok(mut client) = encrypted(house, certificate).await else { return false };
    let _ = client.stream.write_all(&packet(V3, HELLO.as_bytes())).await;
    client.receive().await.is_some()
}

#[tokio::test]
async fn certificates_of_strangers_are_refused_and_may_be_required() {
    let house = house(Some(true));
    for (certificate, expected) in
        [(Some("client"), true), (Some("owner"), true), (Some("stranger"), false), (None, false)]
    {
        assert_eq!(is_let_in(&house, certificate).await, expected, "{certificate:?}");
    }
    let house = self::house(Some(false));
    for (certificate, expected) in [(Some("client"), true), (Some("stranger"), false), (None, true)] {
        assert_eq!(is_let_in(&house, certificate).await, expected, "{certificate:?}");
    }
}

#[tokio::test]
async fn tls_can_be_required() {
    let house = House::with(Fake::new(), |options| {
        options.tls = Some(files(None));
        options.requires_tls = true;
    });
    let (_, answers) = Raw::log_in_as(house.port, V3, HELLO, "secret").await;
    assert_eq!((answers.len(), sqlstate(&answers).as_deref()), (1, Some("28000")));
    let mut client = encrypted(&house, None).await.unwrap();
    assert_eq!(sqlstate(&client.enter(V3, HELLO, &Proof::password("secret")).await), None);
    assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
}

/// What somebody sees who guesses: the steps, the error, and how long it took.
async fn guess(house: &House, role: &str) -> (String, Vec<(u8, Option<String>)>, Duration) {
    let mut client = Raw::connect(house.port).await;
    let begun = Instant::now();
    let answers = client.enter(V3, &format!("user\0{role}\0\0"), &Proof::password("guess")).await;
    let kinds = super::raw::kinds(&answers);
    let error = answers.last().unwrap();
    let fields =
        b"SVCMDH".iter().map(|code| (*code, error.field(*code).map(|value| value.replace(role, "ROLE"))));
    (kinds, fields.collect(), begun.elapsed())
}

#[tokio::test]
async fn all_failures_look_alike() {
    let house = House::open();
    let wrong_password = guess(&house, "analyst").await;
    assert_eq!(wrong_password.0, "RE");
    assert_eq!(wrong_password.1[2], (b'C', Some("28P01".to_owned())));
    for role in ["nobody", "machine", "Analyst"] {
        let (kinds, fields, _) = guess(&house, role).await;
        assert_eq!((kinds, fields), (wrong_password.0.clone(), wrong_password.1.clone()), "{role}");
    }
    // By now each has failed before, and all wait.
    for role in ["analyst", "nobody", "machine"] {
        assert!(guess(&house, role).await.2 >= Duration::from_millis(100), "{role}");
    }
}

#[tokio::test]
async fn failures_slow_down_and_hold_no_slot() {
    let house = House::with(Fake::new(), |options| {
        options.max_connections = 1;
        options.superuser_reserved = 0;
    });
    for _ in 0..8 {
        guess(&house, "analyst").await;
    }
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let port = house.port;
            tokio::spawn(async move { Raw::log_in_as(port, V3, HELLO, "guess").await })
        })
        .collect();
    // The right password waits as long, or the wait would tell; the one session there may be is free for it.
    let begun = Instant::now();
    let mut client = Raw::log_in(house.port).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
    for attempt in waiting {
        assert_eq!(sqlstate(&attempt.await.unwrap().1).as_deref(), Some("28P01"));
    }
}
