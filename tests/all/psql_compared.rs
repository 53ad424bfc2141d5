//! psql beside PostgreSQL: the same script, and the interrupts that need a hand on the keyboard.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::clients::repository;
use crate::drivers::{Transcript, assert_same, target};
use crate::postgres::Postgres;
use crate::server::House;

#[tokio::test(flavor = "multi_thread")]
async fn psql_says_what_it_says_of_postgres() {
    let (house, postgres) = (House::open().await, Postgres::shared());
    let database = postgres.database().await;
    let ours = sections(house.port, "voxhouse".to_owned(), "psql").await;
    let theirs = sections(postgres.port, database, "psql").await;
    assert_same("psql", &ours, &theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_written_in_the_styles_of_the_session() {
    let (house, postgres) = (House::open().await, Postgres::shared());
    let database = postgres.database().await;
    let ours = sections(house.port, "voxhouse".to_owned(), "text_styles").await;
    let theirs = sections(postgres.port, database, "text_styles").await;
    assert_same("psql", &ours, &theirs);
}

/// What psql prints between two headings of a script.
async fn sections(port: u16, database: String, script: &'static str) -> Transcript {
    let output = tokio::task::spawn_blocking(move || {
        let mut command = psql(port, &database);
        command.arg("-f").arg(repository(&format!("tests/drivers/{script}.sql")));
        // Errors stand where they happen.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" 2>&1", "sh", "psql"]).args(command.get_args());
        target(&mut shell, port, &database);
        shell.output().unwrap()
    });
    let said = String::from_utf8(output.await.unwrap().stdout).unwrap();
    let mut sections = Transcript::new();
    for line in said.lines() {
        match (line.strip_prefix("== "), sections.last_mut()) {
            (Some(heading), _) => sections.push((heading.to_owned(), String::new())),
            (None, Some((_, section))) => section.push_str(&format!("{}\n", without_file(line))),
            (None, None) => (),
        }
    }
    sections
}

/// Without the name of the script and the line, which psql puts before errors.
fn without_file(line: &str) -> &str {
    match line.split_once(".sql:") {
        Some((_, rest)) => rest.split_once(": ").map_or(rest, |(_, message)| message),
        None => line,
    }
}

fn psql(port: u16, database: &str) -> Command {
    let mut command = Command::new("psql");
    command.arg("-X");
    target(&mut command, port, database);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn control_c_ends_a_statement_and_a_watch() {
    let (house, postgres) = (House::open().await, Postgres::shared());
    let database = postgres.database().await;
    for (port, database) in [(house.port, "voxhouse".to_owned()), (postgres.port, database)] {
        let interrupted = tokio::task::spawn_blocking(move || {
            let endless =
                "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b;";
            let (said, errors) = interrupt(port, &database, &format!("SELECT 'begun';\n{endless}\n"), 1);
            assert_eq!(said, "begun\n");
            assert!(errors.contains("canceling statement due to user request"), "{errors}");
            let (said, errors) = interrupt(port, &database, "SELECT 'tick' \\watch 0.2\n", 3);
            assert!(said.lines().filter(|line| *line == "tick").count() >= 3, "{said}");
            assert!(!errors.contains("ERROR") || errors.contains("user request"), "{errors}");
        });
        interrupted.await.unwrap();
    }
}

/// Runs a script, and interrupts it when it has printed so many lines that are not empty.
fn interrupt(port: u16, database: &str, script: &str, lines: usize) -> (String, String) {
    let mut child = psql(port, database)
        .args(["-A", "-t", "-q", "-P", "pager=off", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    let mut seen = 0;
    while seen < lines {
        let start = said.len();
        assert!(output.read_line(&mut said).unwrap() > 0, "psql ended before it was interrupted: {said}");
        seen += usize::from(matches!(&said[start..], "tick\n" | "begun\n"));
    }
    // The endless statement has been sent behind the line that was printed.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    output.read_to_string(&mut said).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    child.wait().unwrap();
    (said, errors)
}
