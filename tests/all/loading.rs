//! Loading: formats, compression, and everything that can be wrong with a file.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use crate::process::{Root, both};
use crate::server::House;

on_each_store! {
    House::open().await, House::on_s3().await;
    csv_plain_gzipped_and_zstandard_load,
    ndjson_plain_gzipped_and_zstandard_load,
    parquet_loads,
    a_pipe_maps_columns_and_keeps_leading_zeros,
    a_wrong_type_in_row_seven_rejects_that_row_and_says_why,
    corrupt_files_fail_alone,
    a_corrupt_parquet_file_fails_alone,
    a_missing_and_an_unknown_column_are_named,
    a_duplicate_file_is_skipped_and_a_changed_one_is_loaded,
    every_row_of_every_file_is_loaded_or_rejected,
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

fn parquet_file(ids: &[i64], names: &[Option<&str>]) -> Vec<u8> {
    let id: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
    let name: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
    let batch = RecordBatch::try_from_iter([("id", id), ("name", name)]).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

/// A table of numbers and names, and a pipe for one format.
async fn house_with_pipe(house: House, format: &str) -> House {
    house.run("CREATE TABLE people (id bigint NOT NULL, name text)").await;
    house.run(&format!("CREATE PIPE people FROM 'landing/people/' INTO people FORMAT {format}")).await;
    house
}

/// Loads what is there: files loaded, failed and skipped, rows and rejects.
async fn load(house: &House) -> String {
    house.run("CALL system.run_pipe('people')").await.pop().unwrap()
}

const PEOPLE: &str = "SELECT id, name FROM people ORDER BY id, name";
const FAILURES: &str = "SELECT file, sqlstate, error FROM system.loads WHERE state = 'failed' ORDER BY file";

async fn csv_plain_gzipped_and_zstandard_load(house: House) {
    let house = house_with_pipe(house, "csv").await;
    house.put("landing/people/a.csv", "id,name\n1,\"Zhang, San\"\n2,\n3,\"\"\n").await;
    house.put("landing/people/b.csv.gz", gzip("name,id\n李四,4\n\"two\nlines\",5\n")).await;
    house.put("landing/people/deep/c.csv.zst", zstd("id,name\r\n6,\"a \"\"quote\"\"\"\r\n")).await;
    assert_eq!(load(&house).await, "3|0|0|6|0");
    assert_eq!(
        house.run(PEOPLE).await,
        ["1|Zhang, San", "2|NULL", "3|", "4|李四", "5|two\nlines", "6|a \"quote\""]
    );
    assert_eq!(load(&house).await, "0|0|0|0|0");
}

async fn ndjson_plain_gzipped_and_zstandard_load(house: House) {
    let house = house_with_pipe(house, "ndjson").await;
    house.put("landing/people/a.ndjson", "{\"id\": 1, \"name\": \"张三\"}\n{\"id\": \"2\"}\n").await;
    house.put("landing/people/b.ndjson.gz", gzip("{\"name\": \"two\\nlines\", \"id\": 3}\n")).await;
    house.put("landing/people/c.ndjson.zst", zstd("{\"id\": 4, \"name\": {\"first\": \"x\"}}\n")).await;
    assert_eq!(load(&house).await, "3|0|0|4|0");
    assert_eq!(house.run(PEOPLE).await, ["1|张三", "2|NULL", "3|two\nlines", "4|{\"first\": \"x\"}"]);
}

async fn parquet_loads(house: House) {
    let house = house_with_pipe(house, "parquet").await;
    house.put("landing/people/a.parquet", parquet_file(&[1, 2], &[Some("张三"), None])).await;
    house.put("landing/people/b.parquet", parquet_file(&[3], &[Some("x")])).await;
    assert_eq!(load(&house).await, "2|0|0|3|0");
    assert_eq!(house.run(PEOPLE).await, ["1|张三", "2|NULL", "3|x"]);
}

async fn a_pipe_maps_columns_and_keeps_leading_zeros(house: House) {
    house.run("CREATE TABLE people (id text NOT NULL, name text, born date, amount numeric(18,2))").await;
    house
        .run(
            "CREATE PIPE people FROM 'landing/people/' INTO people FORMAT csv OPTIONS (delimiter ';', null '-') AS \
             SELECT \"编号\" AS id, upper(who) AS name, born, replace(amount, ',', '.') AS amount \
             FROM source WHERE who <> 'skip'",
        )
        .await;
    house
        .put(
            "landing/people/a.csv",
            "编号;who;born;amount\n007;bond;1920-11-11;1234567,89\n008;-;-;-\n009;skip;-;-\n",
        )
        .await;
    assert_eq!(load(&house).await, "1|0|0|1|0");
    assert_eq!(house.run("SELECT * FROM people").await, ["007|BOND|1920-11-11|1234567.89"]);
}

async fn a_wrong_type_in_row_seven_rejects_that_row_and_says_why(house: House) {
    let house = house_with_pipe(house, "csv").await;
    let mut rows: Vec<String> = (1..=10).map(|id| format!("{id},n{id}")).collect();
    rows[6] = "seven,n7".to_owned();
    rows[8] = ",n9".to_owned();
    rows[9] = "10,n10,more".to_owned();
    house.put("landing/people/a.csv", format!("id,name\n{}\n", rows.join("\n"))).await;
    house.put("landing/people/b.csv", "id,name\n20,twenty\n").await;
    assert_eq!(load(&house).await, "2|0|0|8|3");
    assert_eq!(
        house.run("SELECT count(*), sum(id) FROM people").await,
        [format!("8|{}", 1 + 2 + 3 + 4 + 5 + 6 + 8 + 20)]
    );
    let rejects = house
        .run("SELECT file, row_number, sqlstate, reason, raw FROM system.rejects ORDER BY row_number")
        .await;
    assert_eq!(
        rejects[..2],
        [
            "landing/people/a.csv|7|22P02|column \"id\": invalid input syntax for type bigint: \"seven\"|\
             {\"id\":\"seven\",\"name\":\"n7\"}",
            "landing/people/a.csv|9|23502|null value in column \"id\" of relation \"people\" violates not-null \
             constraint|{\"id\":null,\"name\":\"n9\"}",
        ]
    );
    assert!(rejects[2].starts_with("landing/people/a.csv|10|22P04|"), "{}", rejects[2]);
    let told = house.run("SELECT file, state, rows, rejected, error FROM system.loads ORDER BY file").await;
    assert_eq!(told, ["landing/people/a.csv|loaded|7|3|NULL", "landing/people/b.csv|loaded|1|0|NULL"]);
}

async fn corrupt_files_fail_alone(house: House) {
    let house = house_with_pipe(house, "csv").await;
    let mut cut = gzip(&format!("id,name\n{}", "1,one\n".repeat(5_000)));
    cut.truncate(cut.len() / 2);
    house.put("landing/people/cut.csv.gz", cut).await;
    house.put("landing/people/no.csv.gz", "this is not gzip").await;
    house.put("landing/people/no.csv.zst", "this is not zstd").await;
    house.put("landing/people/good.csv", "id,name\n1,one\n").await;
    assert_eq!(load(&house).await, "1|3|0|1|0");
    assert_eq!(house.run(PEOPLE).await, ["1|one"]);
    let failures = house.run(FAILURES).await;
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert_eq!(failures[0], "landing/people/cut.csv.gz|XX001|invalid gzip data: it is truncated");
    assert!(failures[1].starts_with("landing/people/no.csv.gz|XX001|invalid gzip data: "), "{}", failures[1]);
    assert!(
        failures[2].starts_with("landing/people/no.csv.zst|XX001|invalid zstd data: "),
        "{}",
        failures[2]
    );
    // They are not tried again and again; files that are mended are.
    assert_eq!(load(&house).await, "0|0|0|0|0");
    house.put("landing/people/no.csv.gz", gzip("id,name\n2,two\n")).await;
    assert_eq!(load(&house).await, "1|0|0|1|0");
}

async fn a_corrupt_parquet_file_fails_alone(house: House) {
    let house = house_with_pipe(house, "parquet").await;
    let whole = parquet_file(&[1, 2, 3], &[Some("a"), Some("b"), Some("c")]);
    let mut cut = whole.clone();
    cut.truncate(whole.len() - 20);
    let mut flipped = whole.clone();
    flipped[20..60].fill(0xff);
    house.put("landing/people/cut.parquet", cut).await;
    house.put("landing/people/empty.parquet", "").await;
    house.put("landing/people/flipped.parquet", flipped).await;
    house.put("landing/people/text.parquet", "id,name\n1,one\n").await;
    house.put("landing/people/whole.parquet", whole).await;
    assert_eq!(load(&house).await, "1|4|0|3|0");
    for failure in house.run(FAILURES).await {
        assert!(failure.contains("|XX001|invalid parquet file: "), "{failure}");
        assert!(!failure.contains("::") && !failure.contains(".rs"), "{failure}");
    }
    assert_eq!(house.run(PEOPLE).await, ["1|a", "2|b", "3|c"]);
}

async fn a_missing_and_an_unknown_column_are_named(house: House) {
    let house = house_with_pipe(house, "csv").await;
    house.put("landing/people/a.csv", "name\nx\n").await;
    house.put("landing/people/b.csv", "id,name,colour\n1,x,red\n").await;
    house.put("landing/people/c.csv", "id\n3\n").await;
    assert_eq!(load(&house).await, "1|2|0|1|0");
    let failures = house.run(FAILURES).await;
    assert!(
        failures[0].starts_with("landing/people/a.csv|42703|column \"id\" of relation \"people\" is missing"),
        "{}",
        failures[0]
    );
    assert!(
        failures[1].starts_with(
            "landing/people/b.csv|42703|column \"colour\" of relation \"people\" does not exist"
        ),
        "{}",
        failures[1]
    );
    // The pipe names what the file lacks.
    house.run("CREATE OR REPLACE PIPE people FROM 'landing/people/' INTO people FORMAT csv AS SELECT id, nick AS name FROM source").await;
    house.put("landing/people/d.csv", "id,name\n4,x\n").await;
    load(&house).await;
    let failure = house.run("SELECT error FROM system.loads WHERE file LIKE '%d.csv'").await.pop().unwrap();
    assert!(failure.starts_with("column \"nick\" does not exist"), "{failure}");
}

async fn a_duplicate_file_is_skipped_and_a_changed_one_is_loaded(house: House) {
    let house = house_with_pipe(house, "csv").await;
    house.put("landing/people/a.csv", "id,name\n1,one\n").await;
    assert_eq!(load(&house).await, "1|0|0|1|0");
    // The same bytes under the same name again.
    house.put("landing/people/a.csv", "id,name\n1,one\n").await;
    assert_eq!(load(&house).await, "0|0|1|0|0");
    // Other bytes under the same name.
    house.put("landing/people/a.csv", "id,name\n1,one\n2,two\n").await;
    assert_eq!(load(&house).await, "1|0|0|2|0");
    assert_eq!(house.run(PEOPLE).await, ["1|one", "1|one", "2|two"]);
    let told = house.run("SELECT state, rows, error IS NULL FROM system.loads ORDER BY started_at").await;
    assert_eq!(told, ["loaded|1|t", "skipped|NULL|f", "loaded|2|t"]);
}

async fn every_row_of_every_file_is_loaded_or_rejected(house: House) {
    let house = house_with_pipe(house, "csv").await;
    let mut rows = 0;
    for file in 0..12 {
        let lines: Vec<String> = (0..40 + file)
            .map(|row| {
                if (row + file) % 7 == 0 { format!("x{row},bad") } else { format!("{},ok", file * 100 + row) }
            })
            .collect();
        rows += lines.len();
        house.put(&format!("landing/people/{file:02}.csv"), format!("id,name\n{}\n", lines.join("\n"))).await;
    }
    load(&house).await;
    let told =
        house.run("SELECT sum(rows) + sum(rejected), sum(rows), sum(rejected) FROM system.loads").await;
    let loaded = house.run("SELECT count(*) FROM people").await.pop().unwrap();
    let rejected = house.run("SELECT count(*) FROM system.rejects").await.pop().unwrap();
    assert_eq!(told, [format!("{rows}|{loaded}|{rejected}")]);
    assert_eq!(house.run("SELECT count(DISTINCT id) FROM people").await, [loaded]);
}

#[test]
fn the_binary_loads_files_and_tells_what_became_of_them() {
    let root = Root::new();
    let file = |name: &str, content: &[u8]| {
        let path = root.beside(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file(
        "in/a.csv",
        b"source_system,event_id,event_name,occurred_at\nshop,e1,view,2026-01-01T00:00:00Z\n",
    );
    file(
        "in/b.ndjson.gz",
        &gzip(
            "{\"source_system\":\"shop\",\"event_id\":\"e2\",\"event_name\":\"pay\",\"occurred_at\":\"2026-01-01 00:00:00\"}\n",
        ),
    );
    file("in/c.csv", b"source_system,event_id,event_name,occurred_at\nshop,e3,view,yesterday\nshop,e4,view,2026-01-02T00:00:00Z\n");
    let folder = root.beside("in").to_str().unwrap().to_owned();
    let said = root.says("load", &[&folder, "--into", "x.events"]);
    assert!(said.starts_with("3 rows loaded, 1 rejected; 3 files loaded, 0 skipped, 0 failed"), "{said}");
    // Once is enough, also under another name.
    let twin = file("twin.csv", &std::fs::read(&good).unwrap());
    let said = root.says("load", &[&folder, &twin, "--into", "x.events"]);
    assert!(said.starts_with("0 rows loaded, 0 rejected; 0 files loaded, 4 skipped, 0 failed"), "{said}");
    // A file that fails does not stop the others; the process says that something failed.
    let corrupt = file("corrupt.csv.gz", b"not gzip");
    let unknown = file("what.xls", b"?");
    let more = file(
        "more.csv",
        b"source_system,event_id,event_name,occurred_at\nshop,e5,view,2026-01-01T00:00:00Z\n",
    );
    let output = root.run("load", &[&corrupt, &unknown, &more, "--into", "x.events"]);
    assert!(!output.status.success());
    let said = both(&output);
    assert!(said.contains("1 rows loaded, 0 rejected; 1 files loaded, 0 skipped, 2 failed"), "{said}");
    assert!(said.contains("invalid gzip data"), "{said}");
    for (arguments, expected) in [
        (vec![good.as_str(), "--into", "x.nothing"], "relation \"x.nothing\" does not exist"),
        (vec!["/nonexistent.csv", "--into", "x.events"], "\"/nonexistent.csv\""),
        (vec![good.as_str(), "--pipe", "nothing"], "pipe \"nothing\" does not exist"),
    ] {
        let output = root.run("load", &arguments);
        let said = both(&output);
        assert!(!output.status.success() && said.contains("ERROR:  ") && said.contains(expected), "{said}");
    }
    let said = root.says("check", &[]);
    assert!(said.contains("ok       x.events") && said.ends_with("0 faults\n"), "{said}");
}
