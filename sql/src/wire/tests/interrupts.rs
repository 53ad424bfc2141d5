//! Cancellation, timeouts, vanished and slow clients, shut-down.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use super::fake::Fake;
use super::raw::{Answer, Raw, bind, execute, kinds, packet, parse, query, sync};
use super::{House, PATIENCE, eventually};

const CANCEL_REQUEST: u32 = 80_877_102;

fn key(answers: &[Answer]) -> Vec<u8> {
    answers.iter().find(|answer| answer.kind == b'K').unwrap().body.clone()
}

async fn connect(house: &House, version: u32) -> (Raw, Vec<u8>) {
    let (client, answers) = Raw::log_in_as(house.port, version, "user\0analyst\0\0", "secret").await;
    let key = key(&answers);
    (client, key)
}

fn is_cancelled(answers: &[Answer], reason: &str) -> bool {
    answers.iter().any(|answer| {
        answer.field(b'C').as_deref() == Some("57014")
            && answer.field(b'M') == Some(format!("canceling statement due to {reason}"))
    })
}

#[tokio::test]
async fn a_cancel_request_stops_rows_in_the_middle() {
    let house = House::open();
    for version in [3 << 16, (3 << 16) | 2] {
        let (mut client, key) = connect(&house, version).await;
        for statement in ["hang", "stall", "endless"] {
            client.send(&query(statement)).await;
            if statement != "hang" {
                assert_eq!(client.receive().await.unwrap().kind, b'T');
                assert_eq!(client.receive().await.unwrap().kind, b'D');
            } else {
                sleep(Duration::from_millis(50)).await;
            }
            Raw::connect(house.port).await.send(&packet(CANCEL_REQUEST, &key)).await;
            let answers = timeout(PATIENCE, client.answers()).await.unwrap();
            assert!(is_cancelled(&answers, "user request"), "{statement}");
            assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
        }
        // With nothing running, or with a wrong secret, nothing happens.
        let mut wrong = key.clone();
        wrong[4] ^= 1;
        client.send(&query("stall")).await;
        assert_eq!(client.receive().await.unwrap().kind, b'T');
        Raw::connect(house.port).await.send(&packet(CANCEL_REQUEST, &wrong)).await;
        sleep(Duration::from_millis(50)).await;
        Raw::connect(house.port).await.send(&packet(CANCEL_REQUEST, &key)).await;
        assert_eq!(kinds(&client.answers().await), "DEZ");
        Raw::connect(house.port).await.send(&packet(CANCEL_REQUEST, &key)).await;
        sleep(Duration::from_millis(50)).await;
        assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
    }
}

/// One batch is larger than all buffers on the way: the cancellation comes between its rows.
#[tokio::test]
async fn a_cancel_request_reaches_into_a_large_batch() {
    let mut fake = Fake::new();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..2_000_000));
    fake.results.insert("huge".to_owned(), RecordBatch::try_from_iter([("n", numbers)]).unwrap());
    let house = House::with(fake, |_| ());
    let (mut client, key) = connect(&house, 3 << 16).await;
    client.send(&query("select huge")).await;
    assert_eq!(client.receive().await.unwrap().kind, b'T');
    sleep(Duration::from_millis(200)).await;
    Raw::connect(house.port).await.send(&packet(CANCEL_REQUEST, &key)).await;
    eventually("the stream is dropped", || house.seen.get(|seen| &seen.dropped) == 1).await;
    let answers = timeout(PATIENCE, client.answers()).await.unwrap();
    assert!(is_cancelled(&answers, "user request"));
    assert!((1..2_000_000).contains(&(answers.len() - 2)));
}

#[tokio::test]
async fn a_cancelled_portal_is_gone_and_the_next_one_works() {
    let house = House::open();
    let (mut client, key) = connect(&house, 3 << 16).await;
    client.send(&[parse("", "stall"), bind("", ""), execute("", 0), sync()].concat()).await;
    for expected in [b'1', b'2', b'D'] {
        assert_eq!(client.receive().await.unwrap().kind, expected);
    }
    Raw::connect(house.port).await.send(&packet(CANCEL_REQUEST, &key)).await;
    assert_eq!(kinds(&client.answers().await), "EZ");
    eventually("the stream is dropped", || house.seen.get(|seen| &seen.dropped) == 1).await;
    assert_eq!(client.kinds(&[bind("", ""), execute("", 1), sync()].concat()).await, "2DsZ");
}

