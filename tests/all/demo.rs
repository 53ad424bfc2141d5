//! `voxhouse demo`: what was planted in the example is found again by SQL.

use voxhouse_sql::demo::{Measured, SEED, Size, Truth, generate};

use crate::clients::repository;
use crate::process::Root;
use crate::server::ask;

const PEOPLE: usize = 1_500;

fn truth() -> Truth {
    generate(SEED, Size { people: PEOPLE }, &mut |_| Ok(())).unwrap()
}

fn assert_measured(row: &str, truth: Measured, tolerance: f64) {
    let cells: Vec<f64> = row.split('|').map(|cell| cell.parse().unwrap()).collect();
    assert!((cells[0] - truth.value).abs() <= tolerance, "{row} is not {truth:?}");
    assert_eq!(cells[1], truth.n as f64, "{row} is not {truth:?}");
}

const PURCHASES: &str = "WITH purchases AS (SELECT m.customer_id, o.order_id, o.ordered_at, o.delivered_at, o.promised_at \
    FROM o.orders o JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id \
    WHERE o.source_system = 'shop' AND o.status IS DISTINCT FROM 'cancelled'), \
    deliveries AS (SELECT d.order_id, d.delivered_at > d.promised_at AS late, \
    max(CASE WHEN p.order_id IS NULL THEN 0 ELSE 1 END) AS repurchased \
    FROM purchases d LEFT JOIN purchases p ON p.customer_id = d.customer_id AND p.ordered_at > d.delivered_at \
    AND p.ordered_at <= d.delivered_at + interval '90 days' \
    WHERE d.delivered_at + interval '90 days' <= (SELECT max(ordered_at) FROM purchases) \
    GROUP BY d.order_id, d.delivered_at, d.promised_at) \
    SELECT avg(CAST(repurchased AS double precision)), count(*) FROM deliveries WHERE ";

/// The statements that README shows on the demo's data.
fn shown() -> Vec<String> {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let (_, rest) = readme.split_once("Some of them:\n\n```sql\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    block.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_finds_what_was_planted() {
    let root = Root::new();
    let people = PEOPLE.to_string();
    let arguments = ["--no-serve", "--people", &people];
    let said = root.says("demo", &arguments);
    for question in ["Net Promoter Score", "complain about most", "late delivery"] {
        assert!(said.contains(question), "{said}");
    }
    // Run again, it starts on what is there.
    let said = root.says("demo", &arguments);
    assert!(said.contains("The example is loaded already"), "{said}");

    let truth = truth();
    let server = root.serve();
    let client = server.client().await;
    for (table, rows) in &truth.rows {
        assert_eq!(
            ask(&client, &format!("SELECT count(*) FROM {table}")).await,
            [rows.to_string()],
            "{table}"
        );
        let rejects = format!("SELECT count(*) FROM system.rejects WHERE target = '{table}'");
        assert_eq!(ask(&client, &rejects).await, [truth.rejects[table].to_string()], "rejects of {table}");
    }
    let persons = ask(&client, "SELECT count(*), count(DISTINCT customer_id) FROM c360.customers").await;
    assert_eq!(persons, [format!("{0}|{0}", truth.people)]);

    let statements = shown();
    assert!(statements.len() >= 5, "{statements:?}");
    for statement in statements {
        let rows = ask(&client, &statement).await;
        assert!(!rows.is_empty() || statement.contains("find_pii"), "{statement}");
    }

    let late = "SELECT avg(CASE WHEN delivered_at > promised_at THEN 1.0::float8 ELSE 0 END), count(*) \
                FROM o.orders WHERE delivered_at IS NOT NULL";
    assert_measured(&ask(&client, late).await[0], truth.late_share, 1e-9);
    for (condition, expected) in [("<=", truth.rating_on_time), (">", truth.rating_late)] {
        let sql = format!(
            "SELECT avg(f.score), count(*) FROM x.feedback f \
             JOIN o.orders o ON o.source_system = f.source_system AND o.order_id = f.order_id \
             WHERE f.metric = 'rating' AND o.delivered_at {condition} o.promised_at"
        );
        assert_measured(&ask(&client, &sql).await[0], expected, 1e-9);
    }
    for (condition, expected) in [("NOT late", truth.repurchase_on_time), ("late", truth.repurchase_late)] {
        assert_measured(&ask(&client, &format!("{PURCHASES}{condition}")).await[0], expected, 1e-6);
    }
    assert!(truth.repurchase_late.value < truth.repurchase_on_time.value);
    let nps = "SELECT nps(score), nps_n(score) FROM x.feedback WHERE metric = 'nps'";
    assert_measured(&ask(&client, nps).await[0], truth.nps, 1e-9);
    let topics =
        "SELECT touchpoint, count(*) FROM x.feedback WHERE kind = 'complaint' GROUP BY 1 ORDER BY 2 DESC, 1";
    let expected: Vec<String> =
        truth.complaint_topics.iter().map(|(topic, n)| format!("{topic}|{n}")).collect();
    assert_eq!(ask(&client, topics).await, expected);
    for (condition, expected) in [("<", truth.worse_before), (">=", truth.worse_since)] {
        let sql = format!(
            "SELECT avg(CASE WHEN delivered_at > promised_at THEN 1.0::float8 ELSE 0 END), count(*) FROM o.orders \
             WHERE delivered_at IS NOT NULL AND CAST(attributes AS text) LIKE '%\"city\":\"{}\"%' \
             AND CAST(attributes AS text) LIKE '%\"courier\":\"{}\"%' \
             AND ordered_at {condition} timestamptz '2026-04-01 00:00:00+08:00'",
            truth.worse_city, truth.worse_courier
        );
        assert_measured(&ask(&client, &sql).await[0], expected, 1e-9);
    }
    for (band, expected) in [("promoter", truth.promoter_spend), ("detractor", truth.detractor_spend)] {
        let sql = format!(
            "SELECT mean_revenue, customers FROM roi.linkage WHERE metric = 'nps' AND score_band = '{band}' AND currency = 'CNY'"
        );
        let rows = ask(&client, &sql).await;
        let cells: Vec<f64> = rows[0].split('|').map(|cell| cell.parse().unwrap()).collect();
        // The view asks for an order before the answer; whoever answers has ordered.
        assert_eq!(cells[1], expected.n as f64, "{band}");
        assert!((cells[0] - expected.value).abs() < 0.01, "{band}: {rows:?} is not {expected:?}");
    }
    assert!(truth.promoter_spend.value > truth.detractor_spend.value);
}
