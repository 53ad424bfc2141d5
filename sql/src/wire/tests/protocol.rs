//! The order and kind of messages.

use super::House;
use super::raw::{Raw, bind, execute, frame, kinds, parse, query, sync};

fn describe(target: u8, name: &str) -> Vec<u8> {
    frame(b'D', &[&[target], name.as_bytes(), &[0]].concat())
}

fn close(target: u8, name: &str) -> Vec<u8> {
    frame(b'C', &[&[target], name.as_bytes(), &[0]].concat())
}

#[tokio::test]
async fn a_query_string_is_answered_statement_by_statement() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    assert_eq!(client.kinds(&query("")).await, "IZ");
    assert_eq!(client.kinds(&query(" ; ")).await, "IZ");
    assert_eq!(client.kinds(&query("nothing")).await, "IZ");
    assert_eq!(client.kinds(&query("insert; rows 4; rows 0")).await, "CTDDDDCTCZ");
    client.send(&query("insert; fail; insert")).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "CEZ");
    assert_eq!(answers[1].field(b'C').as_deref(), Some("42P01"));
    assert_eq!(house.seen.get(|seen| &seen.executed), 6);
    client.send(&query("rows 5")).await;
    let answers = client.answers().await;
    assert_eq!(answers[6].text(), "SELECT 5");
    // Every query string has ended its implicit transaction, the failed one too.
    assert_eq!(house.seen.get(|seen| &seen.synced), 4);
}

#[tokio::test]
async fn statements_that_arrive_together_are_told_so() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let told = || std::mem::take(&mut *house.seen.company.lock());
    client.kinds(&query("insert")).await;
    client.kinds(&query("insert; insert")).await;
    assert_eq!(told(), [false, true, true]);
    let run = || [bind("", ""), execute("", 0)].concat();
    client.send(&[parse("", "insert"), run(), sync()].concat()).await;
    client.answers().await;
    client.send(&[parse("", "insert"), run(), run(), sync()].concat()).await;
    client.answers().await;
    // A Flush: more may follow before Sync.
    client.send(&[parse("", "insert"), run(), frame(b'H', &[])].concat()).await;
    client.send(&sync()).await;
    client.answers().await;
    assert_eq!(told(), [false, true, false, true]);
}

#[tokio::test]
async fn errors_carry_their_fields() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&query("§")).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "EZ");
    for (code, expected) in
        [(b'S', "ERROR"), (b'V', "ERROR"), (b'C', "42601"), (b'H', "Do not."), (b'P', "1")]
    {
        assert_eq!(answers[0].field(code).as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn parameter_changes_and_notices_are_told() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&query("set psql")).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "NCSZ");
    assert_eq!(answers[0].field(b'M').as_deref(), Some("noted"));
    assert_eq!(answers[2].text(), "application_name\0psql");
}

#[tokio::test]
async fn an_unsendable_column_is_refused_before_any_row() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&query("unsupported")).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "EZ");
    assert_eq!(answers[0].field(b'C').as_deref(), Some("0A000"));
    assert!(answers[0].field(b'M').unwrap().contains("\"odd\""));
    assert_eq!(client.kinds(&[parse("", "unsupported"), sync()].concat()).await, "EZ");
}

/// `(rows in all, max_rows, answers to three Executes)`.
#[tokio::test]
async fn max_rows_suspends_and_goes_on() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    for (rows, max_rows, expected) in [
        (7, 6, ["DDDDDDs", "DC", "C"]),
        (7, 7, ["DDDDDDDs", "C", "C"]),
        (7, 8, ["DDDDDDDC", "C", "C"]),
        (6, 3, ["DDDs", "DDDs", "C"]),
        (7, 0, ["DDDDDDDC", "C", "C"]),
        (7, -1, ["DDDDDDDC", "C", "C"]),
        (7, i32::MIN, ["DDDDDDDC", "C", "C"]),
        (7, i32::MAX, ["DDDDDDDC", "C", "C"]),
        (0, 1, ["C", "C", "C"]),
    ] {
        let turn = execute("", max_rows);
        let bytes = [parse("", &format!("rows {rows}")), bind("", ""), turn.repeat(3), sync()].concat();
        assert_eq!(
            client.kinds(&bytes).await,
            format!("12{}Z", expected.concat()),
            "{rows} rows by {max_rows}"
        );
    }
    client.send(&[parse("", "rows 4"), bind("", ""), execute("", 3), execute("", 3), sync()].concat()).await;
    let tags: Vec<_> = client
        .answers()
        .await
        .iter()
        .filter(|answer| answer.kind == b'C')
        .map(|answer| answer.text())
        .collect();
    assert_eq!(tags, ["SELECT 1"]);
}

/// node's cursors wait for the answer to Flush and send Sync behind an error only.
#[tokio::test]
async fn an_error_is_told_without_a_sync() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&parse("", "§")).await;
    let answer = client.receive().await.unwrap();
    assert_eq!((answer.kind, answer.field(b'C').as_deref()), (b'E', Some("42601")));
    assert_eq!(client.kinds(&sync()).await, "Z");
}

