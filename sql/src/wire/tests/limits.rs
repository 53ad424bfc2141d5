//! Many at the door, many inside, many names in one connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::fake::Fake;
use super::raw::{Answer, Proof, Raw, bind, execute, frame, kinds, packet, parse, query, sync};
use super::{House, PATIENCE, eventually};
use crate::wire::backend::LoginRole;

const V3: u32 = 3 << 16;

/// A connection from another address of this machine.
async fn connect_from(house: &House, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0))).unwrap();
    socket.connect(SocketAddr::from(([127, 0, 0, 1], house.port))).await.unwrap()
}

fn refusal(answers: &[Answer]) -> Option<(String, String)> {
    let last = answers.last().filter(|answer| answer.kind == b'E')?;
    Some((last.field(b'C')?, last.field(b'M')?))
}

#[tokio::test]
async fn roles_have_limits_and_superusers_reserved_slots() {
    let mut fake = Fake::new();
    let analyst = fake.roles["analyst"].clone();
    fake.roles.insert("root".to_owned(), LoginRole { superuser: true, ..analyst.clone() });
    fake.roles.insert("few".to_owned(), LoginRole { connection_limit: Some(1), ..analyst });
    let house = House::with(fake, |options| {
        options.max_connections = 4;
        options.superuser_reserved = 1;
    });
    let log_in = async |role: &str| {
        let (client, answers) = Raw::log_in_as(house.port, V3, &format!("user\0{role}\0\0"), "secret").await;
        (client, refusal(&answers))
    };
    let (few, refused) = log_in("few").await;
    assert_eq!(refused, None);
    let (_, refused) = log_in("few").await;
    assert_eq!(refused.unwrap(), ("53300".into(), "too many connections for role \"few\"".into()));
    let _others = [log_in("analyst").await, log_in("analyst").await];
    let (_, refused) = log_in("analyst").await;
    assert!(refused.unwrap().1.starts_with("remaining connection slots are reserved"));
    let (_root, refused) = log_in("root").await;
    assert_eq!(refused, None);
    assert_eq!(log_in("root").await.1.unwrap().1, "sorry, too many clients already");
    drop(few);
    eventually("a session ends", || house.seen.get(|seen| &seen.open_sessions) == 3).await;
    assert_eq!(log_in("root").await.1, None);
}

/// Sockets that say nothing, or a byte at a time, keep neither other places out nor their own for ever.
#[tokio::test]
async fn a_flood_of_silent_sockets_keeps_nobody_else_out() {
    let house = House::with(Fake::new(), |options| options.startup_timeout = Duration::from_secs(3));
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(connect_from(&house, 9).await);
    }
    // Those beyond the share are told so at once.
    let mut turned_away = 0;
    for socket in silent.split_off(100) {
        let mut client = Raw::over(socket);
        if let Ok(Some(answer)) = timeout(Duration::from_millis(500), client.receive()).await {
            assert_eq!(answer.field(b'C').as_deref(), Some("53300"));
            turned_away += 1;
        }
        if turned_away > 50 {
            break;
        }
    }
    assert!(turned_away > 50, "{turned_away}");
    let mut client = Raw::over(connect_from(&house, 8).await);
    let answers = client.enter(V3, "user\0analyst\0\0", &Proof::password("secret")).await;
    assert_eq!(refusal(&answers), None);
    assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
    // When their time is over, the place has its share back.
    let mut first = Raw::over(silent.swap_remove(0));
    assert!(timeout(PATIENCE, first.receive()).await.unwrap().is_none());
    let mut client = Raw::over(connect_from(&house, 9).await);
    let answers = client.enter(V3, "user\0analyst\0\0", &Proof::password("secret")).await;
    assert_eq!(refusal(&answers), None);
}