#[tokio::test]
async fn statement_timeout_lasts_to_the_last_row() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    assert_eq!(client.kinds(&query("timeout 100")).await, "CZ");
    for statement in ["hang", "stall", "slow-plan"] {
        let begun = Instant::now();
        client.send(&query(statement)).await;
        let answers = timeout(PATIENCE, client.answers()).await.unwrap();
        assert!(is_cancelled(&answers, "statement timeout"), "{statement}");
        assert!(begun.elapsed() >= Duration::from_millis(100));
        client.send(&[parse("", statement), bind("", ""), execute("", 0), sync()].concat()).await;
        assert!(is_cancelled(&client.answers().await, "statement timeout"), "{statement}, extended");
    }
    // The producer is fast and the client slow: the limit holds while a write waits.
    client.send(&query("endless")).await;
    sleep(Duration::from_millis(300)).await;
    assert!(is_cancelled(&timeout(PATIENCE, client.answers()).await.unwrap(), "statement timeout"));
    assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
}

#[tokio::test]
async fn a_vanished_client_stops_its_statement() {
    let house = House::open();
    for (index, statement) in ["hang", "stall", "endless"].into_iter().enumerate() {
        let mut client = Raw::log_in(house.port).await;
        client.send(&query(statement)).await;
        eventually("it runs", || house.seen.get(|seen| &seen.executed) == index + 1).await;
        drop(client);
        eventually("it is dropped", || house.seen.get(|seen| &seen.dropped) == index + 1).await;
        eventually("the session ends", || house.seen.get(|seen| &seen.open_sessions) == 0).await;
    }
}

/// Three ways for a client to go while its statement runs: it closes the socket, only its own direction, or is reset.
#[tokio::test]
async fn closed_half_closed_and_reset_connections_are_noticed_within_a_second() {
    let house = House::open();
    for (index, way) in ["close", "half-close", "reset"].into_iter().enumerate() {
        let (mut client, _) = connect(&house, 3 << 16).await;
        // More may have been sent already.
        client.send(&[query("hang"), query("rows 1")].concat()).await;
        eventually("it runs", || house.seen.get(|seen| &seen.executed) == index + 1).await;
        let left_at = Instant::now();
        let _half_closed = match way {
            "half-close" => {
                client.stream.shutdown().await.unwrap();
                Some(client)
            }
            "reset" => {
                client.reset();
                None
            }
            _ => {
                drop(client);
                None
            }
        };
        eventually(way, || house.seen.get(|seen| &seen.dropped) == index + 1).await;
        eventually("the session ends", || house.seen.get(|seen| &seen.open_sessions) == 0).await;
        assert!(left_at.elapsed() < Duration::from_secs(1), "{way}: {:?}", left_at.elapsed());
    }
}

