//! Functions that read a relation: their examples, what they refuse, and whose rows they may read.

use tokio_postgres::{Client, NoTls};

use crate::clients;
use crate::server::{House, PASSWORD, ask, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn examples_print_what_they_say() {
    let house = House::open().await;
    let client = house.client().await;
    let listed =
        "SELECT name, example, example_result FROM system.functions WHERE kind = 'table' ORDER BY name";
    let rows = client.query(listed, &[]).await.unwrap();
    assert!(!rows.is_empty());
    let mut wrong = Vec::new();
    for row in &rows {
        let (name, example, says): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let prints = match client.simple_query(example).await {
            Ok(_) => ask(&client, example).await.join("\n").replace("NULL", ""),
            Err(error) => format!("{error:?}"),
        };
        if prints != says.replace("NULL", "") {
            wrong.push(format!("{name}: {example}\n  says   {says:?}\n  prints {prints:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// 400 answers of 80 customers: `speed` counts double, `price` a little, `noise` not at all.
async fn survey(client: &Client) {
    let rows = "CREATE TABLE survey AS SELECT g AS id, 'c' || (g % 80)::text AS customer, \
                (g * 37 % 11)::float8 AS speed, (g * 53 % 7)::float8 AS price, (g * 71 % 13)::float8 AS noise, \
                CASE WHEN g % 3 = 0 THEN 'app' WHEN g % 3 = 1 THEN 'shop' ELSE 'phone' END AS channel, \
                2.0 * (g * 37 % 11) + 0.3 * (g * 53 % 7) + (g * 97 % 5) AS score, \
                (2.0 * (g * 37 % 11) + (g * 97 % 17) > 18) AS churned \
                FROM generate_series(1, 400) AS s(g)";
    client.batch_execute(rows).await.unwrap();
}

const CALLS: &[&str] = &[
    "linear_regression('survey', 'score', ARRAY['speed', 'price'])",
    "linear_regression('survey', 'score', ARRAY['speed', 'price'], errors => 'robust')",
    "linear_regression('survey', 'score', ARRAY['speed'], weight => 'price + 1', cluster => 'customer')",
    "logistic_regression('survey', 'churned', ARRAY['speed', 'price'])",
    "drivers('survey', 'score', ARRAY['speed', 'price', 'noise'], bootstrap => 200)",
    "drivers('survey', 'score', ARRAY['speed', 'price', 'noise'], method => 'shapley', bootstrap => 0)",
    "compare_groups('survey', 'score', 'channel')",
    "compare_groups('survey', 'score', 'channel', method => 'rank_sum', reference => 'app')",
];

/// Numbers with nine digits: sums of parts differ in the last ones.
async fn rounded(client: &Client, call: &str) -> Vec<String> {
    let round = |cell: &str| match cell.parse::<f64>() {
        Ok(number) => format!("{number:.9e}"),
        Err(_) => cell.to_owned(),
    };
    let rows = ask(client, &format!("SELECT * FROM {call}")).await;
    rows.iter().map(|row| row.split('|').map(round).collect::<Vec<_>>().join("|")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_order_nor_splits_of_rows_matter() {
    let house = House::open().await;
    let client = house.client().await;
    survey(&client).await;
    client.batch_execute("CREATE TABLE parts AS SELECT * FROM survey LIMIT 0").await.unwrap();
    for part in 0..5 {
        let rows = format!("INSERT INTO parts SELECT * FROM survey WHERE id % 5 = {part} ORDER BY id DESC");
        client.batch_execute(&rows).await.unwrap();
    }
    for call in CALLS {
        let whole = rounded(&client, call).await;
        assert!(!whole.is_empty(), "{call}");
        assert_eq!(whole, rounded(&client, &call.replace("'survey'", "'parts'")).await, "{call}");
        let reversed = call.replace("'survey'", "(SELECT * FROM survey ORDER BY id DESC)");
        assert_eq!(whole, rounded(&client, &reversed).await, "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_refused() {
    let house = House::open().await;
    let client = house.client().await;
    survey(&client).await;
    for (call, sqlstate, message) in [
        ("drivers('nowhere', 'score', ARRAY['speed'])", "42P01", "relation \"nowhere\" does not exist"),
        ("drivers('survey', 'mood', ARRAY['speed'])", "42703", "column \"mood\" does not exist"),
        (
            "drivers('survey', 'score', ARRAY['channel'])",
            "42804",
            "channel of drivers must be a number, but is text",
        ),
        ("drivers('survey', 'score')", "42883", "function drivers does not exist with these arguments"),
        (
            "drivers('survey', 'score', ARRAY['speed'], method => 'magic')",
            "22023",
            "method \"magic\" does not exist",
        ),
        ("drivers('survey', 'score', ARRAY['speed'], loudness => 3)", "42883", "function drivers"),
        (
            "drivers('survey', 'score', ARRAY['speed'], conf => 95)",
            "22023",
            "conf must be a number from 0 to 1",
        ),
        ("drivers('survey', 'score', ARRAY['speed', 'speed * 2'])", "22023", "speed"),
        ("drivers('survey', '1', ARRAY['speed'])", "22023", "outcome"),
        ("drivers('SELECT * FROM survey LIMIT 2', 'score', ARRAY['speed', 'price'])", "22023", "rows"),
        ("drivers('DROP TABLE survey', 'score', ARRAY['speed'])", "42601", "neither a name nor a query"),
        (
            "drivers('survey', 'score; DROP TABLE survey', ARRAY['speed'])",
            "42601",
            "neither a column nor an expression",
        ),
        ("logistic_regression('survey', 'score', ARRAY['speed'])", "22023", "0 or 1 is expected"),
        ("logistic_regression('survey', 'speed > 5', ARRAY['speed'])", "22023", "speed"),
        (
            "compare_groups('survey', 'score', 'channel', reference => 'fax')",
            "22023",
            "reference group \"fax\"",
        ),
    ] {
        let (found, text) = refusal(&client, &format!("SELECT * FROM {call}")).await;
        assert_eq!(found, sqlstate, "{call}: {text}");
        assert!(text.contains(message), "{call}: {text}");
    }
    assert_eq!(ask(&client, "SELECT count(*) FROM survey").await, ["400"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_reads_what_it_may_read() {
    let house = House::open().await;
    let client = house.client().await;
    survey(&client).await;
    client.batch_execute(&format!("CREATE USER ana PASSWORD '{PASSWORD}'")).await.unwrap();
    let (ana, connection) = clients::config(house.port, PASSWORD).user("ana").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let call = "SELECT count(*) FROM linear_regression('survey', 'score', ARRAY['speed'])";
    assert_eq!(refusal(&ana, call).await.0, "42501");
    client.batch_execute("GRANT SELECT (score) ON survey TO ana").await.unwrap();
    assert_eq!(refusal(&ana, call).await.0, "42501");
    client.batch_execute("GRANT SELECT (speed) ON survey TO ana").await.unwrap();
    let call = call.replace("'survey'", "'SELECT score, speed FROM survey'");
    assert_eq!(ask(&ana, &call).await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_money_runs() {
    let house = House::open().await;
    let client = house.client().await;
    let text = std::fs::read_to_string(clients::repository("docs/roi.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 7);
    for block in blocks {
        client.batch_execute(block).await.unwrap_or_else(|error| panic!("{error:?}\n{block}"));
    }
    // The views that it lists are there.
    let views: Vec<&str> = text.split("| `roi.").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert!(views.len() >= 7);
    for view in views {
        client
            .batch_execute(&format!("SELECT * FROM roi.{view}"))
            .await
            .unwrap_or_else(|error| panic!("{error:?}\n{view}"));
    }
}
