//! Identity resolution: the guide, undone merges, and what does not depend on order.

use crate::clients::repository;
use crate::server::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_runs() {
    let house = House::open().await;
    let client = house.client().await;
    let text = std::fs::read_to_string(repository("docs/identity.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 7, "{blocks:?}");
    // A procedure is a transaction of its own.
    for statement in blocks.iter().flat_map(|block| block.split(";\n")).filter(|part| !part.trim().is_empty())
    {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?}\n{statement}"));
    }
    let of = "SELECT count(DISTINCT customer_id) FROM id.clusters WHERE record IN ('shop/1002', 'shop/1003')";
    assert_eq!(ask(&client, of).await, ["1"]);
}

/// Every view of a customer, as text.
async fn views(client: &tokio_postgres::Client) -> Vec<Vec<String>> {
    let mut seen = Vec::new();
    for relation in [
        "c360.customers",
        "c360.identities",
        "c360.timeline",
        "id.records",
        "id.order_customers",
        "id.feedback_customers",
    ] {
        let mut rows = ask(client, &format!("SELECT * FROM {relation}")).await;
        rows.sort();
        seen.push(rows);
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_unmerge_every_view_is_as_before_the_merge() {
    let house = House::open().await;
    let client = house.client().await;
    for statement in [
        "INSERT INTO o.customers (record_id, source_system, name, phone, email) \
         SELECT g::text, 'shop', 'Person ' || (g / 2), '1390000' || lpad((g / 2 * 37)::text, 4, '0'), 'p' || g || '@x.cn' \
         FROM generate_series(1, 60) AS s(g)",
        "INSERT INTO o.orders (order_id, source_system, key_type, key_value, ordered_at, currency, amount) \
         SELECT 'o' || g, 'shop', 'record_id', g::text, timestamptz '2025-01-01 00:00:00+00', 'CNY', g \
         FROM generate_series(1, 60) AS s(g)",
        "INSERT INTO x.feedback (feedback_id, source_system, kind, key_type, key_value, occurred_at) \
         SELECT 'f' || g, 'mail', 'chat', 'email', 'p' || g || '@x.cn', timestamptz '2025-01-02 00:00:00+00' \
         FROM generate_series(1, 60) AS s(g)",
        "CALL id.refresh()",
    ] {
        client.batch_execute(statement).await.unwrap();
    }
    let before = views(&client).await;
    let customers = ask(
        &client,
        "SELECT customer_id FROM id.clusters WHERE record IN ('shop/10', 'shop/50') ORDER BY record",
    )
    .await;
    assert_ne!(customers[0], customers[1]);
    let merge = format!("CALL id.merge('{}', '{}', 'one telephone call')", customers[0], customers[1]);
    for turn in 1..=2 {
        client.batch_execute(&merge).await.unwrap();
        let merged = views(&client).await;
        assert_ne!(merged, before, "turn {turn}");
        let one = ask(
            &client,
            "SELECT DISTINCT customer_id FROM id.clusters WHERE record IN ('shop/10', 'shop/50')",
        )
        .await;
        assert_eq!(one.len(), 1);
        for customer in &customers {
            assert_eq!(ask(&client, &format!("SELECT id.resolve('{customer}')")).await, one);
        }
        // What was decided outlives a training.
        client.batch_execute("CALL id.train()").await.unwrap();
        assert_eq!(views(&client).await, merged, "turn {turn}");
        let (undo, records) = match turn {
            1 => ("CALL id.undo('d1')".to_owned(), Vec::new()),
            _ => {
                let of = format!(
                    "SELECT record FROM id.history WHERE customer_id = '{}' AND version = 1",
                    customers[1]
                );
                let records = ask(&client, &of).await;
                let list: Vec<String> = records.iter().map(|record| format!("'{record}'")).collect();
                (
                    format!("CALL id.unmerge('{}', ARRAY[{}], 'two after all')", one[0], list.join(", ")),
                    records,
                )
            }
        };
        client.batch_execute(&undo).await.unwrap();
        assert_eq!(views(&client).await, before, "turn {turn}: {records:?}");
    }
    let refused = client.batch_execute(&merge).await.unwrap_err();
    let error = refused.as_db_error().unwrap();
    assert_eq!(error.code().code(), "23505");
    assert!(error.message().contains("d3") && error.message().contains("d4"), "{error:?}");
    assert_eq!(views(&client).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_after_each_batch_is_a_refresh_of_all() {
    let insert = |from: u32, to: u32| {
        format!(
            "INSERT INTO o.customers (record_id, source_system, name, phone, email, birth_date) \
             SELECT g::text, CASE WHEN g % 3 = 0 THEN 'shop' ELSE 'wechat' END, 'Person ' || (g * 7 % 90), \
             CASE WHEN g % 4 > 0 THEN '1390000' || lpad((g * 7 % 90 * 37)::text, 4, '0') END, \
             CASE WHEN g % 5 > 2 THEN 'p' || (g * 7 % 90) || '@x.cn' END, \
             CASE WHEN g % 2 > 0 THEN date '1970-01-01' + (g * 7 % 90) * 31 END \
             FROM generate_series({from}, {to}) AS s(g)"
        )
    };
    let groups =
        "SELECT string_agg(record, ' ' ORDER BY record) FROM id.clusters GROUP BY customer_id ORDER BY 1";
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute(&insert(1, 200)).await.unwrap();
    client.batch_execute("CALL id.train()").await.unwrap();
    for (from, to) in [(201, 203), (204, 260), (261, 270), (271, 390)] {
        client.batch_execute(&insert(from, to)).await.unwrap();
        client.batch_execute("CALL id.refresh()").await.unwrap();
    }
    client.batch_execute("DELETE FROM o.customers WHERE record_id IN ('205', '17', '300')").await.unwrap();
    client.batch_execute("CALL id.refresh()").await.unwrap();
    let in_turns = ask(&client, groups).await;
    assert_eq!(ask(&client, "SELECT count(*) FROM id.runs WHERE trained").await, ["1"]);

    // The same model over everything at once, on a node that remembers nothing.
    client.batch_execute("TRUNCATE id.history").await.unwrap();
    client.batch_execute("CALL id.refresh()").await.unwrap();
    assert_eq!(ask(&client, "SELECT count(*) FROM id.runs WHERE trained").await, ["1"]);
    assert_eq!(ask(&client, groups).await, in_turns);
    assert!(in_turns.len() < 387, "somebody has two records");
}
