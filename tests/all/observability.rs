//! What can be seen of a server: `system.queries`, `pg_stat_activity`, metrics, the log.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures::{SinkExt, TryStreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};

use crate::clients::{self, repository};
use crate::eventually;
use crate::exposition::{self, Page};
use crate::process::{self, Root, ServerProcess};
use crate::server::{House, PASSWORD, ask, refusal};

/// A query that would run for hours.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b";
const ENDLESS_AS_COUNTED: &str = "SELECT count(*) FROM generate_series($1, $2) a, generate_series($3, $4) b";

/// Calls, errors, rows and last error of a statement, by the text it is counted as.
async fn costs(client: &Client, text: &str) -> String {
    let text = text.replace('\'', "''");
    let sql =
        format!("SELECT calls, errors, rows, last_error_sqlstate FROM system.queries WHERE query = '{text}'");
    ask(client, &sql).await.join(";")
}

async fn table(client: &Client) {
    client.batch_execute("CREATE TABLE t (id int, name text)").await.unwrap();
    client
        .batch_execute("INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, 100) AS s(i)")
        .await
        .unwrap();
    ask(client, "CALL system.reset_queries()").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_one_whatever_its_values_and_its_protocol() {
    let house = House::open().await;
    let client = house.client().await;
    table(&client).await;
    ask(&client, "SELECT name FROM t WHERE id = 1").await;
    ask(&client, "select  name from T where id = 0 -- none").await;
    let prepared = client.prepare("SELECT name FROM t WHERE id = $1").await.unwrap();
    for id in [3, 4, 5_000] {
        client.query(&prepared, &[&id]).await.unwrap();
    }
    let row = costs(&client, "SELECT name FROM t WHERE id = $1").await;
    assert_eq!(row, "5|0|3|NULL");
    let measured = "SELECT total_time_ms > 0, min_time_ms <= mean_time_ms, mean_time_ms <= max_time_ms, \
                    abs(total_time_ms - 5 * mean_time_ms) < 0.001, stddev_time_ms > 0, planning_time_ms > 0, \
                    first_row_time_ms > 0, bytes_scanned > 0, bytes_spilled, \
                    now() - last_started_at < interval '1 minute' \
                    FROM system.queries WHERE query = 'SELECT name FROM t WHERE id = $1'";
    assert_eq!(ask(&client, measured).await, ["t|t|t|t|t|t|t|t|0|t"]);
    // One that is prepared and never run was never called.
    client.prepare("SELECT 'unused' FROM t").await.unwrap();
    assert_eq!(costs(&client, "SELECT $1 FROM t").await, "");
    // Lists of values.
    ask(&client, "SELECT id FROM t WHERE id IN (1, 2)").await;
    ask(&client, "SELECT id FROM t WHERE id IN (7, 8, 9)").await;
    assert_eq!(costs(&client, "SELECT id FROM t WHERE id IN ($1 /*, ... */)").await, "2|0|5|NULL");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_every_kind_are_counted() {
    let house = House::open().await;
    let mut client = house.client().await;
    table(&client).await;
    client.execute("INSERT INTO t VALUES ($1, 'x'), (-2, NULL)", &[&1]).await.unwrap();
    ask(&client, "INSERT INTO t VALUES (5, 'y')").await;
    assert_eq!(costs(&client, "INSERT INTO t VALUES ($1, $2) /*, ... */").await, "2|0|3|NULL");
    client.execute("UPDATE t SET name = 'z' WHERE id <= $1", &[&10]).await.unwrap();
    assert_eq!(costs(&client, "UPDATE t SET name = $2 WHERE id <= $1").await, "1|0|13|NULL");
    ask(&client, "DELETE FROM t WHERE id < 0").await;
    assert_eq!(costs(&client, "DELETE FROM t WHERE id < $1").await, "1|0|1|NULL");

    let sink = client.copy_in("COPY t FROM STDIN (FORMAT csv)").await.unwrap();
    futures::pin_mut!(sink);
    sink.send(bytes::Bytes::from_static(b"1000,a\n1001,b\n1002,c\n")).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), 3);
    assert_eq!(costs(&client, "COPY t FROM STDIN (FORMAT csv)").await, "1|0|3|NULL");
    let out: Vec<_> = client
        .copy_out("COPY (SELECT id FROM t WHERE id >= 1000) TO STDOUT")
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(out.len(), 3);
    assert_eq!(costs(&client, "COPY (SELECT id FROM t WHERE id >= $1) TO STDOUT").await, "1|0|3|NULL");

    // A portal that is read in three turns is one execution.
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("SELECT id, 1 FROM t ORDER BY id LIMIT 7", &[]).await.unwrap();
    for expected in [3, 3, 1] {
        assert_eq!(transaction.query_portal(&portal, 3).await.unwrap().len(), expected);
    }
    transaction.batch_execute("DECLARE c CURSOR FOR SELECT id FROM t").await.unwrap();
    transaction.batch_execute("FETCH 10 FROM c; FETCH 20 FROM c").await.unwrap();
    // One that is left in the middle ends with its transaction.
    let portal = transaction.bind("SELECT id, 2, 3 FROM t ORDER BY id", &[]).await.unwrap();
    transaction.query_portal(&portal, 5).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(costs(&client, "SELECT id, $1 FROM t ORDER BY id LIMIT $2").await, "1|0|7|NULL");
    assert_eq!(costs(&client, "SELECT id, $1, $2 FROM t ORDER BY id").await, "1|0|5|NULL");
    assert_eq!(costs(&client, "DECLARE c CURSOR FOR SELECT id FROM t").await, "1|0|0|NULL");
    assert_eq!(costs(&client, "FETCH $1 FROM c").await, "2|0|30|NULL");
    assert_eq!(costs(&client, "COMMIT").await, "1|0|0|NULL");

    // EXECUTE counts as what it executes.
    client.batch_execute("PREPARE p AS SELECT name FROM t WHERE id = $1").await.unwrap();
    client.batch_execute("EXECUTE p(1); EXECUTE p(2)").await.unwrap();
    assert_eq!(costs(&client, "SELECT name FROM t WHERE id = $1").await.split('|').next(), Some("2"));
    assert_eq!(costs(&client, "EXECUTE p($1)").await, "");

    client.batch_execute("SET application_name = 'one'; SET application_name = 'two'").await.unwrap();
    assert_eq!(costs(&client, "SET application_name = $1").await, "2|0|0|NULL");
    ask(&client, "CREATE VIEW v AS SELECT 1 AS one").await;
    assert_eq!(costs(&client, "CREATE VIEW v AS SELECT $1 AS one").await, "1|0|0|NULL");
    // Nothing at all is nothing.
    client.batch_execute("").await.unwrap();
    client.execute("", &[]).await.unwrap();
    assert_eq!(ask(&client, "SELECT count(*) FROM system.queries WHERE query = ''").await, ["0"]);
}

