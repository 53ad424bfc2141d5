//! Privileges: every way to a table is closed to a role that was not let in, and open to one that was.
//!
//! A case is a statement with the grants that it takes, no more and no less: with all of them it runs, and with any
//! one of them left out it is refused with 42501.

use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio_postgres::{Client, NoTls};
use voxhouse_engine::storage::{Storage, StoreOptions};
use voxhouse_sql::instance::{Instance, InstanceOptions, OWNER};

use crate::clients;
use crate::server::{House, ask, refusal};

/// What a role without any privilege must be refused with.
const DENIED: &str = "42501";

struct Case {
    sql: String,
    grants: Vec<String>,
}

fn case(sql: impl Into<String>, grants: &[&str]) -> Case {
    Case { sql: sql.into(), grants: grants.iter().map(|grant| (*grant).to_owned()).collect() }
}

/// A warehouse with a table that is secret, and a role with a schema of its own.
async fn warehouse() -> House {
    let house = House::open().await;
    house
        .run(
            "CREATE ROLE ana; CREATE SCHEMA s; CREATE SCHEMA mine AUTHORIZATION ana;
             CREATE TABLE s.t (id bigint, name text, secret text);
             INSERT INTO s.t VALUES (1, 'one', 'x'), (2, 'two', 'y');
             CREATE TABLE s.other (id bigint, note text);
             INSERT INTO s.other VALUES (1, 'n');
             CREATE VIEW s.v AS SELECT id, name FROM s.t;
             CREATE MATERIALIZED VIEW s.m AS SELECT id, name FROM s.t;
             SET ROLE ana; CREATE TABLE mine.sink (n bigint); INSERT INTO mine.sink VALUES (0)",
        )
        .await;
    house
}

async fn as_ana(house: &House, sql: &str) -> Result<(), String> {
    let mut session = house.instance.session("ana").unwrap();
    match session.run(sql).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{}: {error}", error.sqlstate())),
    }
}

async fn grant(house: &House, grants: &[String]) {
    for one in grants {
        house.run(&format!("GRANT {one} TO ana")).await;
    }
}

async fn revoke(house: &House, grants: &[String]) {
    for one in grants {
        house.run(&format!("REVOKE {one} FROM ana")).await;
    }
}

/// Runs a case with all its grants, and with each of them missing; what is wrong goes into `faults`.
async fn run(house: &House, case: &Case, clean_up: &str, faults: &mut Vec<String>) {
    for missing in 0..case.grants.len() {
        let mut some = case.grants.clone();
        let left_out = some.remove(missing);
        grant(house, &some).await;
        match as_ana(house, &case.sql).await {
            Err(error) if error.starts_with(DENIED) => {}
            other => faults.push(format!("without \"{left_out}\" {other:?}: {}", case.sql)),
        }
        revoke(house, &some).await;
    }
    grant(house, &case.grants).await;
    if let Err(error) = as_ana(house, &case.sql).await {
        faults.push(format!("with {:?} {error}: {}", case.grants, case.sql));
    }
    revoke(house, &case.grants).await;
    if !clean_up.is_empty() {
        house.run(clean_up).await;
    }
}

const USAGE: &str = "USAGE ON SCHEMA s";
const SELECT: &str = "SELECT ON s.t";

