//! Rules of tables with pipes that change and replace rows: what a rejected row, a refused file and a broken expectation
//! mean for the rows that are there.

use crate::server::House;

const ACCOUNTS: &str = "SELECT id, amount FROM accounts ORDER BY id";
const FAILURES: &str = "SELECT split_part(file, '/', 3), sqlstate, split_part(error, '.', 1) FROM system.loads \
                        WHERE state = 'failed' ORDER BY file, started_at";
const QUALITY: &str = "SELECT split_part(file, '/', 3), rule, version IS NOT NULL, rows_checked, rows_violating \
                       FROM system.quality ORDER BY file, checked_at, rule";

/// Accounts, with a pipe of a mode into them.
async fn accounts(mode: &str, rules: &[&str]) -> House {
    let house = House::open().await;
    house.run("CREATE TABLE accounts (id bigint PRIMARY KEY, amount numeric(18,2), seen int)").await;
    let format = if mode == "change feed" { "ndjson" } else { "csv" };
    house
        .run(&format!(
            "CREATE PIPE accounts FROM 'landing/accounts/' INTO accounts FORMAT {format} MODE {mode}"
        ))
        .await;
    for rule in rules {
        house.run(&format!("ALTER TABLE accounts ADD CONSTRAINT {rule}")).await;
    }
    house
}

async fn put(house: &House, name: &str, content: &str) {
    house.put(&format!("landing/accounts/{name}"), content.to_owned()).await;
}