#[tokio::test]
async fn describe_tells_parameters_columns_and_their_absence() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let bytes = [parse("s", "echo int4 varchar(20) uuid"), describe(b'S', "s"), sync()].concat();
    client.send(&bytes).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "1tTZ");
    assert_eq!(answers[1].body, [0, 3, 0, 0, 0, 23, 0, 0, 4, 19, 0, 0, 11, 134]);
    // c1: varchar with the modifier 20 + 4.
    let c1 = answers[2].body.windows(3).position(|bytes| bytes == b"c1\0").unwrap();
    assert_eq!(answers[2].body[c1 + 9..c1 + 19], [0, 0, 4, 19, 255, 255, 0, 0, 0, 24]);
    let bytes =
        [parse("i", "insert"), describe(b'S', "i"), bind("p", "i"), describe(b'P', "p"), sync()].concat();
    assert_eq!(client.kinds(&bytes).await, "1tn2nZ");
    let empty = [parse("", ""), describe(b'S', ""), bind("", ""), describe(b'P', ""), execute("", 0), sync()]
        .concat();
    assert_eq!(client.kinds(&empty).await, "1tn2nIZ");
}

#[tokio::test]
async fn a_statement_without_rows_runs_once() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&[parse("", "insert"), bind("", ""), execute("", 0), execute("", 0), sync()].concat()).await;
    let answers = client.answers().await;
    assert_eq!(kinds(&answers), "12CEZ");
    assert_eq!(answers[3].field(b'C').as_deref(), Some("55000"));
    assert_eq!(house.seen.get(|seen| &seen.executed), 1);
}

#[tokio::test]
async fn after_an_error_everything_up_to_sync_is_ignored() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let bytes =
        [parse("", "fail"), bind("", ""), execute("", 0), parse("x", "insert"), query("insert"), sync()]
            .concat();
    assert_eq!(client.kinds(&bytes).await, "12EZ");
    assert_eq!(client.kinds(&query("insert")).await, "CZ");
    // A stream that fails between its rows: what was computed has been sent.
    let bytes = [parse("", "broken"), bind("", ""), execute("", 0), execute("", 0), sync()].concat();
    assert_eq!(client.kinds(&bytes).await, "12DEZ");
}

#[tokio::test]
async fn names_live_as_long_as_postgres_lets_them() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    for (bytes, expected, sqlstate) in [
        ([parse("s", "rows 3"), sync()].concat(), "1Z", None),
        ([parse("s", "rows 3"), sync()].concat(), "EZ", Some("42P05")),
        ([bind("", "unknown"), sync()].concat(), "EZ", Some("26000")),
        ([bind("", ""), sync()].concat(), "EZ", Some("26000")),
        ([execute("unknown", 0), sync()].concat(), "EZ", Some("34000")),
        ([describe(b'P', "unknown"), sync()].concat(), "EZ", Some("34000")),
        ([describe(b'S', "unknown"), sync()].concat(), "EZ", Some("26000")),
        ([close(b'S', "unknown"), close(b'P', "unknown"), sync()].concat(), "33Z", None),
        ([bind("p", "s"), bind("p", "s"), sync()].concat(), "2EZ", Some("42P03")),
        // The portal has died with the Sync.
        ([execute("p", 0), sync()].concat(), "EZ", Some("34000")),
        ([bind("p", "s"), close(b'P', "p"), execute("p", 0), sync()].concat(), "23EZ", Some("34000")),
        // In a transaction it lives on, and dies with it.
        (query("begin"), "CZ", None),
        ([bind("p", "s"), execute("p", 2), sync()].concat(), "2DDsZ", None),
        ([execute("p", 2), sync()].concat(), "DCZ", None),
        (query("commit"), "CZ", None),
        ([execute("p", 2), sync()].concat(), "EZ", Some("34000")),
        ([close(b'S', "s"), bind("", "s"), sync()].concat(), "3EZ", Some("26000")),
        ([parse("", "insert; insert"), sync()].concat(), "EZ", Some("42601")),
    ] {
        client.send(&bytes).await;
        let answers = client.answers().await;
        assert_eq!(kinds(&answers), expected);
        let error = answers.iter().find(|answer| answer.kind == b'E').and_then(|answer| answer.field(b'C'));
        assert_eq!(error.as_deref(), sqlstate);
    }
}

#[tokio::test]
async fn a_failed_transaction_shows_in_ready_for_query() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    for (sql, status) in [("begin", b'T'), ("fail", b'E'), ("commit", b'I')] {
        client.send(&query(sql)).await;
        assert_eq!(client.answers().await.last().unwrap().body, [status]);
    }
    // A message that the wire refuses fails the transaction too.
    client.send(&query("begin")).await;
    client.answers().await;
    client.send(&[bind("", "unknown"), sync()].concat()).await;
    assert_eq!(client.answers().await.last().unwrap().body, [b'E']);
}

#[tokio::test]
async fn flush_answers_without_ready_for_query() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    client.send(&[parse("", "rows 1"), bind("", ""), execute("", 0), frame(b'H', &[])].concat()).await;
    let mut seen = String::new();
    while seen.len() < 4 {
        seen.push(char::from(client.receive().await.unwrap().kind));
    }
    assert_eq!(seen, "12DC");
    assert_eq!(client.kinds(&sync()).await, "Z");
}

#[tokio::test]
async fn pipelined_messages_keep_their_order() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let one = [parse("", "rows 2"), bind("", ""), execute("", 0), sync()].concat();
    client.send(&[one.repeat(500), query("rows 1")].concat()).await;
    for _ in 0..500 {
        assert_eq!(kinds(&client.answers().await), "12DDCZ");
    }
    assert_eq!(kinds(&client.answers().await), "TDCZ");
}
