use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimeUnit};
use arrow::ipc::CompressionType;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use voxhouse_engine::ErrorKind;
use voxhouse_engine::source::FormatOptions;

use crate::conformance::{Shelf, assert_is_for_people, batches, read};
use crate::writers::{arrow_file, arrow_stream};

fn sample() -> RecordBatch {
    let number: ArrayRef =
        Arc::new(Int64Array::from_iter((0..3000).map(|one| (one % 7 != 0).then_some(one))));
    let text: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..3000).map(|one| format!("note {}", one % 90))));
    let dictionary: DictionaryArray<Int32Type> =
        (0..3000).map(|one| ["low", "high"].get(one % 3).copied()).collect();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(
        (0..3000).map(|one| (one % 5 != 0).then(|| vec![Some(one), None])),
    );
    let decimal = cast(&number, &DataType::Decimal128(20, 2)).unwrap();
    let at = cast(&number, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))).unwrap();
    RecordBatch::try_from_iter([
        ("number", number),
        ("text", text),
        ("dictionary", Arc::new(dictionary) as ArrayRef),
        ("list", Arc::new(list)),
        ("decimal", decimal),
        ("at", at),
        ("int", Arc::new(Int32Array::from_iter_values(0..3000))),
    ])
    .unwrap()
}

#[tokio::test]
async fn types_pass_through_in_every_form() {
    let batch = sample();
    for (name, bytes) in [
        ("a.arrow", arrow_file(&batch, None)),
        ("a.feather", arrow_file(&batch, Some(CompressionType::ZSTD))),
        ("a.ipc", arrow_stream(&batch)),
    ] {
        let file = Shelf::in_memory(name, bytes).await.open(&FormatOptions::new()).await.unwrap();
        let found = batches(&file).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].row_numbers, (1..=3000).collect::<Vec<_>>());
        assert_eq!(found[0].batch, batch, "{name}");
    }
}

#[tokio::test]
async fn the_first_feather_is_told_apart() {
    let error = read("a.feather", b"FEA1 and so on".to_vec(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

/// Bytes flipped anywhere: rows, or one clear error, and never a panic.
#[tokio::test]
async fn a_damaged_file_never_panics() {
    let mut random = StdRng::seed_from_u64(4);
    let batch = sample();
    let mut refused = 0;
    for bytes in
        [arrow_file(&batch, None), arrow_file(&batch, Some(CompressionType::LZ4_FRAME)), arrow_stream(&batch)]
    {
        for round in 0..150 {
            let mut damaged = bytes.clone();
            // Half of the damage goes to the schema and the first batch's metadata.
            let last = if round % 2 == 0 { bytes.len() } else { 2500 };
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..last);
                damaged[at] = random.random();
            }
            let shelf = Shelf::in_memory("a.arrow", damaged).await;
            let result = match shelf.open(&FormatOptions::new()).await {
                Ok(file) => batches(&file).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                refused += 1;
                let kinds = [ErrorKind::DataCorrupted, ErrorKind::NotSupported, ErrorKind::LimitExceeded];
                assert!(kinds.contains(&error.kind()), "{error:?}");
                assert_is_for_people(error.message());
            }
        }
    }
    assert!(refused > 50, "{refused}");
}