/// Queries, with what they take on tables and on columns.
fn queries() -> Vec<Case> {
    let columns = |sql: &str, columns: &[&str]| {
        let mut grants = vec![USAGE.to_owned()];
        grants.extend(columns.iter().map(|column| format!("SELECT ({column}) ON s.t")));
        Case { sql: sql.to_owned(), grants }
    };
    let other = |sql: &str, on_t: &[&str]| {
        let mut case = columns(sql, on_t);
        case.grants.push("SELECT (id) ON s.other".to_owned());
        case
    };
    vec![
        case("SELECT * FROM s.t", &[USAGE, SELECT]),
        case("SELECT name FROM s.v", &[USAGE, "SELECT ON s.v"]),
        case("SELECT name FROM s.v", &[USAGE, "SELECT (name) ON s.v"]),
        case("SELECT name FROM s.m", &[USAGE, "SELECT ON s.m"]),
        case("SELECT name FROM s.t VERSION AS OF 1", &[USAGE, SELECT]),
        columns("SELECT name FROM s.t VERSION AS OF 1 q", &["name"]),
        columns("SELECT * FROM s.t", &["id", "name", "secret"]),
        columns("SELECT t.* FROM s.t", &["id", "name", "secret"]),
        columns("SELECT name FROM s.t", &["name"]),
        columns("SELECT count(*) FROM s.t", &["id"]),
        columns("SELECT 1 FROM s.t", &["secret"]),
        columns("SELECT name FROM s.t WHERE secret = 'x'", &["name", "secret"]),
        columns("SELECT name FROM s.t WHERE CAST(secret AS text) LIKE 'x%'", &["name", "secret"]),
        columns("SELECT name FROM s.t ORDER BY secret", &["name", "secret"]),
        columns("SELECT count(*) FROM s.t GROUP BY secret", &["secret"]),
        columns("SELECT name FROM s.t GROUP BY name HAVING max(secret) > 'a'", &["name", "secret"]),
        columns("SELECT count(*) FILTER (WHERE secret = 'x') FROM s.t", &["secret"]),
        columns("SELECT row_number() OVER (ORDER BY secret) FROM s.t", &["secret"]),
        columns("SELECT name, sum(id) OVER (PARTITION BY name) FROM s.t", &["name", "id"]),
        columns("SELECT DISTINCT ON (secret) name FROM s.t ORDER BY secret", &["name", "secret"]),
        columns("SELECT DISTINCT name FROM s.t", &["name"]),
        columns("SELECT a.name FROM (SELECT name, id FROM s.t) a", &["name", "id"]),
        columns("SELECT a.name FROM (SELECT * FROM s.t) a", &["id", "name", "secret"]),
        columns("WITH a AS (SELECT name, secret FROM s.t) SELECT name FROM a", &["name", "secret"]),
        columns("SELECT name FROM s.t UNION ALL SELECT secret FROM s.t", &["name", "secret"]),
        columns("SELECT name FROM s.t EXCEPT SELECT secret FROM s.t", &["name", "secret"]),
        columns("SELECT CASE WHEN secret = 'x' THEN 1 END FROM s.t", &["secret"]),
        columns("SELECT a.name FROM s.t a JOIN s.t b ON a.id = b.id", &["name", "id"]),
        columns("SELECT name FROM s.t a JOIN (SELECT id FROM s.t) b USING (id)", &["name", "id"]),
        other("SELECT t.name FROM s.t JOIN s.other o ON o.id = t.id", &["name", "id"]),
        other("SELECT name FROM s.t WHERE id IN (SELECT id FROM s.other)", &["name", "id"]),
        other(
            "SELECT name FROM s.t WHERE EXISTS (SELECT 1 FROM s.other o WHERE o.id = t.id)",
            &["name", "id"],
        ),
        other("SELECT (SELECT max(t.secret) FROM s.t WHERE t.id = o.id) FROM s.other o", &["secret", "id"]),
        other(
            "SELECT o.id FROM s.other o, LATERAL (SELECT secret FROM s.t WHERE t.id = o.id) l",
            &["secret", "id"],
        ),
        other(
            "SELECT o.id FROM s.other o LEFT JOIN s.t ON t.id = o.id AND t.secret = 'x'",
            &["secret", "id"],
        ),
    ]
}

