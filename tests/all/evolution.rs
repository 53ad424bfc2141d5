//! Files whose columns are of wider types than those of the table: widened, refused or cast, in every mode of a pipe.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;

use crate::server::{House, ask, refusal};

on_each_store! {
    House::open().await, House::on_s3().await;
    types_are_widened_with_every_row_that_is_there,
    an_upsert_and_a_replaced_partition_widen_their_tables,
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

fn narrow() -> Vec<u8> {
    parquet(vec![
        ("id", Arc::new(Int32Array::from(vec![1, 2]))),
        ("small", Arc::new(Int16Array::from(vec![Some(-7), None]))),
        ("score", Arc::new(Float32Array::from(vec![0.5, -2.25]))),
        ("amount", Arc::new(Decimal128Array::from(vec![125, 99]).with_precision_and_scale(6, 2).unwrap())),
        ("day", Arc::new(Date32Array::from(vec![20_089, 0]))),
        ("text", Arc::new(StringArray::from(vec!["一", "二"]))),
    ])
}

fn wide() -> Vec<u8> {
    parquet(vec![
        ("id", Arc::new(Int64Array::from(vec![3_000_000_000]))),
        ("small", Arc::new(Int32Array::from(vec![70_000]))),
        ("score", Arc::new(Float64Array::from(vec![0.1]))),
        (
            "amount",
            Arc::new(Decimal128Array::from(vec![123_456_789]).with_precision_and_scale(10, 4).unwrap()),
        ),
        ("day", Arc::new(TimestampMicrosecondArray::from(vec![1_735_689_600_123_456]))),
        ("text", Arc::new(StringArray::from(vec!["三"]))),
    ])
}

const TABLE: &str = "id int, small smallint, score real, amount numeric(6,2), day date, text text";
const ROWS: &str = "SELECT id, small, score, amount, day, text FROM t ORDER BY id";
const TYPES: &str = "SELECT column_name, data_type, numeric_precision, numeric_scale FROM information_schema.columns \
                     WHERE table_name = 't' ORDER BY ordinal_position";

async fn run(house: &House) -> String {
    house.run("CALL system.run_pipe('t')").await.pop().unwrap()
}

async fn types_are_widened_with_every_row_that_is_there(house: House) {
    house.run(&format!("CREATE TABLE t ({TABLE}) CLUSTER BY (id)")).await;
    house
        .run("CREATE PIPE t FROM 'landing/t/' INTO t FORMAT parquet OPTIONS (type_changes 'widen', new_columns 'add')")
        .await;
    house.put("landing/t/a.parquet", narrow()).await;
    assert_eq!(run(&house).await, "1|0|0|2|0");
    house.run("INSERT INTO t (id, day) VALUES (5, '2025-01-02')").await;
    let files: usize =
        house.run("SELECT files FROM system.tables WHERE name = 't'").await[0].parse().unwrap();
    house.put("landing/t/b.parquet", wide()).await;
    assert_eq!(run(&house).await, "1|0|0|1|0");
    assert_eq!(
        house.run(TYPES).await,
        [
            "id|bigint|64|0",
            "small|integer|32|0",
            "score|double precision|53|NULL",
            "amount|numeric|10|4",
            "day|timestamp without time zone|NULL|NULL",
            "text|text|NULL|NULL",
        ]
    );
    let widened = [
        "1|-7|0.5|1.2500|2025-01-01 00:00:00|一",
        "2|NULL|-2.25|0.9900|1970-01-01 00:00:00|二",
        "5|NULL|NULL|NULL|2025-01-02 00:00:00|NULL",
        "3000000000|70000|0.1|12345.6789|2025-01-01 00:00:00.123456|三",
    ];
    assert_eq!(house.run(ROWS).await, widened);
    // Files keep their number and their bounds.
    let now: usize = house.run("SELECT files FROM system.tables WHERE name = 't'").await[0].parse().unwrap();
    assert_eq!(now, files + 1);
    assert_eq!(house.run("SELECT text FROM t WHERE day < '2025-01-01' AND id < 3").await, ["二"]);
    assert_eq!(house.run("SELECT count(*) FROM t WHERE id >= 5").await, ["2"]);
    // What is narrower fits, and the past is as it was.
    house.put("landing/t/c.parquet", parquet(vec![("id", Arc::new(Int16Array::from(vec![9])))])).await;
    assert_eq!(run(&house).await, "1|0|0|1|0");
    assert_eq!(house.run("SELECT sum(id) FROM t VERSION AS OF 1").await, ["3"]);
    house.run("OPTIMIZE t").await;
    assert_eq!(house.run("SELECT sum(id), max(small) FROM t").await, ["3000000017|70000"]);
    // A new column and a wider one in one file.
    let both: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![10]))),
        ("amount", Arc::new(Decimal128Array::from(vec![1]).with_precision_and_scale(20, 2).unwrap())),
        ("extra", Arc::new(StringArray::from(vec!["x"]))),
    ];
    house.put("landing/t/d.parquet", parquet(both)).await;
    assert_eq!(run(&house).await, "1|0|0|1|0");
    assert_eq!(house.run("SELECT amount, extra FROM t WHERE id = 10").await, ["0.0100|x"]);
    assert_eq!(house.run(TYPES).await[3], "amount|numeric|22|4");
}

