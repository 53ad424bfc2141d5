//! Statements that are made to break the process. Each gets an answer or an error, and the server lives: a stack that
//! overflows would take all sessions with it, so these run against the binary in a process of its own.

use crate::process::{Root, ServerProcess};
use crate::server::ask;

/// What a statement comes to: its first value, or the SQLSTATE.
async fn outcome(server: &ServerProcess, sql: &str) -> Result<String, String> {
    let client = server.client().await;
    match client.simple_query(sql).await {
        Ok(messages) => Ok(messages
            .iter()
            .find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .unwrap_or_default()),
        Err(error) => match error.code() {
            Some(code) => Err(code.code().to_owned()),
            None => panic!("the server is gone after {} bytes: {}…: {error:?}", sql.len(), &sql[..60]),
        },
    }
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("SELECT {}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// Each reads the next.
fn chain_of_ctes(count: usize) -> String {
    let one = |number: usize| match number + 1 == count {
        true => format!("a{number} AS (SELECT 1 AS n)"),
        false => format!("a{number} AS (SELECT n FROM a{})", number + 1),
    };
    let all: Vec<String> = (0..count).rev().map(one).collect();
    format!("WITH {} ", all.join(", "))
}

fn joined(term: &str, operator: &str, count: usize) -> String {
    vec![term; count].join(operator)
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_statements_are_answered_or_refused() {
    let root = Root::new();
    let server = root.serve();
    let deep = [
        nested("(", "1", ")", 10_000),
        nested("(SELECT ", "1", ")", 10_000),
        nested("CASE WHEN true THEN ", "1", " END", 10_000),
        nested("NOT ", "true", "", 20_000),
        nested("- ", "1", "", 20_000),
        nested("abs(", "1", ")", 10_000),
        nested("ARRAY[", "1", "]", 10_000),
        nested("CAST(", "1", " AS bigint)", 10_000),
        nested("1 IN (", "1", ")", 10_000),
        nested("EXISTS (SELECT ", "1", ")", 5_000),
        format!("SELECT * FROM {}(SELECT 1) a{}", "(SELECT * FROM ".repeat(5_000), ") a".repeat(5_000)),
        format!("SELECT 1{}", "::bigint".repeat(20_000)),
        format!("SELECT ARRAY[1]{}", "[1]".repeat(20_000)),
        // Below the limits.
        format!("SELECT 1{}", "::bigint".repeat(100)),
        format!("SELECT ARRAY[1]{}", "[1]".repeat(20)),
        joined("SELECT 1, 2", " UNION ALL ", 100),
        format!("SELECT CASE {} END", "WHEN 1 = 2 THEN 3 ".repeat(100)),
        format!("{}SELECT 1 FROM a0", chain_of_ctes(10)),
        nested("(", "1", ")", 40),
        nested("(SELECT ", "1", ")", 8),
        "(".repeat(100_000),
        "SELECT ".to_owned() + &"[".repeat(100_000),
        "EXPLAIN ".repeat(20_000) + "SELECT 1",
        format!("SELECT {}", "x.".repeat(50_000)),
        format!("SELECT '{}'::int[]", "{".repeat(50_000)),
    ];
    for sql in &deep {
        let began = std::time::Instant::now();
        let answer = outcome(&server, sql).await;
        eprintln!("{:>8} bytes {:>8.2?} {answer:?}: {}…", sql.len(), began.elapsed(), &sql[..40]);
        if let Err(code) = answer {
            assert_ne!(code, "XX000", "{}…", &sql[..60]);
        }
    }
    assert_eq!(outcome(&server, "SELECT 1").await, Ok("1".to_owned()));
}

/// As programs write them: long, but not deep to a person's eye.
#[tokio::test(flavor = "multi_thread")]
async fn long_statements_are_answered_or_refused() {
    let root = Root::new();
    let server = root.serve();
    let client = server.client().await;
    ask(&client, "CREATE TABLE t (id int, word text)").await;
    ask(&client, "INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    let numbers: Vec<String> = (0..50_000).map(|number| number.to_string()).collect();
    let conditions: Vec<String> = (0..200).map(|number| format!("id = {number}")).collect();
    for (sql, expected) in [
        (format!("SELECT count(*) FROM t WHERE id IN ({})", numbers.join(",")), "2"),
        (format!("SELECT count(*) FROM t WHERE {}", conditions.join(" OR ")), "2"),
        (format!("SELECT count(*) FROM t WHERE {}", joined("id > 0", " AND ", 200)), "2"),
        (format!("SELECT {}", joined("1", " + ", 100)), "100"),
        (format!("SELECT length('{}')", "x".repeat(1 << 20)), "1048576"),
        (format!("SELECT 1 /* {} */", "comment ".repeat(130_000)), "1"),
    ] {
        assert_eq!(outcome(&server, &sql).await, Ok(expected.to_owned()), "{}…", &sql[..40]);
    }
    for sql in [
        format!("SELECT {}", joined("1", " + ", 50_000)),
        format!("SELECT {}", joined("'a'", " || ", 50_000)),
        format!("SELECT count(*) FROM t WHERE {}", joined("id = 1", " OR ", 50_000)),
        format!("SELECT count(*) FROM t WHERE {}", joined("id = 1", " AND ", 50_000)),
        joined("SELECT 1", " UNION ALL ", 20_000),
        format!("SELECT * FROM {}", joined("t", ", ", 100)),
        format!("INSERT INTO t VALUES {}", joined("(1, 'a')", ", ", 5_000)),
        joined("SELECT 1", ";", 200),
        format!("SELECT {}", joined("1", ", ", 2_000)),
        format!(
            "CREATE TABLE wide ({})",
            numbers[..1_500].iter().map(|n| format!("c{n} int")).collect::<Vec<_>>().join(", ")
        ),
    ] {
        let began = std::time::Instant::now();
        let answer = outcome(&server, &sql).await;
        eprintln!("{:>8} bytes {:>8.2?} {answer:?}: {}…", sql.len(), began.elapsed(), &sql[..40]);
        if let Err(code) = answer {
            assert_ne!(code, "XX000", "{}…", &sql[..60]);
        }
    }
    assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
}