/// No value of any type of numbers.
#[derive(Debug)]
struct ThreeBytes;

impl ToSql for ThreeBytes {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&[1, 2, 3]);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_count_with_their_sqlstate() {
    let house = House::open().await;
    let client = house.client().await;
    table(&client).await;
    ask(&client, "SELECT 10 / id FROM t").await;
    assert_eq!(refusal(&client, "SELECT 10 / (id - id) FROM t").await.0, "22012");
    assert!(client.query("SELECT 10 / (id - id) FROM t", &[]).await.is_err());
    assert_eq!(costs(&client, "SELECT $1 / (id - id) FROM t").await, "2|2|0|22012");
    // What cannot be planned, in both protocols.
    refusal(&client, "SELECT * FROM absent").await;
    assert!(client.prepare("SELECT * FROM absent").await.is_err());
    assert_eq!(costs(&client, "SELECT * FROM absent").await, "2|2|0|42P01");
    // What cannot be bound.
    let add = client.prepare("SELECT $1::int + 17").await.unwrap();
    let error = client.query(&add, &[&ThreeBytes]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "08P01");
    assert_eq!(costs(&client, "SELECT $1::int + $2").await, "1|1|0|08P01");
    // The statements behind one that fails are not run.
    assert!(client.batch_execute("SELECT 'before'; SELECT 1 / 0; SELECT 'b', 'c'").await.is_err());
    assert_eq!(costs(&client, "SELECT $1").await, "1|0|1|NULL");
    assert_eq!(costs(&client, "SELECT $1 / $2").await, "1|1|0|22012");
    assert_eq!(costs(&client, "SELECT $1, $2").await, "");
    // What is no statement has no row of its own.
    refusal(&client, "SELEKT 1").await;
    assert_eq!(ask(&client, "SELECT count(*) FROM system.queries WHERE query ILIKE 'selekt%'").await, ["0"]);

