//! Bytes that no client should send. Each must be answered or hung up on; the server must live.

use std::time::Duration;

use tokio::time::timeout;

use super::fake::Fake;
use super::raw::{Raw, bind, execute, frame, kinds, packet, parse, query, sync};
use super::{House, PATIENCE, eventually};

#[tokio::test]
async fn garbage_before_login() {
    let house = House::with(Fake::new(), |options| options.startup_timeout = Duration::from_millis(300));
    let hello = packet(3 << 16, b"user\0analyst\0\0");
    for bytes in [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        vec![0; 64],
        vec![255; 64],
        vec![0, 0, 0, 8],
        vec![0, 0, 0, 7, 0, 3, 0],
        vec![0x7f, 255, 255, 255, 0, 3, 0, 0],
        packet(80_877_102, &[]),
        packet(80_877_102, &[1, 2]),
        packet(80_877_102, &[0; 300]),
        packet(2 << 16, b"user\0x\0\0"),
        packet(3 << 16, b""),
        packet(3 << 16, b"user"),
        packet(3 << 16, b"user\0analyst\0"),
        packet(3 << 16, b"user\0\xff\xfe\0\0"),
        packet(3 << 16, b"database\0x\0\0"),
        packet(3 << 16, b"user\0analyst\0replication\0true\0\0"),
        [hello.clone(), frame(b'p', b"")].concat(),
        [hello.clone(), frame(b'p', b"SCRAM-SHA-256-PLUS\0\0\0\0\x01n")].concat(),
        [hello.clone(), frame(b'p', b"SCRAM-SHA-256\0\x7f\xff\xff\xff")].concat(),
        [hello.clone(), frame(b'p', b"SCRAM-SHA-256\0\xff\xff\xff\xff")].concat(),
        [hello.clone(), frame(b'p', b"SCRAM-SHA-256\0\0\0\0\x03\xff\xff\xff")].concat(),
        [hello.clone(), query("rows 1")].concat(),
        [hello.clone(), vec![b'p', 0, 16, 0, 0]].concat(),
        [hello, vec![b'p', 255, 255, 255, 255]].concat(),
    ] {
        let mut client = Raw::connect(house.port).await;
        client.send(&bytes).await;
        let answers = timeout(PATIENCE, client.answers()).await.expect("the connection ends");
        assert!(!kinds(&answers).contains(['Z', 'K', 'S']), "{bytes:?}: {answers:?}");
    }
    assert_eq!(house.seen.get(|seen| &seen.open_sessions), 0);
    Raw::log_in(house.port).await;
}

#[tokio::test]
async fn malformed_frames_after_login() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    let rows = parse("r", "echo int4 int4");
    assert_eq!(client.kinds(&[rows, sync()].concat()).await, "1Z");
    for (bytes, sqlstate) in [
        (frame(b'Q', b""), "08P01"),
        (frame(b'Q', b"no end"), "08P01"),
        (frame(b'Q', b"two\0ends\0"), "08P01"),
        (frame(b'Q', b"\xff\0"), "22021"),
        (frame(b'P', b"a\0b\0"), "08P01"),
        (frame(b'P', b"a\0b\0\xff\xff"), "08P01"),
        (frame(b'B', b"\0r\0"), "08P01"),
        (frame(b'B', b"\0r\0\xff\xff"), "08P01"),
        (frame(b'B', b"\0r\0\0\0\0\x01\x7f\xff\xff\xff"), "08P01"),
        (frame(b'B', b"\0r\0\0\0\0\x01\xff\xff\xff\xfe"), "08P01"),
        // One parameter instead of two; three formats for two; a format that does not exist.
        (frame(b'B', b"\0r\0\0\0\0\x01\xff\xff\xff\xff\0\0"), "08P01"),
        (frame(b'B', b"\0r\0\0\x03\0\0\0\0\0\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff\0\0"), "08P01"),
        (frame(b'B', b"\0r\0\0\x01\0\x07\0\x02\xff\xff\xff\xff\xff\xff\xff\xff\0\0"), "22023"),
        (frame(b'B', b"\0r\0\0\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff\0\x03\0\0\0\0\0\0"), "08P01"),
        // Three bytes for a binary int4; text that is not UTF-8.
        (frame(b'B', b"\0r\0\0\x01\0\x01\0\x02\0\0\0\x03abc\xff\xff\xff\xff\0\0"), "08P01"),
        (frame(b'B', b"\0r\0\0\0\0\x02\0\0\0\x01\xff\xff\xff\xff\xff\0\0"), "22021"),
        (frame(b'D', b"X\0"), "08P01"),
        (frame(b'D', b""), "08P01"),
        (frame(b'E', b"\0\0\0"), "08P01"),
        (frame(b'C', b"S"), "08P01"),
        (frame(b'H', b"x"), "08P01"),
        (frame(b'F', b"whatever"), "0A000"),
    ] {
        client.send(&bytes).await;
        if !matches!(bytes[0], b'Q' | b'F') {
            client.send(&sync()).await;
        }
        let answers = timeout(PATIENCE, client.answers()).await.expect("an answer");
        assert_eq!(kinds(&answers), "EZ", "{bytes:?}");
        assert_eq!(answers[0].field(b'C').as_deref(), Some(sqlstate), "{bytes:?}");
    }
    assert_eq!(
        client.kinds(&[frame(b'd', b"stray"), frame(b'c', b""), query("rows 1")].concat()).await,
        "TDCZ"
    );
}