/// Ways to run a query, each with what undoes it.
fn ways(query: &str) -> Vec<(String, &'static str)> {
    vec![
        (query.to_owned(), ""),
        (format!("EXPLAIN {query}"), ""),
        (format!("EXPLAIN ANALYZE {query}"), ""),
        (format!("SELECT 1 AS one FROM ({query}) AS q"), ""),
        (format!("SELECT 1 AS one WHERE EXISTS ({query})"), ""),
        (format!("DECLARE c CURSOR WITH HOLD FOR {query}"), ""),
        (format!("CREATE TABLE mine.made AS SELECT 1 AS one FROM ({query}) AS q"), "DROP TABLE mine.made"),
        (
            format!("CREATE MATERIALIZED VIEW mine.made AS SELECT 1 AS one FROM ({query}) AS q"),
            "DROP MATERIALIZED VIEW mine.made",
        ),
        (format!("CREATE VIEW mine.made AS SELECT 1 AS one FROM ({query}) AS q"), "DROP VIEW mine.made"),
        (format!("INSERT INTO mine.sink SELECT 1 FROM ({query}) AS q"), ""),
        (format!("UPDATE mine.sink SET n = 1 WHERE EXISTS ({query})"), ""),
        (format!("UPDATE mine.sink SET n = (SELECT count(*) FROM ({query}) AS q)"), ""),
        (format!("DELETE FROM mine.sink WHERE EXISTS ({query}) AND n > 100"), ""),
        (
            format!(
                "MERGE INTO mine.sink USING (SELECT DISTINCT 7 AS one FROM ({query}) AS q) AS f ON sink.n = f.one \
                 WHEN NOT MATCHED THEN INSERT (n) VALUES (f.one)"
            ),
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_takes_what_it_names() {
    let house = warehouse().await;
    let mut faults = Vec::new();
    for case in queries() {
        run(&house, &case, "", &mut faults).await;
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_run_a_query_takes_what_the_query_takes() {
    let house = warehouse().await;
    let mut faults = Vec::new();
    let queries = [
        case("SELECT id, name FROM s.t", &[USAGE, SELECT]),
        case(
            "SELECT name FROM s.t WHERE secret > ''",
            &[USAGE, "SELECT (name) ON s.t", "SELECT (secret) ON s.t"],
        ),
        case("SELECT name FROM s.v", &[USAGE, "SELECT ON s.v"]),
        case("SELECT name FROM s.m", &[USAGE, "SELECT ON s.m"]),
    ];
    for Case { sql, grants } in queries {
        for (sql, clean_up) in ways(&sql) {
            run(&house, &Case { sql, grants: grants.clone() }, clean_up, &mut faults).await;
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_takes_its_own_privilege_and_those_of_what_it_reads() {
    let house = warehouse().await;
    let (insert, update, delete) = ("INSERT ON s.t", "UPDATE ON s.t", "DELETE ON s.t");
    let merge = "MERGE INTO s.t USING (SELECT 9 AS id, 'nine' AS name) AS f ON t.id = f.id";
    let cases = [
        case("INSERT INTO s.t VALUES (3, 'three', 'z')", &[USAGE, insert]),
        case("INSERT INTO s.t (id, name) VALUES (3, 'three')", &[USAGE, "INSERT (id, name) ON s.t"]),
        case("INSERT INTO s.t (id) VALUES (3)", &[USAGE, "INSERT (id) ON s.t"]),
        case(
            "INSERT INTO s.t (id, name) SELECT id, note FROM s.other",
            &[USAGE, insert, "SELECT ON s.other"],
        ),
        case("UPDATE s.t SET name = 'n'", &[USAGE, update]),
        case("UPDATE s.t SET name = 'n'", &[USAGE, "UPDATE (name) ON s.t"]),
        case("UPDATE s.t SET name = 'n' WHERE id = 1", &[USAGE, update, "SELECT (id) ON s.t"]),
        case("UPDATE s.t SET name = secret WHERE id = 1", &[USAGE, update, "SELECT (id, secret) ON s.t"]),
        case(
            "UPDATE s.t SET name = 'n' WHERE secret = 'x'",
            &[USAGE, "UPDATE (name) ON s.t", "SELECT (secret) ON s.t"],
        ),
        case(
            "UPDATE s.t SET name = (SELECT max(note) FROM s.other)",
            &[USAGE, update, "SELECT (note) ON s.other"],
        ),
        case("DELETE FROM s.t WHERE id = 77", &[USAGE, delete, "SELECT (id) ON s.t"]),
        case("DELETE FROM s.t WHERE secret = 'none'", &[USAGE, delete, SELECT]),
        case("TRUNCATE s.other", &[USAGE, "TRUNCATE ON s.other"]),
        case("DELETE FROM s.other", &[USAGE, "DELETE ON s.other"]),
        // There is no row to change by now, and still the subquery is refused.
        case(
            "UPDATE s.other SET note = (SELECT max(secret) FROM s.t)",
            &[USAGE, "UPDATE ON s.other", SELECT],
        ),
        case(
            format!("{merge} WHEN MATCHED THEN UPDATE SET name = f.name"),
            &[USAGE, "UPDATE (name) ON s.t", "SELECT (id) ON s.t"],
        ),
        case(format!("{merge} WHEN MATCHED THEN DELETE"), &[USAGE, delete, "SELECT (id) ON s.t"]),
        case(
            format!("{merge} WHEN MATCHED AND t.secret = 'x' THEN DELETE"),
            &[USAGE, delete, "SELECT (id) ON s.t", "SELECT (secret) ON s.t"],
        ),
        case(
            format!("{merge} WHEN NOT MATCHED THEN INSERT (id, name) VALUES (f.id, f.name)"),
            &[USAGE, "INSERT (id, name) ON s.t", "SELECT (id) ON s.t"],
        ),
        case("CREATE TABLE s.made (a int)", &["CREATE ON SCHEMA s"]),
        case("CREATE TABLE s.made2 AS SELECT 1 AS a", &["CREATE ON SCHEMA s"]),
        case("CREATE VIEW s.made3 AS SELECT 1 AS a", &["CREATE ON SCHEMA s"]),
        case("CREATE SCHEMA made", &["CREATE ON DATABASE voxhouse"]),
        case(
            "CREATE PIPE made FROM 'landing/t/' INTO s.t FORMAT csv",
            &[USAGE, "CREATE ON SCHEMA s", insert],
        ),
        case(
            "CREATE PIPE made2 FROM 'file:///etc/' INTO s.t FORMAT csv",
            &[USAGE, "CREATE ON SCHEMA s", insert, "voxhouse_read_server_files"],
        ),
        case(
            "CREATE PIPE made3 FROM 's3://elsewhere/folder/' INTO s.t FORMAT csv",
            &[USAGE, "CREATE ON SCHEMA s", insert, "pg_read_server_files"],
        ),
        case("SELECT * FROM system.rejects", &["voxhouse_monitor"]),
        case("SELECT * FROM system.loads", &["pg_monitor"]),
        case("SELECT * FROM system.loads", &["SELECT ON system.loads"]),
        case("SELECT file FROM system.loads", &["SELECT (file) ON system.loads"]),
        case("SELECT * FROM id.records", &["USAGE ON SCHEMA id", "SELECT ON ALL TABLES IN SCHEMA id"]),
        case("SELECT * FROM x.nps", &["USAGE ON SCHEMA x", "SELECT ON x.nps"]),
        case("SELECT * FROM s.t", &["pg_read_all_data"]),
        case("INSERT INTO s.t VALUES (4, 'four', 'w')", &["pg_write_all_data"]),
    ];
    let mut faults = Vec::new();
    for case in cases {
        run(&house, &case, "", &mut faults).await;
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_grant_allows_is_refused_with_every_grant() {
    let house = warehouse().await;
    house
        .run(
            "CREATE PIPE secret_pipe FROM 'landing/s/' INTO s.t FORMAT csv;
             GRANT ALL ON ALL TABLES IN SCHEMA s TO ana; GRANT ALL ON SCHEMA s TO ana; GRANT ALL ON DATABASE voxhouse TO ana",
        )
        .await;
    let owners_only = [
        "DROP TABLE s.t",
        "DROP VIEW s.v",
        "DROP MATERIALIZED VIEW s.m",
        "DROP SCHEMA s CASCADE",
        "ALTER TABLE s.t ADD COLUMN more text",
        "ALTER TABLE s.t RENAME TO u",
        "ALTER TABLE s.t OWNER TO ana",
        "ALTER SCHEMA s OWNER TO ana",
        "COMMENT ON TABLE s.t IS 'mine'",
        "COMMENT ON COLUMN s.t.id IS 'mine'",
        "REFRESH MATERIALIZED VIEW s.m",
        "CREATE OR REPLACE VIEW s.v AS SELECT id, secret AS name FROM s.t",
        "DROP PIPE secret_pipe",
        "COMMENT ON PIPE secret_pipe IS 'mine'",
        "CALL system.run_pipe('secret_pipe')",
        "CREATE OR REPLACE PIPE secret_pipe FROM 'landing/' INTO s.t FORMAT csv",
        "CREATE PIPE thief FROM '_system/catalog/' INTO mine.sink FORMAT parquet",
        "CREATE PIPE thief FROM '/_system//catalog/' INTO mine.sink FORMAT parquet",
        "CREATE PIPE thief FROM 's/t/' INTO mine.sink FORMAT parquet",
        "CREATE PIPE thief FROM 's' INTO mine.sink FORMAT parquet",
        "CREATE PIPE thief FROM '' INTO mine.sink FORMAT parquet",
        "CREATE ROLE other",
        "GRANT voxhouse TO ana",
        "GRANT voxhouse_monitor TO ana",
        "SET ROLE voxhouse",
        "SET SESSION AUTHORIZATION voxhouse",
        "REASSIGN OWNED BY voxhouse TO ana",
        "DROP OWNED BY voxhouse",
        "ALTER DEFAULT PRIVILEGES FOR ROLE voxhouse GRANT SELECT ON TABLES TO ana",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_catalog.pg_shadow",
        "SELECT * FROM system.pipes",
        "SELECT * FROM system.tables",
        "SELECT * FROM c360.customers",
    ];
    let mut faults = Vec::new();
    for sql in owners_only {
        match as_ana(&house, sql).await {
            Err(error) if error.starts_with(DENIED) => {}
            other => faults.push(format!("{other:?}: {sql}")),
        }
    }
    // What passes by the privileges of tables is not there at all.
    let closed = [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM 'file:///etc/passwd'",
        "SELECT * FROM \"/etc/hostname.csv\"",
        "SELECT * FROM \"s3://elsewhere/a.parquet\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE EXTERNAL TABLE mine.e (a text) STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE FOREIGN TABLE mine.e (a text) SERVER f",
        "COPY mine.sink FROM '/etc/passwd'",
        "COPY mine.sink TO '/tmp/voxhouse-leak'",
        "COPY mine.sink TO PROGRAM 'cat'",
        "LOAD 'library'",
        "INSTALL something",
        "ATTACH '/etc/passwd' AS e",
    ];
    for sql in closed {
        if as_ana(&house, sql).await.is_ok() {
            faults.push(format!("it ran: {sql}"));
        }
        if house.session().run(sql).await.is_ok() {
            faults.push(format!("it ran for a superuser: {sql}"));
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn views_and_pipes_run_with_the_rights_of_their_owners() {
    let house = warehouse().await;
    house
        .run(
            "CREATE ROLE bob; GRANT USAGE ON SCHEMA s TO bob, ana; GRANT SELECT ON s.t TO bob;
             CREATE SCHEMA shared AUTHORIZATION bob; SET ROLE bob; CREATE VIEW shared.names AS SELECT name FROM s.t;
             GRANT USAGE ON SCHEMA shared TO ana; GRANT SELECT ON shared.names TO ana",
        )
        .await;
    as_ana(&house, "SELECT name FROM shared.names").await.unwrap();
    let error = as_ana(&house, "SELECT secret FROM s.t").await.unwrap_err();
    assert_eq!(error, "42501: permission denied for table t");
    // The owner lost the right: the view is closed to all, superusers too.
    house.run("REVOKE SELECT ON s.t FROM bob").await;
    assert!(as_ana(&house, "SELECT name FROM shared.names").await.unwrap_err().starts_with(DENIED));
    let error = house.session().run("SELECT name FROM shared.names").await.unwrap_err();
    assert_eq!(error.sqlstate(), DENIED);

    house
        .run(
            "GRANT INSERT ON s.other TO bob; GRANT CREATE ON SCHEMA s TO bob; SET ROLE bob;
             CREATE PIPE notes FROM 'landing/notes/' INTO s.other FORMAT csv; GRANT USAGE ON PIPE notes TO ana",
        )
        .await;
    house.put("landing/notes/a.csv", "id,note\n5,five\n").await;
    as_ana(&house, "CALL system.run_pipe('notes')").await.unwrap();
    assert_eq!(house.run("SELECT note FROM s.other WHERE id = 5").await, ["five"]);
    house.put("landing/notes/b.csv", "id,note\n6,six\n").await;
    house.run("REVOKE INSERT ON s.other FROM bob").await;
    assert!(as_ana(&house, "CALL system.run_pipe('notes')").await.unwrap_err().starts_with(DENIED));
    assert_eq!(house.run("SELECT count(*) FROM s.other WHERE id = 6").await, ["0"]);
}

async fn log_in(house: &House, role: &str, password: &str) -> Result<Client, String> {
    let (client, connection) =
        clients::config(house.port, password).user(role).connect(NoTls).await.map_err(|error| {
            error.code().map_or_else(|| format!("{error:?}"), |code| code.code().to_owned())
        })?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_counts_at_the_next_execution_of_a_prepared_statement() {
    let house = warehouse().await;
    let owner = house.client().await;
    owner
        .batch_execute(
            "ALTER ROLE ana LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA s TO ana; GRANT SELECT (id, name) ON s.t TO ana;
             GRANT INSERT ON s.other TO ana",
        )
        .await
        .unwrap();
    let ana = log_in(&house, "ana", "pw").await.unwrap();
    let read = ana.prepare("SELECT name FROM s.t WHERE id = $1").await.unwrap();
    let write = ana.prepare("INSERT INTO s.other VALUES ($1, 'w')").await.unwrap();
    assert_eq!(ana.query(&read, &[&1_i64]).await.unwrap().len(), 1);
    assert_eq!(ana.execute(&write, &[&1_i64]).await.unwrap(), 1);
    owner
        .batch_execute("REVOKE SELECT (name) ON s.t FROM ana; REVOKE INSERT ON s.other FROM ana")
        .await
        .unwrap();
    for error in [ana.query(&read, &[&1_i64]).await.err(), ana.execute(&write, &[&1_i64]).await.err()] {
        assert_eq!(error.unwrap().code().unwrap().code(), DENIED);
    }
    owner.batch_execute("GRANT SELECT ON s.t TO ana").await.unwrap();
    assert_eq!(ana.query(&read, &[&1_i64]).await.unwrap().len(), 1);
    // The same statement, as another role.
    owner.batch_execute("CREATE ROLE nobody; GRANT nobody TO ana").await.unwrap();
    ana.batch_execute("SET ROLE nobody").await.unwrap();
    assert_eq!(ana.query(&read, &[&1_i64]).await.err().unwrap().code().unwrap().code(), DENIED);
    ana.batch_execute("RESET ROLE").await.unwrap();
    assert_eq!(ana.query(&read, &[&1_i64]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_logs_in_while_it_may() {
    let house = warehouse().await;
    let owner = house.client().await;
    assert_eq!(log_in(&house, "ana", "pw").await.err().unwrap(), "28P01");
    owner.batch_execute("ALTER ROLE ana LOGIN PASSWORD 'pw' VALID UNTIL '2999-01-01'").await.unwrap();
    let ana = log_in(&house, "ana", "pw").await.unwrap();
    assert_eq!(ask(&ana, "SELECT current_user, session_user").await, ["ana|ana"]);
    assert_eq!(refusal(&ana, "SELECT * FROM s.t").await.1, "permission denied for schema s");
    assert_eq!(refusal(&ana, "SET ROLE voxhouse").await.0, DENIED);
    owner.batch_execute("ALTER ROLE ana VALID UNTIL '2001-01-01'").await.unwrap();
    assert_eq!(log_in(&house, "ana", "pw").await.err().unwrap(), "28P01");
    owner
        .batch_execute(
            "ALTER ROLE ana VALID UNTIL 'infinity'; REVOKE CONNECT ON DATABASE voxhouse FROM PUBLIC",
        )
        .await
        .unwrap();
    assert_eq!(log_in(&house, "ana", "pw").await.err().unwrap(), DENIED);
    owner.batch_execute("GRANT CONNECT ON DATABASE voxhouse TO ana").await.unwrap();
    log_in(&house, "ana", "pw").await.unwrap();
    owner.batch_execute("ALTER ROLE ana PASSWORD NULL").await.unwrap();
    assert_eq!(log_in(&house, "ana", "pw").await.err().unwrap(), "28P01");
    // A role may not be set at log-in past the checks of SET ROLE.
    owner.batch_execute("ALTER ROLE ana PASSWORD 'pw'").await.unwrap();
    let mut config = clients::config(house.port, "pw");
    let sly = config.user("ana").options("-c role=voxhouse").connect(NoTls).await;
    assert!(sly.is_err());
}

/// Everything that the files of a folder say, those of Parquet by their values.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&all_text(&path));
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            let file = std::fs::File::open(&path).unwrap();
            for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
                text.push_str(&format!("{:?}", batch.unwrap().columns()));
            }
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_nowhere_to_be_found() {
    const SECRETS: [&str; 3] = ["tr0ub4dor", "c0rrecthorse", "unquoted_secret"];
    let root = tempfile::tempdir().unwrap();
    let storage = Storage::open(root.path().to_str().unwrap(), &StoreOptions::default()).unwrap();
    let instance = Instance::open(storage, &InstanceOptions::default()).await.unwrap();
    let mut session = instance.session(OWNER).unwrap();
    session.run("CREATE ROLE ana LOGIN PASSWORD 'tr0ub4dor' VALID UNTIL '2031-01-01'").await.unwrap();
    session.run("ALTER USER ana ENCRYPTED PASSWORD $$c0rrecthorse$$").await.unwrap();
    for wrong in [
        "CREATE ROLE bob PASSWORD unquoted_secret",
        "ALTER ROLE ana PASSWORD 'tr0ub4dor' nonsense 'c0rrecthorse'",
        "ALTER ROLE ana PASSWORD = 'tr0ub4dor'",
        "ALTER ROLE ana ENCRYPTED 'tr0ub4dor'",
        "CREATE USER ana PASSWORD 'c0rrecthorse'",
    ] {
        let Err(error) = session.run(wrong).await else { panic!("it ran: {wrong}") };
        let told = format!("{error} {error:?}");
        assert!(!SECRETS.iter().any(|secret| told.contains(secret)), "{told}");
    }
    let kept = all_text(root.path());
    assert!(kept.contains("CREATE ROLE ana LOGIN PASSWORD '********' VALID UNTIL '2031-01-01'"));
    assert!(kept.contains("SCRAM-SHA-256$4096:"));
    for secret in SECRETS {
        assert!(!kept.contains(secret), "{secret} is kept");
    }
}