    client.batch_execute("SET statement_timeout = 50").await.unwrap();
    assert_eq!(refusal(&client, ENDLESS).await.0, "57014");
    assert!(client.query(ENDLESS, &[]).await.is_err());
    client.batch_execute("RESET statement_timeout").await.unwrap();
    assert_eq!(costs(&client, ENDLESS_AS_COUNTED).await, "2|2|0|57014");
    let took =
        "SELECT total_time_ms + planning_time_ms BETWEEN 90 AND 60000 FROM system.queries WHERE query = ";
    assert_eq!(ask(&client, &format!("{took}'{ENDLESS_AS_COUNTED}'")).await, ["t"]);

    let token = client.cancel_token();
    let (stopped, _) = tokio::join!(client.batch_execute(ENDLESS), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        token.cancel_query(NoTls).await.unwrap();
    });
    assert!(stopped.is_err());
    assert_eq!(costs(&client, ENDLESS_AS_COUNTED).await, "3|3|0|57014");

    // A client that goes away.
    let (lost, connection) = clients::config(house.port, PASSWORD).connect(NoTls).await.unwrap();
    let socket = tokio::spawn(connection);
    let left = tokio::time::timeout(Duration::from_millis(200), lost.batch_execute(ENDLESS)).await;
    assert!(left.is_err());
    socket.abort();
    eventually("the statement of a lost client is counted", async || {
        (costs(&client, ENDLESS_AS_COUNTED).await == "4|4|0|08006").then_some(())
    })
    .await;
    let counters = &house.instance.observer.counters;
    let stopped: BTreeMap<_, _> = counters.cancellations().collect();
    assert_eq!(stopped, BTreeMap::from([("request", 1), ("statement_timeout", 2), ("connection_lost", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_literal_is_kept() {
    let house = House::open().await;
    let client = house.client().await;
    for statement in [
        "CREATE ROLE ana LOGIN PASSWORD 'sEsAmE-1' VALID UNTIL '2031-01-01'",
        "ALTER ROLE ana PASSWORD E'sEsAmE\\'2'",
        "ALTER USER ana ENCRYPTED PASSWORD $x$sEsAmE-3$x$",
        "PREPARE p AS SELECT 'sEsAmE-4'",
        "EXECUTE p",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 'sEsAmE-5'",
        "CREATE TABLE secrets AS SELECT 'sEsAmE-6' AS word",
        "COMMENT ON TABLE secrets IS 'sEsAmE-7'",
        "SELECT /* sEsAmE-8 */ 1 -- sEsAmE-9",
    ] {
        ask(&client, statement).await;
    }
    for wrong in ["CREATE ROLE bob PASSWORD sEsAmE10", "CREATE ROLE bob PASSWORD 'sEsAmE-11' NONSENSE"] {
        refusal(&client, wrong).await;
    }
    let all = ask(&client, "SELECT query FROM system.queries").await;
    assert!(all.contains(&"CREATE ROLE ana LOGIN PASSWORD $1 VALID UNTIL $2".to_owned()), "{all:?}");
    let leaked: Vec<_> = all.iter().filter(|text| text.to_lowercase().contains("sesame")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}

async fn log_in(house: &House, role: &str, password: &str) -> Client {
    let (client, connection) = clients::config(house.port, password).user(role).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_others_are_hidden() {
    let house = House::open().await;
    let owner = house.client().await;
    ask(&owner, "SELECT 1 AS owners").await;
    owner
        .batch_execute("CREATE ROLE ana LOGIN PASSWORD 'a'; CREATE ROLE bob LOGIN PASSWORD 'b'")
        .await
        .unwrap();
    let ana = log_in(&house, "ana", "a").await;
    let bob = log_in(&house, "bob", "b").await;
    ask(&ana, "SELECT 1 AS anas").await;
    let seen = async |client: &Client| {
        let sql = "SELECT DISTINCT role, query, query_id IS NULL FROM system.queries \
                   WHERE (query LIKE 'SELECT % AS %' OR query LIKE '<%') AND role <> 'bob' ORDER BY 1, 2";
        ask(client, sql).await
    };
    let hidden = "voxhouse|<insufficient privilege>|t";
    assert_eq!(seen(&ana).await, ["ana|SELECT $1 AS anas|f", hidden]);
    assert_eq!(seen(&bob).await, ["ana|<insufficient privilege>|t", hidden]);
    // Neither a role that bob may act as, nor one that sees everything.
    ask(&owner, "GRANT ana TO bob").await;
    assert_eq!(seen(&bob).await, ["ana|SELECT $1 AS anas|f", hidden]);
    for reader in ["pg_read_all_stats", "voxhouse_monitor", "pg_monitor"] {
        ask(&owner, &format!("GRANT {reader} TO bob")).await;
        let all = seen(&bob).await;
        assert!(all.contains(&"voxhouse|SELECT $1 AS owners|f".to_owned()), "{reader}: {all:?}");
        assert!(!all.contains(&hidden.to_owned()), "{reader}: {all:?}");
        ask(&owner, &format!("REVOKE {reader} FROM bob")).await;
    }
    assert_eq!(seen(&bob).await, ["ana|SELECT $1 AS anas|f", hidden]);
    // A statement counts for the role it acts as.
    ask(&bob, "SET ROLE ana").await;
    ask(&bob, "SELECT 1 AS anas").await;
    assert_eq!(ask(&ana, "SELECT calls FROM system.queries WHERE query = 'SELECT $1 AS anas'").await, ["2"]);
    assert_eq!(refusal(&ana, "CALL system.reset_queries()").await.0, "42501");
    ask(&owner, "CALL system.reset_queries()").await;
    // The CALL itself ends after it has forgotten the others.
    assert_eq!(
        ask(&owner, "SELECT entries, evictions, max_entries FROM system.queries_info").await,
        ["1|0|5000"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_statements_is_bounded() {
    let house = House::open().await;
    let client = house.client().await;
    for first in (0..6_000).step_by(500) {
        let many: Vec<String> = (first..first + 500).map(|number| format!("UNLISTEN c{number}")).collect();
        client.batch_execute(&many.join(";")).await.unwrap();
    }
    let told =
        ask(&client, "SELECT entries <= max_entries, evictions >= 1000 FROM system.queries_info").await;
    assert_eq!(told, ["t|t"]);
    // The oldest went, the newest are there.
    assert_eq!(costs(&client, "UNLISTEN c0").await, "");
    assert_eq!(costs(&client, "UNLISTEN c5999").await, "1|0|0|NULL");
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_has_the_columns_and_values_of_postgresql() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("SET application_name = 'looker'").await.unwrap();
    let own = "SELECT datname, usename, application_name, client_addr, client_hostname, client_port > 0, \
               backend_start <= xact_start, xact_start <= query_start, query_start = state_change, \
               wait_event_type, wait_event, state, backend_xid, backend_xmin, leader_pid, backend_type, query \
               FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let row = ask(&client, own).await.pop().unwrap();
    let expected =
        "voxhouse|voxhouse|looker|127.0.0.1|NULL|t|t|t|t|NULL|NULL|active|NULL|NULL|NULL|client backend|";
    assert_eq!(row, format!("{expected}{own}"));
    // The statement is the one that system.queries knows, in both protocols.
    let id = "SELECT query_id FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let running = ask(&client, id).await.pop().unwrap();
    let extended: i64 = client.query_one(id, &[]).await.unwrap().get(0);
    assert_eq!(extended.to_string(), running);
    let known = format!("SELECT query_id FROM system.queries WHERE query = '{id}'");
    assert_eq!(ask(&client, &known).await, [running]);
    // Others wait for their client.
    let mut other = house.client().await;
    let transaction = other.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1").await.unwrap();
    let others = "SELECT state, wait_event_type, wait_event, xact_start IS NULL, query FROM pg_stat_activity \
                  WHERE pid <> pg_backend_pid()";
    assert_eq!(ask(&client, others).await, ["idle in transaction|Client|ClientRead|f|SELECT 1"]);
    assert!(transaction.batch_execute("SELECT absent").await.is_err());
    let failed = "idle in transaction (aborted)|Client|ClientRead|f|SELECT absent";
    assert_eq!(ask(&client, others).await, [failed]);
    transaction.rollback().await.unwrap();
    assert_eq!(ask(&client, others).await, ["idle|Client|ClientRead|t|ROLLBACK"]);
    // Nobody waits for a lock.
    let locks = "SELECT locktype, relation, mode, granted, waitstart FROM pg_locks";
    assert_eq!(ask(&client, locks).await, Vec::<String>::new());
    // A role that may see statistics sees what others do.
    client.batch_execute("CREATE ROLE ana LOGIN PASSWORD 'a'").await.unwrap();
    let ana = log_in(&house, "ana", "a").await;
    let texts = "SELECT DISTINCT query, query_id IS NULL FROM pg_stat_activity WHERE usename = 'voxhouse'";
    assert_eq!(ask(&ana, texts).await, ["<insufficient privilege>|t"]);
    ask(&client, "GRANT pg_read_all_stats TO ana").await;
    assert!(!ask(&ana, texts).await.contains(&"<insufficient privilege>|t".to_owned()));
}

/// A server in a process of its own, with its metrics.
struct Watched {
    server: ServerProcess,
    metrics: u16,
}

impl Watched {
    fn start(root: &Root, arguments: &[&str]) -> Self {
        // Free at this moment; nobody else on this machine asks for a certain port.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics = free.local_addr().unwrap().port();
        drop(free);
        let address = format!("127.0.0.1:{metrics}");
        let server = root.serve_with(&[&["--metrics", &address], arguments].concat());
        Self { server, metrics }
    }

    async fn scrape(&self) -> Page {
        let (status, head, body) = get(self.metrics, "/metrics").await;
        assert_eq!(status, 200, "{head}");
        assert!(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
        exposition::parse(&body)
    }
}

/// Sends bytes and reads to the end of the answer.
async fn raw(port: u16, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The server may have answered, and closed, before it has read everything.
    let _ = socket.write_all(request).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Status, head and body.
async fn get(port: u16, path: &str) -> (u16, String, String) {
    let answer = raw(port, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), body.len());
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, format!("{head}\r\n"), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_has_happened() {
    let root = Root::new();
    let watched = Watched::start(&root, &[]);
    let client = watched.server.client().await;
    client.batch_execute("CREATE TABLE t (id int CHECK (id < 100))").await.unwrap();
    client.batch_execute("CREATE PIPE p FROM 'landing/p/' INTO t FORMAT csv").await.unwrap();
    root.drop_file("landing/p/a.csv", b"id\n1\n2\n500\n");
    root.drop_file("landing/p/b.csv", b"other\n1\n");
    ask(&client, "CALL system.run_pipe('p')").await;
    ask(&client, "SELECT * FROM t").await;
    refusal(&client, "SELECT 1 / 0").await;
    refusal(&client, "SELEKT").await;
    client.batch_execute("SET statement_timeout = 20").await.unwrap();
    refusal(&client, ENDLESS).await;
    assert!(clients::connect(watched.server.port, "guess").await.is_err());

    let page = watched.scrape().await;
    let is = |name: &str, labels: &[(&str, &str)], expected: f64| {
        assert_eq!(page.value(name, labels), Some(expected), "{name} {labels:?}");
    };
    is("voxhouse_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    is("voxhouse_connections", &[("state", "idle")], 1.0);
    is("voxhouse_connections", &[("state", "active")], 0.0);
    is("voxhouse_connections_max", &[], 100.0);
    is("voxhouse_connections_total", &[], 1.0);
    is("voxhouse_authentication_failures_total", &[], 1.0);
    is("voxhouse_connections_refused_total", &[("reason", "authentication")], 1.0);
    is("voxhouse_statements_total", &[("statement", "create"), ("outcome", "ok")], 2.0);
    is("voxhouse_statements_total", &[("statement", "select"), ("outcome", "ok")], 1.0);
    is("voxhouse_statements_total", &[("statement", "select"), ("outcome", "22")], 1.0);
    is("voxhouse_statements_total", &[("statement", "select"), ("outcome", "57")], 1.0);
    is("voxhouse_statement_duration_seconds_count", &[("statement", "select")], 3.0);
    is("voxhouse_syntax_errors_total", &[], 1.0);
    is("voxhouse_statements_cancelled_total", &[("reason", "statement_timeout")], 1.0);
    is("voxhouse_load_runs_total", &[("pipe", "p"), ("outcome", "ok")], 1.0);
    is("voxhouse_load_files_total", &[("pipe", "p"), ("state", "loaded")], 1.0);
    is("voxhouse_load_files_total", &[("pipe", "p"), ("state", "failed")], 1.0);
    is("voxhouse_load_rows_total", &[("pipe", "p")], 2.0);
    is("voxhouse_load_rejected_rows_total", &[("pipe", "p")], 1.0);
    // The rows of SELECT, and the row of CALL.
    is("voxhouse_rows_total", &[], 3.0);
    is("voxhouse_memory_pool_used_bytes", &[], 0.0);
    for (name, labels) in [
        ("voxhouse_sent_bytes_total", &[][..]),
        ("voxhouse_received_bytes_total", &[]),
        ("voxhouse_memory_pool_limit_bytes", &[]),
        ("process_resident_memory_bytes", &[]),
        ("process_cpu_seconds_total", &[]),
        ("process_open_fds", &[]),
        ("process_start_time_seconds", &[]),
        ("voxhouse_load_lag_seconds", &[("pipe", "p")]),
        ("voxhouse_load_last_success_timestamp_seconds", &[("pipe", "p")]),
        ("voxhouse_load_bytes_total", &[("pipe", "p")]),
        ("voxhouse_object_store_requests_total", &[("operation", "put"), ("outcome", "ok")]),
        ("voxhouse_object_store_requests_total", &[("operation", "get"), ("outcome", "not_found")]),
        ("voxhouse_object_store_request_duration_seconds_count", &[("operation", "list")]),
        ("voxhouse_object_store_sent_bytes_total", &[]),
        ("voxhouse_object_store_received_bytes_total", &[]),
        ("voxhouse_queries_entries", &[]),
    ] {
        assert!(page.value(name, labels).is_some_and(|value| value > 0.0), "{name} {labels:?}");
    }
    // Counters do not go back.
    ask(&client, "SELECT 1").await;
    let later = watched.scrape().await;
    for (series, value) in page.counters() {
        assert!(later.series(&series).is_some_and(|now| now >= value), "{series}");
    }
    documented(&later);
}

/// The page and its description name the same metrics, and so do the alerts.
fn documented(page: &Page) {
    let text = std::fs::read_to_string(repository("docs/observability.md")).unwrap();
    let listed: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("voxhouse_") || name.starts_with("process_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, page.families().map(str::to_owned).collect());
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let alerts = text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect::<Vec<_>>();
    assert!(alerts.len() > 5);
    for expression in alerts {
        let names = expression.split(|letter| !is_word(letter)).filter(|word| word.starts_with("voxhouse_"));
        for name in names {
            let family =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(listed.contains(family), "{expression} asks for {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_port_is_not_impressed() {
    let root = Root::new();
    let watched = Watched::start(&root, &[]);
    let port = watched.metrics;
    assert_eq!(get(port, "/healthz").await.2, "ok\n");
    assert_eq!(get(port, "/metrics?x=y").await.0, 200);
    let head = raw(port, b"HEAD /metrics HTTP/1.1\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "404"),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", "404"),
        (b"DELETE /metrics HTTP/1.1\r\n\r\n", "405"),
        (b"PRI * HTTP/2.0\r\n\r\n", "505"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", "400"),
        (b"\r\n\r\n", "400"),
        (long.as_bytes(), "431"),
    ] {
        let answer = raw(port, request).await;
        assert_eq!(
            answer.split(' ').nth(1),
            Some(status),
            "{:?}: {answer}",
            &request[..16.min(request.len())]
        );
    }
    // Sockets that say nothing are closed in time, and do not keep the others out for longer.
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let started = Instant::now();
    eventually("a place is free again", async || {
        let answer = raw(port, b"GET /healthz HTTP/1.1\r\n\r\n").await;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(20));
    let mut answer = String::new();
    silent[0].read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_when_the_server_is_going() {
    let root = Root::new();
    let watched = Watched::start(&root, &["--shutdown-grace", "3s"]);
    let client = watched.server.client().await;
    let busy = tokio::spawn(async move { client.batch_execute(ENDLESS).await });
    let running = async || {
        let page = watched.scrape().await;
        (page.value("voxhouse_connections", &[("state", "active")]) == Some(1.0)).then_some(())
    };
    eventually("the statement runs", running).await;
    watched.server.signal("TERM");
    let unwell = async || (get(watched.metrics, "/healthz").await.0 == 503).then_some(());
    eventually("the server says that it is going", unwell).await;
    // Metrics are there to the end.
    watched.scrape().await;
    assert!(busy.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_off_unless_asked_for_and_an_address_in_use_is_an_error() {
    let root = Root::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::fs::write(root.beside("voxhouse.toml"), format!("metrics = '{address}'\nlisten = '127.0.0.1:0'\n"))
        .unwrap();
    let output = root.run("serve", &[]);
    assert!(!output.status.success());
    let said = process::both(&output);
    assert!(said.contains(&format!("listening for metrics requests on {address}")), "{said}");
    let refused = root.run("demo", &["--metrics", "127.0.0.1:0"]);
    assert!(process::both(&refused).contains("unexpected argument '--metrics'"));
}

/// The objects of a JSON log.
fn lines(server: &ServerProcess) -> Vec<Value> {
    let log = server.log();
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_logged_with_whose_they_are() {
    let root = Root::new();
    let server = root.serve_with(&["--log-format", "json", "--log-min-duration-statement", "0"]);
    let mut config = clients::config(server.port, process::PASSWORD);
    let (client, connection) = config.application_name("Monthly report").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    client.batch_execute("INSERT INTO t VALUES (1), (2)").await.unwrap();
    client.query("SELECT id FROM t WHERE id > $1", &[&0]).await.unwrap();
    refusal(&client, "SELECT 1 / 0").await;
    client.batch_execute("CREATE ROLE ana LOGIN PASSWORD 'sEsAmE'").await.unwrap();
    let pid = ask(&client, "SELECT pg_backend_pid()").await.pop().unwrap();
    let ids = ask(&client, "SELECT query_id, query FROM system.queries").await;
    let logged = lines(&server);
    let of = |text: &str| -> &Value {
        logged.iter().find(|line| line["statement"] == text).unwrap_or_else(|| panic!("{text}: {logged:#?}"))
    };
    for (text, rows, sqlstate) in [
        ("CREATE TABLE t (id int)", 0, "00000"),
        ("INSERT INTO t VALUES ($1) /*, ... */", 2, "00000"),
        ("SELECT id FROM t WHERE id > $1", 2, "00000"),
        ("SELECT $1 / $2", 0, "22012"),
        ("CREATE ROLE ana LOGIN PASSWORD $1", 0, "00000"),
    ] {
        let line = of(text);
        assert_eq!((&line["rows"], &line["sqlstate"]), (&rows.into(), &sqlstate.into()), "{line}");
        assert_eq!(line["pid"].to_string(), pid);
        assert_eq!((&line["role"], &line["database"]), (&"voxhouse".into(), &"voxhouse".into()));
        assert_eq!((&line["application_name"], &line["level"]), (&"Monthly report".into(), &"INFO".into()));
        assert_eq!(line["message"], "statement ended");
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0 && line["planning_ms"].is_f64(), "{line}");
        assert!(ids.contains(&format!("{}|{text}", line["query_id"])), "{line}");
    }
    assert!(!server.log().contains("sEsAmE"));

    // A superuser sets the threshold for a session; nobody else.
    client.batch_execute("SET log_min_duration_statement = '1h'; SELECT 'quiet'").await.unwrap();
    client.batch_execute("SET log_min_duration_statement = -1; SELECT 'quiet'").await.unwrap();
    assert!(lines(&server).iter().all(|line| line["statement"] != "SELECT $1"));
    assert_eq!(ask(&client, "SHOW log_min_duration_statement").await, ["-1"]);
    client.batch_execute("RESET log_min_duration_statement; SELECT 'loud'").await.unwrap();
    assert!(lines(&server).iter().any(|line| line["statement"] == "SELECT $1"));
    let mut config = clients::config(server.port, "sEsAmE");
    let (ana, connection) = config.user("ana").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let refused = refusal(&ana, "SET log_min_duration_statement = -1").await;
    let denied = "permission denied to set parameter \"log_min_duration_statement\"";
    assert_eq!(refused, ("42501".to_owned(), denied.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_store_is_always_logged() {
    let root = Root::new();
    let server = root.serve_in(&[("VOXHOUSE_LOG_FORMAT", "json")]);
    let client = server.client().await;
    client.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    refusal(&client, "SELECT 1 / 0").await;
    let data = std::fs::read_dir(root.inside("public/t")).unwrap().map(|entry| entry.unwrap().path());
    for file in data.filter(|path| path.extension().is_some_and(|extension| extension == "parquet")) {
        std::fs::remove_file(file).unwrap();
    }
    let (sqlstate, message) = refusal(&client, "SELECT id FROM t WHERE id > 0").await;
    assert!(sqlstate.starts_with("58"), "{sqlstate}: {message}");
    let id =
        ask(&client, "SELECT query_id FROM system.queries WHERE query = 'SELECT id FROM t WHERE id > $1'")
            .await;
    let pid = ask(&client, "SELECT pg_backend_pid()").await.pop().unwrap();
    // An error of the user is not the operator's business.
    let failed: Vec<Value> = lines(&server).into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    let line = &failed[0];
    assert_eq!(line["sqlstate"], sqlstate.as_str());
    assert_eq!((line["query_id"].to_string(), line["pid"].to_string()), (id[0].clone(), pid));
    assert!(line["message"].as_str().unwrap().contains(&message), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_for_people_has_the_same_in_plain_lines() {
    let root = Root::new();
    std::fs::write(root.beside("voxhouse.toml"), "log_min_duration_statement = '0'\n").unwrap();
    let server = root.serve();
    let client = server.client().await;
    ask(&client, "SELECT 'text'").await;
    let pid = ask(&client, "SELECT pg_backend_pid()").await.pop().unwrap();
    let log = server.log();
    let line =
        log.lines().find(|line| line.contains("statement=\"SELECT $1\"")).unwrap_or_else(|| panic!("{log}"));
    let session =
        format!("session{{pid={pid} role=\"voxhouse\" database=\"voxhouse\"}}:statement{{query_id=");
    assert!(line.contains(&session) && line.contains(" statement ended duration_ms="), "{line}");
}

/// The SQL between fences of a document.
fn sql_of(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository(document)).unwrap();
    let blocks = text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_guide_run() {
    let house = House::open().await;
    let client = house.client().await;
    let mut blocks = sql_of("docs/observability.md");
    assert!(blocks.len() >= 4);
    let readme: Vec<String> =
        sql_of("README.md").into_iter().filter(|block| block.contains("system.queries")).collect();
    assert_eq!(readme.len(), 1);
    blocks.extend(readme);
    for block in blocks {
        client.batch_execute(&block).await.unwrap_or_else(|error| panic!("{error:?}\n{block}"));
    }
    // The columns are those that the guide lists.
    let text = std::fs::read_to_string(repository("docs/observability.md")).unwrap();
    let section = text.split("### Columns\n").nth(1).unwrap().split("\n#").next().unwrap();
    let listed: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(" |").next())
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    let columns = "SELECT column_name FROM information_schema.columns \
                   WHERE table_schema = 'system' AND table_name = 'queries' ORDER BY ordinal_position";
    assert_eq!(ask(&client, columns).await, listed);
}
