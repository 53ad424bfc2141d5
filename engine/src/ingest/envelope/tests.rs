use arrow::array::Int64Array;
use futures::{TryStreamExt, stream};

use super::*;
use crate::catalog::SqlType;

#[derive(Debug)]
struct OneBatch(SourceBatch);

impl Split for OneBatch {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        stream::iter([Ok(self.0.clone())]).boxed()
    }
}

fn accounts() -> Table {
    let table = serde_json::json!({
        "oid": 1,
        "schema": "x",
        "name": "accounts",
        "owner": "voxhouse",
        "location": "x/accounts",
        "columns": [{"name": "id", "type": SqlType::BigInt}, {"name": "at", "type": SqlType::Timestamp}],
        "created_at": "2026-01-01T00:00:00Z",
    });
    serde_json::from_value(table).unwrap()
}

async fn unwrap(batch: RecordBatch) -> Result<(SourceBatch, Vec<Change>)> {
    let row_numbers: Vec<u64> = (1..=batch.num_rows() as u64).collect();
    let schema = batch.schema();
    let source = SourceBatch { batch, row_numbers, bad_rows: Vec::new() };
    let file = OpenFile { schema, splits: vec![Arc::new(OneBatch(source))], row_count: None };
    let (open, changes) = unwrapped(file, &accounts()).await?;
    let rows = open.splits[0].read().try_next().await?.unwrap();
    assert_eq!(rows.batch.schema().fields().len(), open.schema.fields().len());
    let noted = rows.row_numbers.iter().map(|number| changes.of(*number)).collect();
    Ok((rows, noted))
}

fn texts_of(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn struct_of(columns: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let fields: Vec<(Arc<Field>, ArrayRef)> = columns
        .into_iter()
        .map(|(name, values)| (Arc::new(Field::new(name, values.data_type().clone(), true)), values))
        .collect();
    Arc::new(StructArray::from(fields))
}

fn ids(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

#[tokio::test]
async fn structs_give_the_row_after_or_the_row_before() {
    let before = struct_of(vec![("id", ids(&[None, Some(2), None, None, None]))]);
    let after = struct_of(vec![
        ("id", ids(&[Some(1), None, Some(3), None, None])),
        ("name", texts_of(&[Some("one"), None, Some("three"), None, None])),
    ]);
    let batch = RecordBatch::try_from_iter([
        ("op", texts_of(&[Some("c"), Some("d"), Some("u"), Some("m"), Some("t")])),
        ("before", before),
        ("after", after),
        ("source", struct_of(vec![("lsn", ids(&[Some(10), Some(11), None, None, None]))])),
        ("ts_ms", ids(&[Some(5), Some(6), Some(7), Some(8), Some(9)])),
    ])
    .unwrap();
    let (rows, changes) = unwrap(batch).await.unwrap();
    assert_eq!(rows.row_numbers, [1, 2, 3]);
    let id = rows.batch.column(0).as_primitive::<Int64Type>();
    assert_eq!(id.iter().collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    let expected = [(false, Some(10), 5), (true, Some(11), 6), (false, None, 7)];
    let expected = expected.map(|(deleted, lsn, ts_ms)| Change { deleted, lsn, ts_ms: Some(ts_ms) });
    assert_eq!(changes, expected);
    assert_eq!(rows.bad_rows.len(), 1);
    assert!(rows.bad_rows[0].reason.starts_with("op \"t\""), "{}", rows.bad_rows[0].reason);
}

#[tokio::test]
async fn json_times_are_read_by_their_size() {
    let event = |at: &str| format!(r#"{{"op":"c","after":{{"id":1,"at":{at}}},"source":{{"scn":"77"}}}}"#);
    let events: Vec<String> =
        ["1735689600000", "1735689600000000", "1735689600000000000", "\"2025-01-01\"", "null"]
            .map(event)
            .into();
    let payload = events.iter().map(|event| Some(event.as_str())).chain([None, Some("7"), Some("{")]);
    let batch = RecordBatch::try_from_iter([("payload", texts_of(&payload.collect::<Vec<_>>()))]).unwrap();
    let (rows, changes) = unwrap(batch).await.unwrap();
    let at = rows.batch.column_by_name("at").unwrap().as_string::<i32>();
    let midnight = Some("2025-01-01 00:00:00.000000");
    assert_eq!(at.iter().collect::<Vec<_>>(), [midnight, midnight, midnight, Some("2025-01-01"), None]);
    assert!(changes.iter().all(|change| change.lsn == Some(77) && !change.deleted));
    let bad: Vec<u64> = rows.bad_rows.iter().map(|row| row.row_number).collect();
    assert_eq!((rows.row_numbers, bad), (vec![1, 2, 3, 4, 5], vec![7, 8]));
}

#[tokio::test]
async fn a_file_of_something_else_is_refused() {
    let batch = RecordBatch::try_from_iter([("id", ids(&[Some(1)]))]).unwrap();
    let error = unwrap(batch).await.unwrap_err();
    assert_eq!((error.sqlstate(), error.message()), ("22P02", "file is not a change feed"));
}
