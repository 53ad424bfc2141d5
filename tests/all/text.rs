//! Text knowledge in tables: every session and every process uses what was committed last, and the guide's SQL runs.

use std::path::Path;

use tokio_postgres::Client;

use crate::server::House;

async fn ask(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_counts_in_sessions_that_are_open() {
    let house = House::open().await;
    let (writer, reader) = (house.client().await, house.client().await);
    let cut = "SELECT array_to_string(tokenize('鲸选会员很划算'), ' ')";
    assert_eq!(ask(&reader, cut).await, ["鲸选 会员 很 划算"]);
    writer.batch_execute("INSERT INTO text.dictionary (word) VALUES ('鲸选会员')").await.unwrap();
    assert_eq!(ask(&reader, cut).await, ["鲸选会员 很 划算"]);
    let prepared = reader.prepare(cut).await.unwrap();
    let again = async || reader.query_one(&prepared, &[]).await.unwrap().get::<_, String>(0);
    assert_eq!(again().await, "鲸选会员 很 划算");
    assert_eq!(again().await, "鲸选会员 很 划算");
    writer.batch_execute("DELETE FROM text.dictionary").await.unwrap();
    assert_eq!(again().await, "鲸选 会员 很 划算");
    assert_eq!(ask(&reader, "SELECT dictionary_version()").await, ["jieba-0.11"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_guide_run() {
    let house = House::open().await;
    let client = house.client().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/text.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 12);
    for block in blocks {
        client.batch_execute(block).await.unwrap_or_else(|error| panic!("{error:?}\n{block}"));
    }
}
