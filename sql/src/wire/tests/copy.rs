//! COPY in both directions and both protocols, message by message.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::raw::{Raw, bind, execute, frame, kinds, parse, query, sync};
use super::{House, eventually};

fn data(text: &str) -> Vec<u8> {
    frame(b'd', text.as_bytes())
}

fn done() -> Vec<u8> {
    frame(b'c', &[])
}

fn fail(reason: &str) -> Vec<u8> {
    frame(b'f', format!("{reason}\0").as_bytes())
}

/// Sends a COPY and waits until the server asks for data.
async fn begin(client: &mut Raw, bytes: &[u8], before: &str) {
    client.send(bytes).await;
    let mut seen = String::new();
    while !seen.ends_with('G') {
        seen.push(char::from(client.receive().await.unwrap().kind));
    }
    assert_eq!(seen, format!("{before}G"));
}

#[tokio::test]
async fn rows_leave_as_one_message_each() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&query("copy-out 4; insert")).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "HddddcCCZ");
    assert_eq!(answers[0].body, [0, 0, 1, 0, 0]);
    assert_eq!(answers[1].body, b"1\n");
    assert_eq!(answers[6].text(), "COPY 4");
    let bytes = [parse("", "copy-out 2"), bind("", ""), frame(b'D', b"P\0"), execute("", 1), sync()].concat();
    assert_eq!(client.kinds(&bytes).await, "12nHddcCZ");
}

#[tokio::test]
async fn rows_come_in_however_they_are_cut() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    begin(&mut client, &query("insert; copy-in; insert"), "C").await;
    for part in ["1\n2", "2\n", "", "33\n", "4"] {
        client.send(&data(part)).await;
    }
    // Flush and Sync mean nothing between.
    client.send(&[frame(b'H', &[]), sync(), done()].concat()).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "CCZ");
    assert_eq!(answers[0].text(), "COPY 4");
    assert_eq!(house.seen.get(|seen| &seen.copied), 4);
}

#[tokio::test]
async fn the_extended_protocol_takes_data_before_or_after_sync() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let begun = [parse("", "copy-in"), bind("", ""), execute("", 0)].concat();
    // As libpq does: Sync at once, and another one behind the data.
    begin(&mut client, &[begun.clone(), sync()].concat(), "12").await;
    client.send(&[data("1\n"), done(), sync()].concat()).await;
    assert_eq!(kinds(&client.answers().await), "CZ");
    // As pgjdbc and tokio-postgres do: Sync behind the data.
    begin(&mut client, &begun, "12").await;
    client.send(&[data("1\n"), done(), sync()].concat()).await;
    assert_eq!(kinds(&client.answers().await), "CZ");
    begin(&mut client, &begun, "12").await;
    client.send(&[data("1\n"), fail("no more"), sync()].concat()).await;
    assert_eq!(kinds(&client.answers().await), "EZ");
    // A portal that has run does not run again.
    begin(&mut client, &begun, "12").await;
    client.send(&[done(), execute("", 0), sync()].concat()).await;
    assert_eq!(kinds(&client.answers().await), "CEZ");
    assert_eq!(house.seen.get(|seen| &seen.copied), 2);
}

#[tokio::test]
async fn a_client_that_fails_leaves_nothing() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    begin(&mut client, &query("copy-in; insert"), "").await;
    client.send(&[data("1\n2\n"), fail("disk on fire")].concat()).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "EZ");
    for (code, expected) in
        [(b'C', "57014"), (b'M', "COPY from stdin failed: disk on fire"), (b'W', "COPY t, line 3")]
    {
        assert_eq!(answers[0].field(code).as_deref(), Some(expected));
    }
    // One that disappears, too.
    begin(&mut client, &query("copy-in"), "").await;
    client.send(&data("1\n")).await;
    client.stream.shutdown().await.unwrap();
    drop(client);
    eventually("the session ends", || house.seen.get(|seen| &seen.open_sessions) == 0).await;
    assert_eq!(house.seen.get(|seen| &seen.copied), 0);
}

#[tokio::test]
async fn a_bad_line_is_told_at_once_and_the_rest_is_read_over() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    begin(&mut client, &query("copy-in; insert"), "").await;
    client.send(&data("1\nx\n")).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "EZ");
    assert_eq!(answers[0].field(b'C').as_deref(), Some("22P02"));
    assert_eq!(answers[0].field(b'W').as_deref(), Some("COPY t, line 2, column n: \"x\""));
    client.send(&[data("3\n"), data("4\n"), done(), query("insert")].concat()).await;
    assert_eq!(kinds(&client.answers().await), "CZ");
    // In the extended protocol up to Sync.
    let begun = [parse("", "copy-in"), bind("", ""), execute("", 0)].concat();
    begin(&mut client, &begun, "12").await;
    client.send(&[data("x\n"), data("1\n"), done(), sync(), query("insert")].concat()).await;
    assert_eq!(kinds(&client.answers().await), "EZ");
    assert_eq!(kinds(&client.answers().await), "CZ");
    assert_eq!(house.seen.get(|seen| &seen.copied), 0);
}

#[tokio::test]
async fn a_row_that_the_session_refuses_is_shown() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    begin(&mut client, &query("copy-in picky"), "").await;
    client.send(&[data(" 7\n8\n"), done()].concat()).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "EZ");
    assert_eq!(answers[0].field(b'C').as_deref(), Some("23514"));
    assert_eq!(answers[0].field(b'W').as_deref(), Some("COPY t, line 1: \" 7\""));
}

#[tokio::test]
async fn a_statement_in_the_middle_of_data_ends_the_connection() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    begin(&mut client, &query("copy-in"), "").await;
    client.send(&[data("1\n"), query("insert")].concat()).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "E");
    assert_eq!(answers[0].field(b'C').as_deref(), Some("08P01"));
    assert_eq!(
        answers[0].field(b'M').as_deref(),
        Some("unexpected message type 0x51 during COPY from stdin")
    );
    assert_eq!(house.seen.get(|seen| &seen.copied), 0);
}

#[tokio::test]
async fn a_timeout_ends_the_wait_for_data_and_a_slow_writer() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    assert_eq!(client.kinds(&query("timeout 200")).await, "CZ");
    for statement in ["copy-in", "copy-in slow"] {
        begin(&mut client, &query(statement), "").await;
        client.send(&data("1\n")).await;
        if statement == "copy-in slow" {
            client.send(&done()).await;
        }
        let answers = client.answers().await;
        assert_eq!(kinds(&answers), "EZ");
        assert_eq!(answers[0].field(b'C').as_deref(), Some("57014"));
    }
    assert_eq!(house.seen.get(|seen| &seen.copied), 0);
}

#[tokio::test]
async fn a_client_that_sends_faster_than_rows_are_written_waits() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    begin(&mut client, &query("copy-in slow"), "").await;
    let part = data(&"1234567\n".repeat(8_192));
    let sending = async {
        let mut sent = 0_usize;
        loop {
            client.stream.write_all(&part).await.unwrap();
            sent += 1;
            if sent > 2_000 {
                return sent;
            }
        }
    };
    // 128 MB would go through in this time, if somebody took them.
    let outcome = tokio::time::timeout(Duration::from_secs(2), sending).await;
    assert!(outcome.is_err(), "the server took everything");
}
