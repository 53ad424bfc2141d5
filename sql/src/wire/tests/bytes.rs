//! Bytes that began as a conversation and were then damaged. Whatever comes, the server answers in whole messages or
//! hangs up, and lives.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::fake::Fake;
use super::raw::{Raw, bind, execute, frame, packet, parse, query, sync};
use super::{House, PATIENCE, fuzz_cases};

/// Numbers at which lengths and counts go wrong.
const EDGES: [[u8; 4]; 8] = [
    [0, 0, 0, 0],
    [0, 0, 0, 3],
    [0, 0, 0, 4],
    [0x7f, 0xff, 0xff, 0xff],
    [0x80, 0, 0, 0],
    [0xff, 0xff, 0xff, 0xff],
    [0xff, 0xff, 0xff, 0xfe],
    [0, 0x10, 0, 0],
];

fn greeting() -> Vec<u8> {
    let hello = packet(3 << 16, b"user\0analyst\0application_name\0fuzz\0options\0-c a=b\0\0");
    let first = b"n,,n=,r=clientnonce";
    let initial = [b"SCRAM-SHA-256\0", &(first.len() as u32).to_be_bytes()[..], first].concat();
    let last = b"c=biws,r=clientnonce,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    [packet(80_877_104, &[]), packet(80_877_103, &[]), hello, frame(b'p', &initial), frame(b'p', last)]
        .concat()
}

fn conversation(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let with_parameters = [
        parse("p", "echo int4 text timestamptz numeric int4[] interval uuid bytea"),
        frame(b'D', b"Sp\0"),
        frame(
            b'B',
            b"\0p\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\x017\0\0\0\x02ab\0\0\0\x0a2026-01-02\
              \0\0\0\x041e99\0\0\0\x05{1,2}\0\0\0\x051 day\xff\xff\xff\xff\0\0\0\x03\\xA\0\x01\0\x01",
        ),
        frame(
            b'B',
            b"\0p\0\0\x01\0\x01\0\x08\0\0\0\x04\0\0\0\x07\0\0\0\x02ab\0\0\0\x08\x7f\xff\xff\xff\xff\xff\xff\xff\
              \0\0\0\x0a\0\x01\xff\xff\0\0\0\0\0\x09\0\0\0\x14\0\0\0\x01\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\x01\
              \0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\
              \0\0\0\x01a\0\x01\0\x01",
        ),
        frame(b'D', b"P\0"),
        execute("", 0),
        sync(),
    ]
    .concat();
    let parts = [
        query("rows 3"),
        query("rows 2; insert; fail; rows 1"),
        with_parameters,
        [parse("", "rows 5"), bind("", ""), execute("", 2), execute("", i32::MAX), sync()].concat(),
        [query("begin"), parse("a", "rows 9"), bind("c", "a"), execute("c", 1), frame(b'C', b"Pc\0"), sync()]
            .concat(),
        [frame(b'd', b"stray"), frame(b'c', b""), frame(b'f', b"no\0"), frame(b'F', b"\0\0\0\x01")].concat(),
        [frame(b'H', b""), frame(b'X', b"")].concat(),
    ];
    (0..rng.random_range(1..5)).flat_map(|_| parts.choose(rng).unwrap().clone()).collect()
}

fn damage(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    for _ in 0..rng.random_range(1..6) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        let end = (at + rng.random_range(1..40)).min(bytes.len());
        match rng.random_range(0..7) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            5 => {
                let edge = EDGES.choose(rng).unwrap();
                let end = (at + 4).min(bytes.len());
                bytes.splice(at..end, edge.iter().copied());
            }
            _ => {
                let noise: Vec<u8> = (0..rng.random_range(1..30)).map(|_| rng.random()).collect();
                bytes.splice(at..at, noise);
            }
        }
    }
}

/// Sends, says that nothing follows, and reads to the end.
async fn exchange(client: Raw, bytes: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = tokio::io::split(client.stream);
    let sending = async {
        // The server may have hung up already.
        let _ = write.write_all(bytes).await;
        let _ = write.shutdown().await;
    };
    let mut answer = Vec::new();
    let reading = async {
        let _ = read.read_to_end(&mut answer).await;
    };
    let both = async { tokio::join!(sending, reading) };
    timeout(PATIENCE, both).await.expect("the connection ends");
    answer
}

/// Whether bytes are whole messages that a server sends.
fn are_messages(mut bytes: &[u8]) -> bool {
    while let Some((&kind, rest)) = bytes.split_first() {
        let Some(length) = rest.first_chunk().map(|length| u32::from_be_bytes(*length) as usize) else {
            return false;
        };
        if !b"RSKZETDCINstnv123".contains(&kind) || length < 4 || rest.len() < length {
            return false;
        }
        bytes = &rest[length..];
    }
    true
}

#[tokio::test]
async fn damaged_conversations() {
    let house = House::with(Fake::new(), |options| options.max_message_bytes = 1 << 20);
    let (cases, first) = fuzz_cases(400);
    let mut client = None;
    for seed in first..first + cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let logged_in = client.take().unwrap_or(Raw::log_in(house.port).await);
        let mut bytes = conversation(&mut rng);
        damage(&mut bytes, &mut rng);
        let answer = exchange(logged_in, &bytes).await;
        assert!(are_messages(&answer), "seed {seed}: {bytes:?}\n{answer:?}");
        assert_eq!(house.panics.load(Ordering::Relaxed), 0, "seed {seed}: {bytes:?}");
        // The next case shows that the server lives.
        client = Some(Raw::log_in(house.port).await);
    }
}

#[tokio::test]
async fn damaged_greetings() {
    let house = House::with(Fake::new(), |options| options.startup_timeout = Duration::from_secs(10));
    let (cases, first) = fuzz_cases(400);
    for seed in first..first + cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = greeting();
        damage(&mut bytes, &mut rng);
        let answer = exchange(Raw::connect(house.port).await, &bytes).await;
        // Refusals of encryption are bare letters.
        let letters = answer.iter().take_while(|byte| **byte == b'N').count();
        let (_, messages) = answer.split_at(letters.min(2));
        assert!(are_messages(messages), "seed {seed}: {bytes:?}\n{answer:?}");
        assert_eq!(house.panics.load(Ordering::Relaxed), 0, "seed {seed}: {bytes:?}");
    }
    Raw::log_in(house.port).await;
}
