//! Sessions seen from another session: `pg_stat_activity`, `pg_cancel_backend`, `pg_terminate_backend`, and timeouts.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::eventually;
use crate::process::{PASSWORD as ROOT_PASSWORD, Root};
use crate::server::{House, ask, refusal};

/// A query that would run for hours.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b";

async fn pid(client: &Client) -> String {
    ask(client, "SELECT pg_backend_pid()").await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn pg_stat_activity_shows_who_does_what() {
    let house = House::open().await;
    let (looker, other) = (house.client().await, house.client().await);
    other.batch_execute("SET application_name = 'loader'").await.unwrap();
    let other_pid = pid(&other).await;
    let of_other = |columns: &str| format!("SELECT {columns} FROM pg_stat_activity WHERE pid = {other_pid}");
    assert_eq!(
        ask(&looker, &of_other("state, query, application_name, usename, datname, client_addr")).await,
        ["idle|SELECT pg_backend_pid()|loader|voxhouse|voxhouse|127.0.0.1"]
    );
    assert_eq!(
        ask(
            &looker,
            &of_other("xact_start IS NULL, backend_start <= query_start, query_start <= state_change")
        )
        .await,
        ["t|t|t"]
    );
    other.batch_execute("BEGIN").await.unwrap();
    assert_eq!(
        ask(&looker, &of_other("state, xact_start = query_start, wait_event")).await,
        ["idle in transaction|t|ClientRead"]
    );
    assert!(other.batch_execute("SELECT nothing").await.is_err());
    assert_eq!(ask(&looker, &of_other("state")).await, ["idle in transaction (aborted)"]);
    other.batch_execute("ROLLBACK").await.unwrap();
    // Itself, while it looks; and everybody is there.
    let own = "SELECT state, query LIKE 'SELECT state%' FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    assert_eq!(ask(&looker, own).await, ["active|t"]);
    assert_eq!(ask(&looker, "SELECT count(*) FROM pg_stat_activity").await, ["2"]);
    // A statement of the extended protocol shows its text too.
    let rows = other.query("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()", &[]).await;
    assert!(rows.unwrap()[0].get::<_, &str>(0).starts_with("SELECT query FROM"));
    drop(other);
    let gone = async || ask(&looker, &of_other("pid")).await.is_empty().then_some(());
    eventually("the other one is gone", gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_cancel_and_terminate_each_other() {
    let house = House::open().await;
    let (boss, other) = (house.client().await, house.client().await);
    let other_pid = pid(&other).await;
    let cancel = async {
        let runs = format!("SELECT state FROM pg_stat_activity WHERE pid = {other_pid}");
        eventually("it runs", async || (ask(&boss, &runs).await == ["active"]).then_some(())).await;
        // Planned, described and explained, and not yet done.
        boss.prepare(&format!("SELECT pg_terminate_backend({other_pid})")).await.unwrap();
        ask(&boss, &format!("EXPLAIN SELECT pg_terminate_backend({other_pid})")).await;
        assert_eq!(ask(&boss, &format!("SELECT pg_cancel_backend({other_pid})")).await, ["t"]);
    };
    let (refused, ()) = tokio::join!(refusal(&other, ENDLESS), cancel);
    assert_eq!(refused, ("57014".into(), "canceling statement due to user request".into()));
    assert_eq!(ask(&other, "SELECT 1").await, ["1"]);
    assert_eq!(ask(&boss, "SELECT pg_cancel_backend(2147483647), pg_terminate_backend(-1)").await, ["f|f"]);
    assert_eq!(ask(&boss, "SELECT pg_cancel_backend(NULL)").await, ["NULL"]);
    // Of several at once, by what they are.
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    assert_eq!(ask(&boss, sql).await, ["t"]);
    let ended = async || other.simple_query("SELECT 1").await.is_err().then_some(());
    eventually("the other one has ended", ended).await;
    let own = ENDLESS.replace("count(*)", "count(*), bool_or(pg_cancel_backend(pg_backend_pid()))");
    // Oneself: the statement does not come back, the session does.
    assert_eq!(refusal(&boss, &own).await.0, "57014");
    assert_eq!(ask(&boss, "SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_sessions_end_by_their_settings() {
    let house = House::open().await;
    for (setting, sqlstate) in [
        ("idle_session_timeout = 300", "57P05"),
        ("idle_in_transaction_session_timeout = '300ms'; BEGIN", "25P03"),
    ] {
        let (client, connection) = crate::clients::config(house.port, crate::server::PASSWORD)
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        let ended = tokio::spawn(connection);
        client.batch_execute(&format!("SET {setting}")).await.unwrap();
        let error = ended.await.unwrap().unwrap_err();
        assert_eq!(error.code().map(|code| code.code()), Some(sqlstate), "{error:?}");
    }
}

/// psql, killed in the middle of a query: the work ends with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_psql_takes_its_query_with_it() {
    let root = Root::new();
    let server = root.serve();
    let client = server.client().await;
    let mut psql = Command::new("psql")
        .args(["-X", "-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "voxhouse", "-c", ENDLESS])
        .env("PGPASSWORD", ROOT_PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("psql could not be started: install the package postgresql-client");
    let others = "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    eventually("it runs", async || (ask(&client, others).await == ["active"]).then_some(())).await;
    psql.kill().unwrap();
    psql.wait().unwrap();
    let killed_at = Instant::now();
    eventually("it is gone", async || ask(&client, others).await.is_empty().then_some(())).await;
    assert!(killed_at.elapsed() < Duration::from_secs(1), "{:?}", killed_at.elapsed());
}

/// Another session, as a role that has a password.
async fn enter(house: &House, role: &str, options: &str) -> Client {
    let mut config = crate::clients::config(house.port, "their own");
    config.user(role).options(options);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_begin_with_what_their_role_and_database_say() {
    let house = House::open().await;
    let boss = house.client().await;
    for statement in [
        "CREATE ROLE ana LOGIN PASSWORD 'their own'",
        "CREATE ROLE bob LOGIN PASSWORD 'their own'",
        "ALTER ROLE ALL SET work_mem = '1MB'",
        "ALTER ROLE ALL SET IntervalStyle = 'iso_8601'",
        "ALTER DATABASE voxhouse SET work_mem = '2MB'",
        "ALTER DATABASE voxhouse SET TimeZone = 'Asia/Shanghai'",
        "ALTER ROLE ana SET work_mem = '3MB'",
        "ALTER ROLE ana SET DateStyle = 'German'",
        "ALTER ROLE ana IN DATABASE voxhouse SET work_mem = '4MB'",
        "ALTER ROLE ana SET log_statement = 'all'",
    ] {
        boss.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
    }
    // A session that is open keeps what it has.
    assert_eq!(ask(&boss, "SELECT current_setting('work_mem')").await, ["4MB"]);
    let shown = "SELECT current_setting('work_mem'), current_setting('TimeZone'), date '2026-03-05', interval '1 day'";
    let ana = enter(&house, "ana", "").await;
    assert_eq!(ask(&ana, shown).await, ["4MB|Asia/Shanghai|05.03.2026|P1D"]);
    assert_eq!(ask(&ana, "SHOW log_statement").await, ["all"]);
    let sources = "SELECT name, source, reset_val FROM pg_settings WHERE name IN \
                   ('work_mem', 'DateStyle', 'TimeZone', 'IntervalStyle') ORDER BY lower(name)";
    assert_eq!(
        ask(&ana, sources).await,
        [
            "DateStyle|user|German, DMY",
            "IntervalStyle|global|iso_8601",
            "TimeZone|database|Asia/Shanghai",
            "work_mem|database user|4096"
        ]
    );
    ana.batch_execute("SET work_mem = '9MB'; RESET work_mem").await.unwrap();
    assert_eq!(ask(&ana, "SHOW work_mem").await, ["4MB"]);
    // What the client asks for counts more.
    let asking = enter(&house, "ana", "-c work_mem=5MB").await;
    assert_eq!(ask(&asking, shown).await, ["5MB|Asia/Shanghai|05.03.2026|P1D"]);
    let bob = enter(&house, "bob", "").await;
    assert_eq!(ask(&bob, shown).await, ["2MB|Asia/Shanghai|2026-03-05|P1D"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_are_for_members_and_never_against_superusers() {
    let house = House::open().await;
    let boss = house.client().await;
    for statement in [
        "CREATE ROLE ana LOGIN PASSWORD 'their own'",
        "CREATE ROLE team",
        "CREATE ROLE bob LOGIN PASSWORD 'their own'",
        "CREATE ROLE guard LOGIN PASSWORD 'their own' IN ROLE pg_signal_backend",
        "CREATE ROLE lead LOGIN PASSWORD 'their own'",
        "GRANT ana TO lead",
        "CREATE ROLE deputy LOGIN PASSWORD 'their own'",
        "GRANT voxhouse TO deputy",
    ] {
        boss.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
    }
    let ana = enter(&house, "ana", "").await;
    let (ana_pid, boss_pid) = (pid(&ana).await, pid(&boss).await);
    let bob = enter(&house, "bob", "").await;
    for (call, expected) in [
        (
            "pg_cancel_backend",
            "must be a member of the role whose query is being canceled or member of pg_signal_backend",
        ),
        (
            "pg_terminate_backend",
            "must be a member of the role whose process is being terminated or member of pg_signal_backend",
        ),
    ] {
        let refused = refusal(&bob, &format!("SELECT {call}({ana_pid})")).await;
        assert_eq!(refused, ("42501".to_owned(), expected.to_owned()));
    }
    for role in ["guard", "lead", "bob", "deputy"] {
        let client = enter(&house, role, "").await;
        for (call, expected) in [
            ("pg_cancel_backend", "must be a superuser to cancel superuser query"),
            ("pg_terminate_backend", "must be a superuser to terminate superuser process"),
        ] {
            let refused = refusal(&client, &format!("SELECT {call}({boss_pid})")).await;
            assert_eq!(refused, ("42501".to_owned(), expected.to_owned()), "{role}");
        }
        if role == "guard" || role == "lead" {
            assert_eq!(ask(&client, &format!("SELECT pg_cancel_backend({ana_pid})")).await, ["t"], "{role}");
        }
    }
    let guard = enter(&house, "guard", "").await;
    assert_eq!(ask(&guard, &format!("SELECT pg_terminate_backend({ana_pid})")).await, ["t"]);
    let ended = async || ana.simple_query("SELECT 1").await.is_err().then_some(());
    eventually("the session has ended", ended).await;
}