#[tokio::test]
async fn formats_may_be_none_one_or_all() {
    let house = House::open();
    let mut client = Raw::log_in(house.port).await;
    assert_eq!(client.kinds(&[parse("r", "echo int4 int4"), sync()].concat()).await, "1Z");
    for (formats, values) in [
        (&b"\0\0"[..], &b"\0\x02\0\0\0\x017\0\0\0\x018"[..]),
        (b"\0\x01\0\0", b"\0\x02\0\0\0\x017\0\0\0\x018"),
        (b"\0\x01\0\x01", b"\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x04\0\0\0\x08"),
        (b"\0\x02\0\0\0\x01", b"\0\x02\0\0\0\x017\0\0\0\x04\0\0\0\x08"),
    ] {
        for (result_formats, expected) in [
            (&b"\0\0"[..], &b"\0\x02\0\0\0\x017\0\0\0\x018"[..]),
            (b"\0\x01\0\x01", b"\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x04\0\0\0\x08"),
            (b"\0\x02\0\x01\0\0", b"\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x018"),
        ] {
            let body = [&b"\0r\0"[..], formats, values, result_formats].concat();
            client.send(&[frame(b'B', &body), execute("", 0), sync()].concat()).await;
            let answers = client.answers().await;
            assert_eq!(kinds(&answers), "2DCZ");
            assert_eq!(answers[1].body, expected);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_trusted_ends_the_connection() {
    let house = House::with(Fake::new(), |options| options.max_message_bytes = 1 << 20);
    for (bytes, sqlstate) in [
        (vec![b'?', 0, 0, 0, 4], "08P01"),
        (vec![b'Q', 0, 0, 0, 3], "08P01"),
        (vec![b'Q', 0, 0, 0, 0], "08P01"),
        (vec![b'Q', 255, 255, 255, 255], "08P01"),
        (vec![b'Q', 0x7f, 255, 255, 255], "53400"),
        (vec![b'B', 0, 32, 0, 0], "53400"),
    ] {
        let mut client = Raw::log_in(house.port).await;
        client.send(&bytes).await;
        let answers = timeout(PATIENCE, client.answers()).await.expect("the connection ends");
        assert_eq!(kinds(&answers), "E", "{bytes:?}");
        assert_eq!(answers[0].field(b'C').as_deref(), Some(sqlstate), "{bytes:?}");
        assert_eq!(answers[0].field(b'S').as_deref(), Some("FATAL"));
    }
    let mut client = Raw::log_in(house.port).await;
    let long = format!("insert {}", "x".repeat(900_000));
    assert_eq!(client.kinds(&query(&long)).await, "CZ");
}

/// Every prefix of a valid conversation, then silence.
#[tokio::test]
async fn truncated_conversations_end_quietly() {
    let house = House::open();
    let talk = [parse("a", "echo int4"), bind("", "a"), execute("", 1), sync(), query("rows 3")].concat();
    for end in (0..talk.len()).step_by(3) {
        let mut client = Raw::log_in(house.port).await;
        client.send(&talk[..end]).await;
    }
    eventually("all sessions end", || house.seen.get(|seen| &seen.open_sessions) == 0).await;
    Raw::log_in(house.port).await;
}