#[tokio::test]
async fn idle_connections_end_when_their_time_is_over() {
    let house = House::open();
    for (setting, begins, sqlstate) in [
        ("idle 200", "insert", "57P05"),
        ("idle-in-transaction 200", "begin", "25P03"),
        // A failed transaction is one too.
        ("idle-in-transaction 200", "begin; fail", "25P03"),
    ] {
        let mut client = Raw::log_in(house.port).await;
        client.send(&[query(setting), query(begins)].concat()).await;
        let begun = Instant::now();
        client.answers().await;
        client.answers().await;
        let last = timeout(PATIENCE, client.receive()).await.unwrap().unwrap();
        assert_eq!(
            (last.field(b'S').as_deref(), last.field(b'C').as_deref()),
            (Some("FATAL"), Some(sqlstate))
        );
        assert!(begun.elapsed() >= Duration::from_millis(200), "{setting}");
        assert!(client.receive().await.is_none());
    }
    // Not while a statement runs, and each limit only in its own state.
    let mut client = Raw::log_in(house.port).await;
    client.send(&[query("idle-in-transaction 100"), query("timeout 400"), query("hang")].concat()).await;
    client.answers().await;
    client.answers().await;
    assert!(is_cancelled(&client.answers().await, "statement timeout"));
    sleep(Duration::from_millis(300)).await;
    assert_eq!(client.kinds(&query("rows 1")).await, "TDCZ");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_start_ups() {
    let house = House::with(Fake::new(), |options| options.shutdown_grace = PATIENCE);
    let _silent = Raw::connect(house.port).await;
    let mut halfway = Raw::connect(house.port).await;
    halfway.send(&packet(3 << 16, b"user\0analyst\0\0")).await;
    assert_eq!(halfway.receive().await.unwrap().kind, b'R');
    let begun = Instant::now();
    house.shutdown.cancel();
    assert_eq!(halfway.receive().await.unwrap().field(b'C').as_deref(), Some("57P01"));
    timeout(PATIENCE, house.serving).await.unwrap().unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_slow_reader_holds_the_producer_back() {
    let house = House::open();
    for (index, request) in
        [query("endless"), [parse("", "endless"), bind("", ""), execute("", 0), sync()].concat()]
            .iter()
            .enumerate()
    {
        let mut client = Raw::log_in(house.port).await;
        client.send(request).await;
        let mut before = usize::MAX;
        // Until the sockets' own buffers are full.
        while before != house.seen.get(|seen| &seen.batches) {
            before = house.seen.get(|seen| &seen.batches);
            sleep(Duration::from_millis(200)).await;
        }
        // 30 kB a batch: the kernel's buffers and one flush, not an endless result.
        assert!((1..1_000).contains(&before), "{before} batches");
        while !matches!(client.receive().await, Some(Answer { kind: b'D', .. })) {}
        drop(client);
        eventually("it is dropped", || house.seen.get(|seen| &seen.dropped) == index + 1).await;
        house.seen.batches.store(0, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn shutdown_lets_go_of_idle_and_then_of_busy_connections() {
    let house = House::open();
    let mut idle = Raw::log_in(house.port).await;
    let mut busy = Raw::log_in(house.port).await;
    busy.send(&query("hang")).await;
    eventually("it runs", || house.seen.get(|seen| &seen.executed) == 1).await;
    house.shutdown.cancel();
    let last = idle.receive().await.unwrap();
    assert_eq!(
        (last.kind, last.field(b'S'), last.field(b'C')),
        (b'E', Some("FATAL".into()), Some("57P01".into()))
    );
    assert_eq!(busy.receive().await.unwrap().field(b'C').as_deref(), Some("57P01"));
    assert!(idle.receive().await.is_none() && busy.receive().await.is_none());
    timeout(PATIENCE, house.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn processes_can_be_cancelled_and_terminated_by_id() {
    let fake = Fake::new();
    let processes = fake.processes.clone();
    let house = House::with(fake, |_| ());
    let (mut client, key) = connect(&house, 3 << 16).await;
    let process_id = i32::from_be_bytes(key[..4].try_into().unwrap());
    client.send(&query("pid")).await;
    assert!(client.answers().await[1].text().ends_with(&process_id.to_string()));
    client.send(&query("hang")).await;
    eventually("it runs", || house.seen.get(|seen| &seen.executed) == 2).await;
    assert!(processes.cancel(process_id));
    assert!(is_cancelled(&client.answers().await, "user request"));
    assert!(processes.terminate(process_id));
    assert_eq!(client.receive().await.unwrap().field(b'C').as_deref(), Some("57P01"));
    eventually("it has left", || !processes.cancel(process_id)).await;
}

#[tokio::test]
async fn a_panic_ends_one_connection_only() {
    let house = House::open();
    let mut other = Raw::log_in(house.port).await;
    let mut client = Raw::log_in(house.port).await;
    assert_eq!(client.kinds(&query("panic")).await, "");
    assert_eq!(other.kinds(&query("rows 1")).await, "TDCZ");
    Raw::log_in(house.port).await;
}