async fn load(house: &House) -> String {
    house.run("CALL system.run_pipe('accounts')").await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_an_upsert_rejects_leaves_the_old_one() {
    let house = accounts(
        "upsert NEWEST BY seen",
        &["positive CHECK (amount > 0)", "small CHECK (amount < 100) ON VIOLATION WARN"],
    )
    .await;
    put(&house, "a.csv", "id,amount,seen\n1,5,1\n2,5,1\n").await;
    load(&house).await;
    put(&house, "b.csv", "id,amount,seen\n1,-1,2\n2,500,2\n3,7,2\n,7,2\n").await;
    assert_eq!(load(&house).await, "1|0|0|2|2");
    assert_eq!(house.run(ACCOUNTS).await, ["1|5.00", "2|500.00", "3|7.00"]);
    // The key tells which row is replaced; it is no rule here.
    assert_eq!(
        house.run(QUALITY).await,
        [
            "a.csv|accounts_id_not_null|t|2|0",
            "a.csv|positive|t|2|0",
            "a.csv|small|t|2|0",
            "b.csv|accounts_id_not_null|t|4|1",
            "b.csv|positive|t|4|1",
            "b.csv|small|t|4|1",
        ]
    );
    // Once the rule is gone the row is loaded after all, unless a newer one has come.
    put(&house, "c.csv", "id,amount,seen\n3,8,9\n").await;
    load(&house).await;
    house.run("ALTER TABLE accounts DROP CONSTRAINT positive").await;
    house.run("UPDATE accounts SET seen = 9 WHERE id = 1").await;
    assert_eq!(house.run("CALL system.replay_rejects(pipe => 'accounts')").await, ["1|0|1|1|0"]);
    assert_eq!(house.run(ACCOUNTS).await, ["1|5.00", "2|500.00", "3|8.00"]);
    house.run("UPDATE accounts SET seen = 0 WHERE id = 1").await;
    put(&house, "d.csv", "id,amount,seen\n1,-1,2\n").await;
    load(&house).await;
    assert_eq!(house.run(ACCOUNTS).await[0], "1|-1.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_an_upsert_refuses_changes_nothing_and_the_others_enter() {
    let rules = ["positive CHECK (amount > 0) ON VIOLATION FAIL", "enough EXPECT (count(*) >= 2)"];
    let house = accounts("upsert", &rules).await;
    put(&house, "a.csv", "id,amount,seen\n1,5,1\n2,5,1\n").await;
    put(&house, "b.csv", "id,amount,seen\n1,6,1\n2,-1,1\n").await;
    put(&house, "c.csv", "id,amount,seen\n1,7,1\n").await;
    // Asked are the rows of the file, before they compete with each other.
    put(&house, "d.csv", "id,amount,seen\n3,8,1\n3,9,1\n").await;
    assert_eq!(load(&house).await, "2|2|0|4|0");
    assert_eq!(house.run(ACCOUNTS).await, ["1|5.00", "2|5.00", "3|9.00"]);
    assert_eq!(
        house.run(FAILURES).await,
        [
            "b.csv|23514|new row for relation \"accounts\" violates check constraint \"positive\"",
            "c.csv|23514|load into relation \"accounts\" violates expectation \"enough\"",
        ]
    );
    let told = house.run(QUALITY).await;
    for expected in ["b.csv|positive|f|2|1", "c.csv|enough|f|1|1", "d.csv|enough|t|2|0"] {
        assert!(told.iter().any(|line| line == expected), "{expected}: {told:?}");
    }
    // They are tried again when the rules are others, in their order: the later file counts.
    house.run("ALTER TABLE accounts DROP CONSTRAINT positive").await;
    house.run("ALTER TABLE accounts DROP CONSTRAINT enough").await;
    assert_eq!(load(&house).await, "2|0|0|3|0");
    assert_eq!(house.run(ACCOUNTS).await, ["1|7.00", "2|-1.00", "3|9.00"]);
    assert_eq!(load(&house).await, "0|0|0|0|0");
}

fn event(op: &str, id: &str, amount: &str, lsn: u32) -> String {
    let row = format!("{{\"id\":{id},\"amount\":{amount},\"seen\":1}}");
    let (before, after) = if op == "d" { (row.as_str(), "null") } else { ("null", row.as_str()) };
    format!(
        "{{\"op\":\"{op}\",\"before\":{before},\"after\":{after},\"source\":{{\"lsn\":{lsn}}},\"ts_ms\":1}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_feed_holds_rows_to_rules_and_deletions_to_their_key() {
    let rules = [
        "positive CHECK (amount > 0)",
        "small CHECK (amount < 100) ON VIOLATION WARN",
        "enough EXPECT (count(*) >= 1) ON VIOLATION WARN",
    ];
    let house = accounts("change feed", &rules).await;
    let first = [event("c", "1", "5", 1), event("c", "2", "500", 2), event("c", "3", "-1", 3)];
    put(&house, "a.ndjson", &first.concat()).await;
    assert_eq!(load(&house).await, "1|0|0|2|1");
    assert_eq!(house.run(ACCOUNTS).await, ["1|5.00", "2|500.00"]);
    // An update that breaks a rule leaves the row as it was. What a deleted row looked like breaks no rule.
    let second = [event("u", "1", "-2", 4), event("d", "2", "-500", 5), event("d", "null", "1", 6)];
    put(&house, "b.ndjson", &second.concat()).await;
    assert_eq!(load(&house).await, "1|0|0|1|2");
    assert_eq!(house.run(ACCOUNTS).await, ["1|5.00"]);
    let mut checks = house.run(QUALITY).await;
    checks.sort();
    assert_eq!(
        checks,
        [
            "a.ndjson|accounts_id_not_null|t|3|0",
            "a.ndjson|enough|t|2|0",
            "a.ndjson|positive|t|3|1",
            "a.ndjson|small|t|3|1",
            "b.ndjson|accounts_id_not_null|t|3|1",
            // Deletions are no rows of the load.
            "b.ndjson|enough|t|0|1",
            "b.ndjson|positive|t|1|1",
            "b.ndjson|small|t|1|0",
        ]
    );
    assert_eq!(
        house.run("SELECT passed FROM system.quality WHERE file LIKE '%b.ndjson' AND rule = 'enough'").await,
        ["f"]
    );
    // A row alone does not tell what its event did.
    let replay = house.session().run("CALL system.replay_rejects(pipe => 'accounts')").await.unwrap_err();
    assert_eq!(replay.sqlstate(), "0A000");
    assert_eq!(house.run("CALL system.replay_rejects('accounts')").await, ["0|0|0|0|3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_feed_refuses_a_file_with_its_deletions() {
    let rules = ["positive CHECK (amount > 0) ON VIOLATION FAIL", "enough EXPECT (count(*) >= 1)"];
    let house = accounts("change feed", &rules).await;
    put(&house, "a.ndjson", &[event("c", "1", "5", 1), event("c", "2", "5", 2)].concat()).await;
    load(&house).await;
    put(&house, "b.ndjson", &[event("d", "1", "5", 3), event("u", "2", "-5", 4)].concat()).await;
    put(&house, "c.ndjson", &event("d", "2", "5", 5)).await;
    put(&house, "d.ndjson", &event("c", "4", "5", 6)).await;
    assert_eq!(load(&house).await, "1|2|0|1|0");
    assert_eq!(house.run(ACCOUNTS).await, ["1|5.00", "2|5.00", "4|5.00"]);
    assert_eq!(
        house.run(FAILURES).await,
        [
            "b.ndjson|23514|new row for relation \"accounts\" violates check constraint \"positive\"",
            "c.ndjson|23514|load into relation \"accounts\" violates expectation \"enough\"",
        ]
    );
    house.run("ALTER TABLE accounts DROP CONSTRAINT positive").await;
    house.run("ALTER TABLE accounts DROP CONSTRAINT enough").await;
    assert_eq!(load(&house).await, "2|0|0|3|0");
    assert_eq!(house.run(ACCOUNTS).await, ["4|5.00"]);
}

/// Stock by day and article, replaced day by day.
async fn stock(rules: &[&str]) -> House {
    let house = House::open().await;
    house.run("CREATE TABLE stock (day int, article text, pieces int, PRIMARY KEY (day, article)) PARTITION BY (day)").await;
    house
        .run("CREATE PIPE accounts FROM 'landing/accounts/' INTO stock FORMAT csv MODE replace partition")
        .await;
    for rule in rules {
        house.run(&format!("ALTER TABLE stock ADD CONSTRAINT {rule}")).await;
    }
    put(&house, "a.csv", "day,article,pieces\n1,x,10\n1,y,20\n2,x,30\n").await;
    assert_eq!(load(&house).await, "1|0|0|3|0");
    house
}

const STOCK: &str = "SELECT day, article, pieces FROM stock ORDER BY day, article";

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_replaced_by_the_rows_that_keep_the_rules() {
    let house = stock(&["some CHECK (pieces > 0)", "few CHECK (pieces < 100) ON VIOLATION WARN"]).await;
    // The keys of the old partition are in nobody's way; those of the load are.
    put(&house, "b.csv", "day,article,pieces\n1,x,11\n1,y,0\n1,z,500\n").await;
    put(&house, "c.csv", "day,article,pieces\n1,x,12\n").await;
    assert_eq!(load(&house).await, "2|0|0|2|2");
    assert_eq!(house.run(STOCK).await, ["1|x|11", "1|z|500", "2|x|30"]);
    let rejects = "SELECT split_part(file, '/', 3), row_number, sqlstate FROM system.rejects ORDER BY 1, 2";
    assert_eq!(house.run(rejects).await, ["b.csv|2|23514", "c.csv|1|23505"]);
    let told = house.run(QUALITY).await;
    for expected in ["b.csv|few|t|3|1", "b.csv|some|t|3|1", "c.csv|stock_pkey|t|1|1"] {
        assert!(told.iter().any(|line| line == expected), "{expected}: {told:?}");
    }
    // What was rejected comes to its partition and replaces nothing.
    house.run("ALTER TABLE stock DROP CONSTRAINT some").await;
    assert_eq!(house.run("CALL system.replay_rejects(pipe => 'accounts')").await, ["2|0|1|1|0"]);
    assert_eq!(house.run(STOCK).await, ["1|x|11", "1|y|0", "1|z|500", "2|x|30"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_refused_keeps_the_partitions_as_they_are() {
    for (rule, bad, sqlstate) in [
        ("some CHECK (pieces > 0) ON VIOLATION FAIL", "1,x,0\n1,y,1\n", "23514"),
        ("enough EXPECT (count(*) >= 2)", "1,x,1\n", "23514"),
    ] {
        let house = stock(&[rule]).await;
        let before = house.run(STOCK).await;
        put(&house, "b.csv", "day,article,pieces\n2,x,31\n2,y,32\n").await;
        put(&house, "c.csv", &format!("day,article,pieces\n{bad}")).await;
        put(&house, "d.csv", "day,article,pieces\n3,x,33\n3,y,34\n").await;
        for _ in 0..2 {
            assert_eq!(load(&house).await, "0|3|0|0|0", "{rule}");
            assert_eq!(house.run(STOCK).await, before, "{rule}");
        }
        let failures = "SELECT DISTINCT split_part(file, '/', 3), sqlstate, split_part(error, ' with', 1) \
                        FROM system.loads WHERE state = 'failed' ORDER BY 1";
        let failures = house.run(failures).await;
        assert_eq!(failures.len(), 3, "{failures:?}");
        assert!(
            failures[0].starts_with("b.csv|55000|file \"landing/accounts/c.csv\", which was"),
            "{failures:?}"
        );
        assert!(failures[1].starts_with(&format!("c.csv|{sqlstate}|")), "{failures:?}");
        assert!(failures[2].starts_with("d.csv|55000|"), "{failures:?}");
        let name = rule.split(' ').next().unwrap();
        let told = format!(
            "SELECT DISTINCT split_part(file, '/', 3), passed, version IS NULL FROM system.quality \
             WHERE rule = '{name}' AND NOT passed"
        );
        assert_eq!(house.run(&told).await, ["c.csv|f|t"], "{rule}");
        house.run(&format!("ALTER TABLE stock DROP CONSTRAINT {name}")).await;
        assert_eq!(load(&house).await.split('|').next(), Some("3"), "{rule}");
        assert_eq!(
            house.run("SELECT count(*), count(DISTINCT day) FROM stock WHERE day > 1").await,
            ["4|2"],
            "{rule}"
        );
    }
}
