//! Random messages in random order, against a model of what the protocol promises: which answers, in which
//! order, with one ReadyForQuery for each query string and each Sync, and nothing between an error and the Sync.

use std::collections::HashMap;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::timeout;

use super::raw::{Raw, bind, execute, frame, parse, query, sync};
use super::{House, PATIENCE, fuzz_cases};

const MESSAGES: usize = 120;
const NAMES: [&str; 3] = ["", "a", "b"];
const STATEMENTS: [&str; 12] = [
    "rows 0", "rows 1", "rows 4", "rows 7", "insert", "nothing", "begin", "commit", "fail", "broken", "", "§",
];

#[derive(Debug, Clone)]
enum Message {
    Query(Vec<&'static str>),
    Parse(&'static str, Vec<&'static str>),
    Bind(&'static str, &'static str),
    Describe(u8, &'static str),
    Execute(&'static str, i32),
    Close(u8, &'static str),
    Flush,
    Sync,
    StrayCopy,
    FunctionCall,
    /// A message of this kind that is cut short.
    Broken(u8),
}

impl Message {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let name = *NAMES.choose(rng).unwrap();
        let statement = *NAMES.choose(rng).unwrap();
        let kind = *b"SP".choose(rng).unwrap();
        match rng.random_range(0..100) {
            0..12 => Message::Query(statements(rng)),
            12..32 => Message::Parse(name, statements(rng)),
            32..52 => Message::Bind(name, statement),
            52..62 => Message::Describe(kind, name),
            62..80 => Message::Execute(name, *[0, 1, 2, 4, 7, -1, i32::MAX, i32::MIN].choose(rng).unwrap()),
            80..86 => Message::Close(kind, name),
            86..88 => Message::Flush,
            88..95 => Message::Sync,
            95..97 => Message::StrayCopy,
            97 => Message::FunctionCall,
            _ => Message::Broken(*b"QPBDEC".choose(rng).unwrap()),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Message::Query(statements) => query(&statements.join(";")),
            Message::Parse(name, statements) => parse(name, &statements.join(";")),
            Message::Bind(portal, statement) => bind(portal, statement),
            Message::Describe(kind, name) => frame(b'D', &[&[*kind], name.as_bytes(), &[0]].concat()),
            Message::Execute(portal, max_rows) => execute(portal, *max_rows),
            Message::Close(kind, name) => frame(b'C', &[&[*kind], name.as_bytes(), &[0]].concat()),
            Message::Flush => frame(b'H', b""),
            Message::Sync => sync(),
            Message::StrayCopy => frame(b'd', b"stray"),
            Message::FunctionCall => frame(b'F', b"whatever"),
            Message::Broken(kind) => frame(*kind, b"x"),
        }
    }
}

/// Mostly one; an empty string and several are rare.
fn statements(rng: &mut ChaCha8Rng) -> Vec<&'static str> {
    let count = if rng.random_bool(0.85) { 1 } else { rng.random_range(0..4) };
    (0..count).map(|_| *STATEMENTS.choose(rng).unwrap()).collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Status {
    Idle,
    Open,
    Failed,
}

#[derive(Debug, Clone, Copy)]
enum Portal {
    Ready(&'static str),
    /// So many rows left, and whether an error follows them.
    Open(u64, bool),
    Exhausted,
    Finished,
}

/// What the server must be in.
#[derive(Debug)]
struct Model {
    statements: HashMap<&'static str, &'static str>,
    portals: HashMap<&'static str, Portal>,
    status: Status,
    skips: bool,
    /// Type bytes of the answers, and behind Z the status.
    answers: String,
}

/// How the rows of a statement go; `None`: it has no rows.
fn rows(statement: &str) -> Option<(u64, bool)> {
    if statement == "broken" {
        return Some((1, true));
    }
    statement.strip_prefix("rows ").map(|count| (count.parse().unwrap(), false))
}

impl Model {
    fn new() -> Self {
        Self {
            statements: HashMap::new(),
            portals: HashMap::new(),
            status: Status::Idle,
            skips: false,
            answers: String::new(),
        }
    }

    fn take(&mut self, message: &Message) {
        if self.skips && !matches!(message, Message::Sync) {
            return;
        }
        match message {
            Message::Query(statements) => self.query(statements),
            Message::Sync => {
                self.skips = false;
                self.ready();
            }
            Message::FunctionCall => {
                self.error();
                self.ready();
            }
            Message::Broken(b'Q') => {
                self.error();
                self.ready();
            }
            Message::Flush | Message::StrayCopy => {}
            extended => {
                if self.extended(extended).is_none() {
                    self.error();
                    self.skips = true;
                }
            }
        }
    }

    fn error(&mut self) {
        self.answers.push('E');
        if self.status == Status::Open {
            self.status = Status::Failed;
        }
    }

    fn ready(&mut self) {
        if self.status != Status::Open {
            self.portals.clear();
        }
        self.answers.push('Z');
        self.answers.push(match self.status {
            Status::Idle => 'I',
            Status::Open => 'T',
            Status::Failed => 'E',
        });
    }

    fn query(&mut self, statements: &[&'static str]) {
        self.statements.remove("");
        self.portals.remove("");
        let some: Vec<_> = statements.iter().filter(|statement| !statement.is_empty()).collect();
        if some.iter().any(|statement| statement.contains('§')) {
            self.error();
        } else if some.is_empty() {
            self.answers.push('I');
        } else {
            for statement in some {
                if rows(statement).is_some() {
                    self.answers.push('T');
                }
                if self.run(statement, u64::MAX).is_none() {
                    self.error();
                    break;
                }
            }
        }
        self.ready();
    }

    /// Runs a statement; the portal that it leaves. `None`: an error.
    fn run(&mut self, statement: &'static str, limit: u64) -> Option<Portal> {
        if let Some((count, breaks)) = rows(statement) {
            return self.fetch(count, breaks, limit);
        }
        match statement {
            "fail" => return None,
            "begin" => self.status = Status::Open,
            "commit" => self.status = Status::Idle,
            _ => {}
        }
        self.answers.push(if matches!(statement, "nothing" | "") { 'I' } else { 'C' });
        Some(Portal::Finished)
    }

    fn fetch(&mut self, left: u64, breaks: bool, limit: u64) -> Option<Portal> {
        self.answers.extend((0..left.min(limit)).map(|_| 'D'));
        if limit <= left {
            self.answers.push('s');
            return Some(Portal::Open(left - limit, breaks));
        }
        if breaks {
            return None;
        }
        self.answers.push('C');
        Some(Portal::Exhausted)
    }

    /// `None`: an error.
    fn extended(&mut self, message: &Message) -> Option<()> {
        match message {
            Message::Parse(name, statements) => {
                if !name.is_empty() && self.statements.contains_key(name) {
                    return None;
                }
                self.statements.remove(name);
                let some: Vec<_> = statements.iter().filter(|statement| !statement.is_empty()).collect();
                if some.len() > 1 || some.iter().any(|statement| statement.contains('§')) {
                    return None;
                }
                self.statements.insert(name, some.first().map_or("", |statement| **statement));
                self.answers.push('1');
            }
            Message::Bind(portal, statement) => {
                let statement = *self.statements.get(statement)?;
                if !portal.is_empty() && self.portals.contains_key(portal) {
                    return None;
                }
                self.portals.insert(portal, Portal::Ready(statement));
                self.answers.push('2');
            }
            Message::Describe(b'S', name) => {
                let statement = *self.statements.get(name)?;
                self.answers.push('t');
                self.answers.push(if rows(statement).is_some() { 'T' } else { 'n' });
            }
            // What a portal returns does not depend on how far it is: the server tells it by its statement.
            Message::Describe(_, name) => match self.portals.get(name)? {
                Portal::Ready(statement) if rows(statement).is_none() => self.answers.push('n'),
                Portal::Ready(_) | Portal::Open(..) | Portal::Exhausted => self.answers.push('T'),
                Portal::Finished => self.answers.push('?'),
            },
            Message::Execute(name, max_rows) => {
                let limit = u64::try_from(*max_rows).ok().filter(|limit| *limit > 0).unwrap_or(u64::MAX);
                let portal = *self.portals.get(name)?;
                self.portals.insert(name, Portal::Finished);
                let after = match portal {
                    Portal::Ready(statement) => self.run(statement, limit)?,
                    Portal::Open(left, breaks) => self.fetch(left, breaks, limit)?,
                    Portal::Exhausted => {
                        self.answers.push('C');
                        Portal::Exhausted
                    }
                    Portal::Finished => return None,
                };
                self.portals.insert(name, after);
            }
            Message::Close(b'S', name) => {
                self.statements.remove(name);
                self.answers.push('3');
            }
            Message::Close(_, name) => {
                self.portals.remove(name);
                self.answers.push('3');
            }
            _ => return None,
        }
        Some(())
    }
}

async fn case(house: &House, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut messages: Vec<Message> = (0..MESSAGES).map(|_| Message::random(&mut rng)).collect();
    messages.push(Message::Sync);
    let mut model = Model::new();
    messages.iter().for_each(|message| model.take(message));
    let mut client = Raw::log_in(house.port).await;
    // All at once, in pieces that have nothing to do with the messages.
    let bytes: Vec<u8> = messages.iter().flat_map(Message::bytes).collect();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rng.random_range(1..=rest.len().min(700)));
        client.send(piece).await;
        rest = after;
    }
    let expected_ready = model.answers.matches('Z').count();
    let mut answers = String::new();
    for _ in 0..expected_ready {
        let received = timeout(PATIENCE, client.answers()).await;
        for answer in received.unwrap_or_else(|_| panic!("seed {seed}: no answer after {answers}")) {
            answers.push(char::from(answer.kind));
            if answer.kind == b'Z' {
                answers.push(char::from(answer.body[0]));
            }
        }
    }
    let agree = model.answers.len() == answers.len()
        && model
            .answers
            .chars()
            .zip(answers.chars())
            .all(|(a, b)| a == b || (a == '?' && matches!(b, 'T' | 'n')));
    assert!(agree, "seed {seed}\nexpected {}\nreceived {answers}\n{messages:?}", model.answers);
    // Nothing may come that nobody asked for.
    assert_eq!(client.kinds(&query("nothing")).await, "IZ", "seed {seed}");
}

#[tokio::test]
async fn answers_are_what_the_protocol_promises() {
    let house = House::open();
    let (cases, first) = fuzz_cases(60);
    for seed in first..first + cases {
        case(&house, seed).await;
    }
    assert_eq!(house.panics.load(std::sync::atomic::Ordering::Relaxed), 0);
}
