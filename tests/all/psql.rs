//! psql, as people use it.

use crate::clients::{psql, psql_says};
use crate::server::{House, PASSWORD};

async fn house() -> House {
    let house = House::open().await;
    house
        .run("CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL, amount numeric(18,2) DEFAULT 0)")
        .await;
    house
        .run("COMMENT ON TABLE notes IS 'what was noted'; COMMENT ON COLUMN notes.body IS 'the words'")
        .await;
    house.run("CREATE VIEW recent AS SELECT id, body FROM notes").await;
    house
}

/// The commands one after the other, on one connection.
async fn say(house: &House, commands: &[&str]) -> String {
    let arguments: Vec<&str> = commands.iter().flat_map(|command| ["-c", command]).collect();
    let port = house.port;
    // The server shares this runtime: psql must not block its threads.
    let owned: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = owned.iter().map(String::as_str).collect();
        psql_says(port, PASSWORD, &arguments)
    })
    .await
    .unwrap()
}

fn assert_lines(said: &str, expected: &[&str]) {
    for line in expected {
        assert!(said.lines().any(|said| said == *line), "\"{line}\" is missing in\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_lists_tables_views_and_schemas() {
    let house = house().await;
    assert_lines(&say(&house, &["\\dt"]).await, &["Schema|Name|Type|Owner", "public|notes|table|voxhouse"]);
    assert_lines(
        &say(&house, &["\\dt x.*"]).await,
        &["x|events|table|voxhouse", "x|feedback|table|voxhouse", "(2 rows)"],
    );
    assert_lines(&say(&house, &["\\dv"]).await, &["public|recent|view|voxhouse"]);
    assert_lines(
        &say(&house, &["\\dv c360.*"]).await,
        &["c360|customers|view|voxhouse", "c360|timeline|view|voxhouse"],
    );
    let schemas = say(&house, &["\\dn"]).await;
    let names: Vec<&str> =
        schemas.lines().filter_map(|line| line.split_once('|')).map(|(name, _)| name).collect();
    assert_eq!(names, ["Name", "c360", "id", "journey", "o", "public", "roi", "system", "text", "x"]);
    assert_lines(&say(&house, &["\\dt+ notes"]).await, &["(1 row)"]);
    assert!(say(&house, &["\\dt+ notes"]).await.contains("what was noted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_describes_a_table() {
    let house = house().await;
    let said = say(&house, &["\\d notes"]).await;
    assert_lines(
        &said,
        &[
            "Table \"public.notes\"",
            "Column|Type|Collation|Nullable|Default",
            "id|bigint||not null|",
            "body|text||not null|",
            "amount|numeric(18,2)|||0",
            "Indexes:",
        ],
    );
    assert!(said.contains("\"notes_pkey\" PRIMARY KEY"), "{said}");
    let said = say(&house, &["\\d+ notes"]).await;
    assert!(said.contains("the words"), "{said}");
    let said = say(&house, &["\\d x.feedback"]).await;
    assert_lines(
        &said,
        &[
            "feedback_id|text||not null|",
            "score|double precision|||",
            "occurred_at|timestamp with time zone|||",
        ],
    );
    assert!(said.contains("Check constraints:") && said.contains("\"feedback_kind\" CHECK"), "{said}");
    let said = say(&house, &["\\d+ recent"]).await;
    assert!(said.contains("View definition:") && said.contains("notes"), "{said}");
    let output = psql_in_thread(&house, "\\d nothing").await;
    assert!(output.contains("Did not find any relation named \"nothing\"."), "{output}");
}

async fn psql_in_thread(house: &House, command: &'static str) -> String {
    let port = house.port;
    let output = tokio::task::spawn_blocking(move || psql(port, PASSWORD, &["-c", command])).await.unwrap();
    crate::process::both(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_lists_functions_databases_and_roles() {
    let house = house().await;
    let said = say(&house, &["\\df nps*"]).await;
    assert_lines(&said, &["Schema|Name|Result data type|Argument data types|Type"]);
    for name in ["nps", "nps_low", "nps_high", "nps_n", "nps_category"] {
        assert!(said.contains(&format!("|{name}|")), "{said}");
    }
    assert!(say(&house, &["\\df tokenize"]).await.contains("|tokenize|text[]|"));
    assert!(say(&house, &["\\l"]).await.contains("voxhouse|voxhouse|UTF8|"));
    assert!(say(&house, &["\\du"]).await.contains("voxhouse|"));
    assert!(say(&house, &["\\conninfo"]).await.contains("voxhouse"));
    // None of these has much to show; all must be answered.
    for command in [
        "\\d",
        "\\di",
        "\\dm",
        "\\ds",
        "\\dp",
        "\\dT",
        "\\dx",
        "\\df+ nps",
        "\\dn+",
        "\\dv+",
        "\\db",
        "\\sv recent",
        "\\dRp",
    ] {
        say(&house, &[command]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_fetches_a_large_answer_in_pieces() {
    let house = house().await;
    house.run("CREATE TABLE t AS SELECT i, 'row ' || i AS name FROM generate_series(1, 20000) AS g(i)").await;
    let said =
        say(&house, &["\\set FETCH_COUNT 700", "SELECT i, name FROM t ORDER BY i", "SELECT 'after'"]).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "i|name");
    assert_eq!((lines[1], lines[20_000]), ("1|row 1", "20000|row 20000"));
    assert_eq!(lines[20_001], "(20000 rows)");
    assert!(lines.contains(&"after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_shows_tags_notices_and_places_of_errors() {
    let house = house().await;
    let said = say(
        &house,
        &[
            "CREATE TABLE t (id int)",
            "INSERT INTO t VALUES (1), (2), (3)",
            "UPDATE t SET id = id + 1",
            "DELETE FROM t WHERE id > 3",
            "CREATE TABLE u AS SELECT * FROM t",
            "TRUNCATE t",
            "BEGIN",
            "COMMIT",
            "DROP TABLE t, u",
            "SET statement_timeout = 0",
        ],
    )
    .await;
    let tags: Vec<&str> = said.lines().collect();
    assert_eq!(
        tags,
        [
            "CREATE TABLE",
            "INSERT 0 3",
            "UPDATE 3",
            "DELETE 1",
            "SELECT 2",
            "TRUNCATE TABLE",
            "BEGIN",
            "COMMIT",
            "DROP TABLE",
            "SET"
        ]
    );
    let notice = psql_in_thread(&house, "CREATE TABLE IF NOT EXISTS notes (a int)").await;
    assert!(notice.contains("NOTICE:  relation \"notes\" already exists, skipping"), "{notice}");
    let error = psql_in_thread(&house, "SELECT id FORM notes WHERE").await;
    assert!(error.contains("ERROR:  syntax error at or near"), "{error}");
    assert!(error.contains("LINE 1: SELECT id FORM notes") && error.contains('^'), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_lists_privileges_and_memberships() {
    let house = house().await;
    house
        .run(
            "CREATE ROLE readers; CREATE USER ana CONNECTION LIMIT 2 VALID UNTIL '2031-01-01' IN ROLE readers;
             GRANT SELECT ON notes TO ana WITH GRANT OPTION; GRANT UPDATE (body) ON notes TO ana;
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO readers",
        )
        .await;
    let said = say(&house, &["\\dp notes"]).await;
    for item in
        ["public|notes|table|", "voxhouse=arwdDxt/voxhouse", "ana=r*/voxhouse", "body:", "ana=w/voxhouse"]
    {
        assert!(said.contains(item), "\"{item}\" is missing in\n{said}");
    }
    let said = say(&house, &["\\ddp"]).await;
    assert!(said.contains("voxhouse|public|table|readers=r/voxhouse"), "{said}");
    let said = say(&house, &["\\du ana"]).await;
    for item in ["ana|", "2 connections", "2031-01-01", "{readers}"] {
        assert!(said.contains(item), "\"{item}\" is missing in\n{said}");
    }
    let said = say(&house, &["\\dn+ public"]).await;
    assert!(said.contains("=U/voxhouse"), "{said}");
}