#[tokio::test]
async fn messages_before_log_in_are_small() {
    let house = House::open();
    let mut client = Raw::connect(house.port).await;
    client.send(&packet(V3, b"user\0analyst\0\0")).await;
    assert_eq!(client.receive().await.unwrap().kind, b'R');
    client.send(&[b"p" as &[u8], &(1_u32 << 20).to_be_bytes(), &[b'x'; 100]].concat()).await;
    let answer = client.receive().await.unwrap();
    assert_eq!((answer.field(b'S'), answer.field(b'C')), (Some("FATAL".into()), Some("53400".into())));
    let mut client = Raw::connect(house.port).await;
    client.send(&(1_u32 << 20).to_be_bytes()).await;
    assert!(client.receive().await.is_none());
}

#[tokio::test]
async fn names_of_a_connection_are_bounded() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    for hundred in 0..100 {
        let many: Vec<u8> = (0..100).flat_map(|one| parse(&format!("s{hundred}-{one}"), "rows 1")).collect();
        let answers = client.kinds(&[many, sync()].concat()).await;
        assert_eq!(answers, format!("{}Z", "1".repeat(100)));
    }
    client.send(&[parse("one more", "rows 1"), sync()].concat()).await;
    let answers = client.answers().await;
    assert_eq!((kinds(&answers).as_str(), answers[0].field(b'C').as_deref()), ("EZ", Some("53400")));
    let close = frame(b'C', b"Ss0-0\0");
    assert_eq!(client.kinds(&[close, parse("one more", "rows 1"), sync()].concat()).await, "31Z");
    assert_eq!(client.kinds(&query("begin")).await, "CZ");
    for hundred in 0..100 {
        let many: Vec<u8> = (0..100).flat_map(|one| bind(&format!("p{hundred}-{one}"), "one more")).collect();
        assert_eq!(client.kinds(&[many, sync()].concat()).await, format!("{}Z", "2".repeat(100)));
    }
    client.send(&[bind("one more", "one more"), sync()].concat()).await;
    assert_eq!(client.answers().await[0].field(b'C').as_deref(), Some("53400"));
}

#[tokio::test]
async fn thousands_of_parameters_and_the_largest_numbers_of_rows() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let count = 5_000_u16;
    let statement = format!("echo{}", " int4".repeat(count.into()));
    let body =
        [&b"\0\0\0\0"[..], &count.to_be_bytes(), &b"\0\0\0\x017".repeat(count.into()), b"\0\0"].concat();
    let request = [parse("", &statement), frame(b'B', &body), execute("", i32::MAX), sync()].concat();
    client.send(&request).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "12DCZ");
    assert_eq!(answers[2].body.len(), 2 + 5 * usize::from(count));
    for (max_rows, expected) in
        [(-1, "DDDDC"), (i32::MIN, "DDDDC"), (i32::MAX, "DDDDC"), (4, "DDDDs"), (5, "DDDDC")]
    {
        let request = [parse("", "rows 4"), bind("", ""), execute("", max_rows), sync()].concat();
        assert_eq!(client.kinds(&request).await, format!("12{expected}Z"), "{max_rows}");
    }
}

#[tokio::test]
async fn long_statements_are_refused_and_the_connection_lives() {
    let house = House::with(Fake::new(), |options| options.max_statement_bytes = 1_000);
    let mut client = Raw::log_in(house.port).await;
    let long = format!("insert {}", "x".repeat(1_000));
    for request in [query(&long), [parse("", &long), sync()].concat()] {
        client.send(&request).await;
        let answers = client.answers().await;
        assert_eq!((kinds(&answers).as_str(), answers[0].field(b'C').as_deref()), ("EZ", Some("53400")));
    }
    // Parameters may be longer.
    let value = 5_000_u32.to_be_bytes();
    let body = [&b"\0\0\0\0\0\x01"[..], &value, "x".repeat(5_000).as_bytes(), b"\0\0"].concat();
    let request = [parse("", "echo text"), frame(b'B', &body), execute("", 0), sync()].concat();
    assert_eq!(client.kinds(&request).await, "12DCZ");
}

/// A connection that has had a large message is small again when it rests.
#[tokio::test]
async fn a_silent_connection_is_made_small() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    assert_eq!(client.kinds(&query(&format!("insert {}", "x".repeat(3 << 20)))).await, "CZ");
    let before = house.seen.get(|seen| &seen.rested);
    eventually("it rests", || house.seen.get(|seen| &seen.rested) > before).await;
    assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
}