async fn an_upsert_and_a_replaced_partition_widen_their_tables(house: House) {
    house.run("CREATE TABLE t (id int PRIMARY KEY, amount real)").await;
    house
        .run("CREATE PIPE t FROM 'landing/t/' INTO t FORMAT parquet MODE upsert OPTIONS (type_changes 'widen')")
        .await;
    let rows = |ids: ArrayRef, amounts: ArrayRef| parquet(vec![("id", ids), ("amount", amounts)]);
    let narrow = rows(Arc::new(Int32Array::from(vec![1, 2])), Arc::new(Float32Array::from(vec![0.5, 1.5])));
    house.put("landing/t/a.parquet", narrow).await;
    assert_eq!(run(&house).await, "1|0|0|2|0");
    let wide =
        rows(Arc::new(Int64Array::from(vec![2, 1 << 40])), Arc::new(Float64Array::from(vec![0.1, 0.2])));
    house.put("landing/t/b.parquet", wide).await;
    assert_eq!(run(&house).await, "1|0|0|2|0");
    assert_eq!(
        house.run("SELECT id, amount FROM t ORDER BY id").await,
        ["1|0.5", "2|0.1", "1099511627776|0.2"]
    );

    house.run("CREATE TABLE days (day date, amount int) PARTITION BY (day)").await;
    house
        .run("CREATE PIPE days FROM 'landing/days/' INTO days FORMAT parquet MODE replace partition OPTIONS (type_changes 'widen')")
        .await;
    let rows = |days: ArrayRef, amounts: ArrayRef| parquet(vec![("day", days), ("amount", amounts)]);
    let first =
        rows(Arc::new(Date32Array::from(vec![20_089, 20_090])), Arc::new(Int32Array::from(vec![1, 2])));
    house.put("landing/days/a.parquet", first).await;
    house.run("CALL system.run_pipe('days')").await;
    let midnight =
        TimestampMicrosecondArray::from(vec![20_090 * 86_400_000_000, 20_090 * 86_400_000_000 + 1]);
    let second = rows(Arc::new(midnight), Arc::new(Int64Array::from(vec![5_000_000_000, 3])));
    house.put("landing/days/b.parquet", second).await;
    assert_eq!(house.run("CALL system.run_pipe('days')").await, ["1|0|0|2|0"]);
    assert_eq!(
        house.run("SELECT day, amount FROM days ORDER BY day").await,
        ["2025-01-01 00:00:00|1", "2025-01-02 00:00:00|5000000000", "2025-01-02 00:00:00.000001|3"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_widening_is_refused_by_column_and_types() {
    let house = House::open().await;
    house.run(&format!("CREATE TABLE t ({TABLE})")).await;
    house.run("CREATE PIPE t FROM 'landing/t/' INTO t FORMAT parquet OPTIONS (type_changes 'widen')").await;
    let zoned = TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC");
    let cases: [(&str, ArrayRef, &str); 4] = [
        (
            "id",
            Arc::new(Float64Array::from(vec![1.5])),
            "\"id\" is of type integer but the file has double precision",
        ),
        (
            "small",
            Arc::new(Decimal128Array::from(vec![15]).with_precision_and_scale(4, 1).unwrap()),
            "\"small\" is of type smallint but the file has numeric(4,1)",
        ),
        (
            "amount",
            Arc::new(Decimal128Array::from(vec![15]).with_precision_and_scale(38, 1).unwrap()),
            "\"amount\" is of type numeric(6,2) but the file has numeric(38,1)",
        ),
        ("day", Arc::new(zoned), "\"day\" is of type date but the file has timestamp with time zone"),
    ];
    let before = house.run(TYPES).await;
    for (column, values, expected) in cases {
        house.put(&format!("landing/t/{column}.parquet"), parquet(vec![(column, values)])).await;
        assert_eq!(run(&house).await, "0|1|0|0|0", "{column}");
        let sql = format!("SELECT sqlstate, error FROM system.loads WHERE file LIKE '%/{column}.parquet'");
        let told = house.run(&sql).await;
        assert!(told[0].starts_with(&format!("42804|column {expected}")), "{told:?}");
    }
    assert_eq!(house.run(TYPES).await, before);
    assert_eq!(house.run("SELECT count(*) FROM t").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_widens_types_and_narrows_none() {
    let house = House::open().await;
    let client = house.client().await;
    let table = "CREATE TABLE t (id int PRIMARY KEY, name varchar(3), amount numeric(6,2), day date); \
                 INSERT INTO t VALUES (1, 'abc', 1.25, '2025-01-01')";
    client.batch_execute(table).await.unwrap();
    for change in [
        "id TYPE bigint",
        "name SET DATA TYPE varchar(10)",
        "name TYPE text",
        "amount TYPE numeric(10,4)",
        "day TYPE timestamp",
        "day TYPE timestamp",
    ] {
        ask(&client, &format!("ALTER TABLE t ALTER COLUMN {change}")).await;
    }
    ask(&client, "INSERT INTO t VALUES (3000000000, 'longer', 123456.7891, '2025-01-01 12:00:00')").await;
    assert_eq!(
        ask(&client, "SELECT * FROM t ORDER BY id").await,
        ["1|abc|1.2500|2025-01-01 00:00:00", "3000000000|longer|123456.7891|2025-01-01 12:00:00"]
    );
    assert_eq!(refusal(&client, "INSERT INTO t VALUES (1, 'twice')").await.0, "23505");
    for (change, told) in [
        ("id TYPE int", "column \"id\" of type bigint cannot become integer"),
        ("name TYPE varchar(3)", "column \"name\" of type text cannot become character varying(3)"),
        ("amount TYPE numeric(10,2)", "column \"amount\" of type numeric(10,4) cannot become numeric(10,2)"),
        ("day TYPE date", "column \"day\" of type timestamp without time zone cannot become date"),
    ] {
        let (sqlstate, message) = refusal(&client, &format!("ALTER TABLE t ALTER COLUMN {change}")).await;
        assert_eq!((sqlstate.as_str(), message.as_str()), ("0A000", told));
    }
    assert_eq!(refusal(&client, "ALTER TABLE t ALTER COLUMN none TYPE int").await.0, "42703");
    for step in ["CREATE ROLE ana", "GRANT ALL ON t TO ana", "SET ROLE ana"] {
        client.batch_execute(step).await.unwrap();
    }
    assert_eq!(refusal(&client, "ALTER TABLE t ALTER COLUMN name TYPE text").await.0, "42501");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_beside_a_widening_lose_no_row() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("CREATE TABLE t (id int, n smallint)").await.unwrap();
    let insert = async |ids: std::ops::Range<i32>| {
        let client = house.client().await;
        for id in ids {
            // Who planned for the old types is told to try again.
            while let Err(error) = client.batch_execute(&format!("INSERT INTO t VALUES ({id}, 1)")).await {
                assert_eq!(error.code().map(|code| code.code()), Some("40001"), "{error:?}");
            }
        }
    };
    let alter = async || {
        for change in ["id TYPE bigint", "n TYPE int", "n TYPE bigint"] {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            ask(&client, &format!("ALTER TABLE t ALTER COLUMN {change}")).await;
        }
    };
    tokio::join!(insert(0..40), insert(100..140), alter());
    assert_eq!(house.run("SELECT count(*), count(DISTINCT id), sum(n) FROM t").await, ["80|80|80"]);
    house.run("OPTIMIZE t").await;
    assert_eq!(house.run("SELECT count(*), sum(id), sum(n) FROM t").await, ["80|5560|80"]);
}
