//! Identity resolution: the guide, undone merges, and what does not depend on order.

use crate::clients::repository;
use crate::server::{House, ask, refusal};

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

/// Refreshes, and tells how many pairs were compared.
async fn compared(client: &tokio_postgres::Client) -> u64 {
    let told = ask(client, "CALL id.refresh()").await;
    told[0].rsplit('|').next().unwrap().parse().unwrap()
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
    for change in [
        "DELETE FROM o.customers WHERE record_id IN ('205', '17', '300')",
        "UPDATE o.customers SET phone = '13900000037', name = 'Person 1' WHERE record_id IN ('12', '40', '333')",
        "UPDATE o.customers SET email = NULL WHERE record_id IN ('13', '41')",
        "INSERT INTO id.blocked_values (key_type, key_value) VALUES ('phone', '13900000074')",
        "UPDATE id.identifier_policy SET most_records = 3 WHERE key_type = 'email'",
    ] {
        client.batch_execute(change).await.unwrap();
        client.batch_execute("CALL id.refresh()").await.unwrap();
    }
    client.batch_execute("DELETE FROM o.customers WHERE record_id = '99'").await.unwrap();
    let after_a_batch = compared(&client).await;
    let in_turns = ask(&client, groups).await;
    let pairs = "SELECT record_a, record_b, weight, bridge, pattern FROM id.edges ORDER BY 1, 2";
    let pairs_in_turns = ask(&client, pairs).await;
    assert_eq!(ask(&client, "SELECT count(*) FROM id.runs WHERE trained").await, ["1"]);

    // The same model over everything at once, on a node that remembers nothing.
    drop(client);
    let house = house.open_again().await;
    let client = house.client().await;
    client.batch_execute("TRUNCATE id.history").await.unwrap();
    let in_full = compared(&client).await;
    assert!(after_a_batch * 5 < in_full, "{after_a_batch} of {in_full} pairs");
    assert_eq!(ask(&client, "SELECT count(*) FROM id.runs WHERE trained").await, ["1"]);
    assert_eq!(ask(&client, groups).await, in_turns);
    assert_eq!(ask(&client, pairs).await, pairs_in_turns);
    assert!(in_turns.len() < 386, "somebody has two records");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_told_as_it_was_known_at_a_moment() {
    let house = House::open().await;
    let client = house.client().await;
    for statement in [
        "INSERT INTO o.customers (record_id, source_system, name, phone, created_at) VALUES \
         ('1', 'shop', 'Ann', '13900000001', '2025-01-01 00:00:00+00'), \
         ('2', 'mail', 'Bob', '13900000002', '2025-01-01 00:00:00+00')",
        "INSERT INTO o.orders (order_id, source_system, key_type, key_value, ordered_at, currency, amount) \
         VALUES ('o1', 'shop', 'phone', '13900000001', '2025-01-02 00:00:00+00', 'CNY', 10)",
        "CALL id.refresh()",
    ] {
        client.batch_execute(statement).await.unwrap();
    }
    let known = |moment: &str| {
        format!(
            "SELECT customer_id, name, phone, records, orders, revenue FROM c360.customers {moment} ORDER BY name"
        )
    };
    let lineage = |moment: &str| format!("SELECT * FROM c360.golden_lineage {moment} ORDER BY 1, 2, 7");
    let before = (ask(&client, &known("")).await, ask(&client, &lineage("")).await);
    assert_eq!(before.0.len(), 2);
    let now = ask(&client, "SELECT clock_timestamp()").await.remove(0);
    // The log of a table counts milliseconds.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    for statement in [
        "UPDATE o.customers SET name = 'Anna', updated_at = '2025-03-01 00:00:00+00' WHERE record_id = '1'",
        "INSERT INTO o.orders (order_id, source_system, key_type, key_value, ordered_at, currency, amount) \
         VALUES ('o2', 'shop', 'phone', '13900000002', '2025-01-02 00:00:00+00', 'CNY', 5)",
        "CALL id.merge('shop/1', 'mail/2', 'one account')",
    ] {
        client.batch_execute(statement).await.unwrap();
    }
    let after = (ask(&client, &known("")).await, ask(&client, &lineage("")).await);
    assert_eq!(after.0.len(), 1);
    let moment = format!("TIMESTAMP AS OF '{now}'");
    assert_eq!((ask(&client, &known(&moment)).await, ask(&client, &lineage(&moment)).await), before);
    // A question about the past leaves the present alone, and both stand in one statement.
    assert_eq!((ask(&client, &known("")).await, ask(&client, &lineage("")).await), after);
    let moved = format!(
        "SELECT count(*) FROM id.records TIMESTAMP AS OF '{now}' t JOIN id.records n \
         ON n.record_id = t.record_id WHERE n.customer_id <> t.customer_id"
    );
    assert_eq!(ask(&client, &moved).await, ["1"]);
    let (code, message) = refusal(&client, "SELECT * FROM c360.customers TIMESTAMP AS OF '2001-01-01'").await;
    assert_eq!(code, "22023");
    assert!(message.contains("did not exist at 2001-01-01"), "{message}");
}
