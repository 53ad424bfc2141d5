//! Several lives of one warehouse: restarts, and two processes on one root at the same time.

use futures::future::join_all;
use tokio_postgres::Client;

use crate::eventually;
use crate::process::{PASSWORD, Root, both};
use crate::server::{ask, refusal};

on_each_store! {
    Root::new(), Root::on_s3();
    a_restart_keeps_data_definitions_and_oids,
    a_second_process_sees_a_definition_at_its_next_statement,
    two_processes_that_write_one_table_lose_nothing,
    a_scheduled_pipe_loads_what_appears,
}

const OIDS: &str = "SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                    WHERE n.nspname NOT LIKE 'pg_%' ORDER BY 1, 2, 3";

async fn a_restart_keeps_data_definitions_and_oids(root: Root) {
    let told = async |client: &Client| {
        let mut told = ask(client, OIDS).await;
        told.extend(ask(client, "SELECT * FROM s.t ORDER BY id").await);
        told.extend(ask(client, "SELECT * FROM s.v ORDER BY id").await);
        told.extend(ask(client, "SELECT n FROM s.m").await);
        told.extend(ask(client, "SELECT name, into_table, query FROM system.pipes").await);
        told.extend(ask(client, "SELECT obj_description('s.t'::regclass, 'pg_class')").await);
        told.extend(ask(client, "SELECT conname FROM pg_constraint ORDER BY 1").await);
        told
    };
    let before = {
        let server = root.serve();
        let client = server.client().await;
        client
            .batch_execute(
                "CREATE SCHEMA s; \
                 CREATE TABLE s.t (id int PRIMARY KEY, name text DEFAULT 'x' CHECK (name <> '')) CLUSTER BY (id); \
                 COMMENT ON TABLE s.t IS 'kept'; \
                 INSERT INTO s.t VALUES (1, '一'), (2, NULL); \
                 CREATE VIEW s.v AS SELECT id FROM s.t WHERE name IS NOT NULL; \
                 CREATE MATERIALIZED VIEW s.m AS SELECT count(*) AS n FROM s.t; \
                 CREATE PIPE p FROM 'landing/p/' INTO s.t FORMAT csv AS SELECT id, name FROM source",
            )
            .await
            .unwrap();
        let told = told(&client).await;
        assert!(server.terminate().success());
        told
    };
    for _ in 0..2 {
        let mut server = root.serve();
        let client = server.client().await;
        assert_eq!(told(&client).await, before);
        assert_eq!(refusal(&client, "INSERT INTO s.t VALUES (2, 'y')").await.0, "23505");
        assert_eq!(refusal(&client, "INSERT INTO s.t VALUES (3, '')").await.0, "23514");
        server.kill();
    }
    let server = root.serve();
    let client = server.client().await;
    ask(&client, "INSERT INTO s.t (id) VALUES (3)").await;
    assert_eq!(ask(&client, "SELECT * FROM s.t ORDER BY id").await, ["1|一", "2|NULL", "3|x"]);
    // A new relation gets a number that nobody had.
    ask(&client, "CREATE TABLE s.new (id int)").await;
    let oid = ask(&client, "SELECT 's.new'::regclass::oid::text").await.pop().unwrap();
    assert!(before.iter().all(|line| !line.ends_with(&format!("|{oid}"))), "{oid} was used before");
}

async fn a_second_process_sees_a_definition_at_its_next_statement(root: Root) {
    let (one, two) = (root.serve(), root.serve());
    let (first, second) = (one.client().await, two.client().await);
    ask(&first, "CREATE TABLE t (id int)").await;
    ask(&second, "INSERT INTO t VALUES (1)").await;
    assert_eq!(ask(&first, "SELECT id FROM t").await, ["1"]);
    ask(&second, "ALTER TABLE t ADD COLUMN name text").await;
    ask(&first, "INSERT INTO t VALUES (2, 'two')").await;
    assert_eq!(ask(&second, "SELECT * FROM t ORDER BY id").await, ["1|NULL", "2|two"]);
    ask(&first, "CREATE VIEW v AS SELECT count(*) AS n FROM t").await;
    assert_eq!(ask(&second, "SELECT n FROM v").await, ["2"]);
    ask(&second, "DROP VIEW v").await;
    ask(&second, "DROP TABLE t").await;
    assert_eq!(refusal(&first, "SELECT id FROM t").await.0, "42P01");
    // Made anew by the one, with other columns: the other must not see the old rows.
    ask(&first, "CREATE TABLE t (word text)").await;
    assert_eq!(ask(&second, "SELECT * FROM t").await, Vec::<String>::new());
    ask(&second, "INSERT INTO t VALUES ('new')").await;
    assert_eq!(ask(&first, "SELECT word FROM t").await, ["new"]);
}

async fn insert_many(client: &Client, writer: usize, statements: usize) {
    for number in 0..statements {
        let id = writer * 1_000 + number;
        ask(client, &format!("INSERT INTO t VALUES ({id}, {writer})")).await;
    }
}

async fn two_processes_that_write_one_table_lose_nothing(root: Root) {
    const STATEMENTS: usize = 12;
    let servers = [root.serve(), root.serve()];
    let mut clients = Vec::new();
    for writer in 0..4 {
        clients.push(servers[writer % 2].client().await);
    }
    ask(&clients[0], "CREATE TABLE t (id bigint, writer int)").await;
    join_all(clients.iter().enumerate().map(|(writer, client)| insert_many(client, writer, STATEMENTS)))
        .await;
    let rows = clients.len() * STATEMENTS;
    for client in &clients {
        assert_eq!(
            ask(client, "SELECT count(*), count(DISTINCT id) FROM t").await,
            [format!("{rows}|{rows}")]
        );
    }
    // Changes of one row from both sides: each counts, or is refused with 40001 and changes nothing.
    ask(&clients[0], "CREATE TABLE counter (n int)").await;
    ask(&clients[0], "INSERT INTO counter VALUES (0)").await;
    let count_up = async |client: &Client| {
        let mut done = 0;
        for _ in 0..6 {
            match client.simple_query("UPDATE counter SET n = n + 1").await {
                Ok(_) => done += 1,
                Err(error) => assert_eq!(error.code().map(|code| code.code()), Some("40001"), "{error:?}"),
            }
        }
        done
    };
    let done: i32 = join_all(clients[..2].iter().map(count_up)).await.into_iter().sum();
    assert_eq!(ask(&clients[0], "SELECT n FROM counter").await, [done.to_string()]);
    assert!(done >= 6, "{done} of 12 changes");
}

async fn a_scheduled_pipe_loads_what_appears(root: Root) {
    let server = root.serve();
    let client = server.client().await;
    ask(&client, "CREATE TABLE t (id int)").await;
    ask(&client, "CREATE PIPE p FROM 'landing/p/' INTO t FORMAT csv EVERY '1 second'").await;
    root.drop_file("landing/p/a.csv", b"id\n1\n2\n");
    let loaded = async || (ask(&client, "SELECT count(*) FROM t").await == ["2"]).then_some(());
    eventually("the first file is loaded", loaded).await;
    root.drop_file("landing/p/b.csv", b"id\n3\n");
    let loaded = async || (ask(&client, "SELECT count(*) FROM t").await == ["3"]).then_some(());
    eventually("the second file is loaded", loaded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_makes_a_password_and_keeps_it() {
    use std::os::unix::fs::PermissionsExt;
    let root = Root::new();
    let start = || {
        let mut command = root.command("serve");
        command.args(["--listen", "127.0.0.1:0"]).stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let read_lines = |child: &mut std::process::Child| {
        use std::io::BufRead;
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        for line in output.lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap().contains("psql -h") {
                break;
            }
        }
        lines
    };
    let mut child = start();
    let lines = read_lines(&mut child);
    let file = root.beside("data.password");
    let password = std::fs::read_to_string(&file).unwrap().trim_end().to_owned();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(lines[0].contains(&password), "{lines:?}");
    let port =
        lines.last().unwrap().split_once(" -p ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
    let client = crate::clients::connect(port, &password).await.unwrap();
    assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
    assert!(crate::clients::connect(port, PASSWORD).await.is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    // It is shown once.
    let mut child = start();
    let lines = read_lines(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.iter().all(|line| !line.contains(&password)), "{lines:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), password);
}

/// Each may find that nobody has a password yet; whoever makes it, the file holds the one that counts.
#[tokio::test(flavor = "multi_thread")]
async fn first_starts_at_the_same_time_agree_on_the_password() {
    use std::process::Stdio;
    for _ in 0..3 {
        let root = Root::new();
        let mut starts: Vec<_> = (0..4)
            .map(|_| {
                let mut command = root.command("serve");
                command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        let (mut ports, mut shown) = (Vec::new(), Vec::new());
        for child in &mut starts {
            use std::io::BufRead;
            for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
                let line = line.unwrap();
                if let Some((_, password)) = line.split_once("The password of role voxhouse is ") {
                    shown.push(password.to_owned());
                }
                if let Some((_, rest)) = line.split_once(" -p ") {
                    ports.push(rest.split(' ').next().unwrap().parse().unwrap());
                    break;
                }
            }
        }
        assert_eq!((ports.len(), shown.len()), (4, 1), "{shown:?}");
        let kept = std::fs::read_to_string(root.beside("data.password")).unwrap();
        assert_eq!(kept.trim_end(), shown[0]);
        for port in ports {
            let client = crate::clients::connect(port, &shown[0]).await.unwrap();
            assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
        }
        for mut child in starts {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_does_not_wait_for_running_statements() {
    let root = Root::new();
    let server = root.serve();
    let client = server.client().await;
    let endless = "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b";
    let running = tokio::spawn(async move { client.simple_query(endless).await.is_err() });
    let other = server.client().await;
    let active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'";
    eventually("it runs", async || (ask(&other, active).await == ["2"]).then_some(())).await;
    server.signal("TERM");
    // The idle one is let go, the running one is waited for.
    eventually("the idle one ends", async || other.is_closed().then_some(())).await;
    let told_twice_at = std::time::Instant::now();
    assert!(!running.is_finished());
    let status = tokio::task::spawn_blocking(|| server.terminate()).await.unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(told_twice_at.elapsed() < std::time::Duration::from_secs(5));
    assert!(running.await.unwrap());
}

#[test]
fn bad_settings_of_the_process_are_told() {
    let root = Root::new();
    for (arguments, expected) in [
        (vec!["--password-file", "/nonexistent"], "password file \"/nonexistent\""),
        (vec!["--tls-cert", "/nonexistent.pem", "--tls-key", "/nonexistent.pem"], "/nonexistent.pem"),
        (vec!["--config", "/nonexistent.toml"], "configuration file \"/nonexistent.toml\""),
        (vec!["--memory-limit", "lots"], "invalid size \"lots\""),
        (vec!["--max-message", "much"], "invalid size \"much\""),
        (vec!["--login-timeout", "soon"], "invalid duration \"soon\""),
        (vec!["--max-connections", "3"], "superuser_reserved must be less than max_connections"),
        (vec!["--require-tls"], "TLS is required"),
    ] {
        let output = root.run("serve", &[arguments.as_slice(), &["--listen", "127.0.0.1:0"]].concat());
        let said = both(&output);
        assert!(!output.status.success() && said.contains("ERROR:  ") && said.contains(expected), "{said}");
    }
}
