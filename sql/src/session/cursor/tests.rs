use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::execution::disk_manager::DiskManagerBuilder;
use futures::TryStreamExt;

use super::*;

fn open(rows: i64, batch_rows: i64, scroll: bool) -> Cursors {
    let columns = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    let schema = Arc::clone(&columns);
    let starts = (0..rows).step_by(usize::try_from(batch_rows).unwrap());
    let batches = starts.map(move |start| {
        let numbers = Int64Array::from_iter_values(start + 1..=(start + batch_rows).min(rows));
        Ok(RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers)]).unwrap())
    });
    let rows = RecordBatchStreamAdapter::new(Arc::clone(&columns), futures::stream::iter(batches));
    let cursors = Cursors::default();
    let kept_on = scroll.then(|| Arc::new(DiskManagerBuilder::default().build().unwrap()));
    let (name, statement) = ("c".to_owned(), String::new());
    let new =
        NewCursor { name, statement, columns, rows: Box::pin(rows), hold: false, binary: false, kept_on };
    cursors.declare(new).unwrap();
    cursors
}

async fn fetch(cursors: &Cursors, direction: Direction) -> Result<Vec<i64>> {
    let batches: Vec<RecordBatch> = cursors.fetch("c", direction)?.try_collect().await?;
    let numbers =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
    Ok(numbers.collect())
}

/// The steps and answers are those of PostgreSQL 15 over `generate_series(1, 5)`.
#[tokio::test]
async fn a_scroll_cursor_moves_as_in_postgres() {
    use Direction::*;
    let steps: &[(Direction, &[i64])] = &[
        (Forward(0), &[]),
        (Forward(1), &[1]),
        (Forward(0), &[1]),
        (Forward(2), &[2, 3]),
        (Forward(-1), &[2]),
        (Relative(2), &[4]),
        (Relative(0), &[4]),
        (Relative(-3), &[1]),
        (Forward(-1), &[]),
        (Forward(-1), &[]),
        (Forward(1), &[1]),
        (Absolute(4), &[4]),
        (Absolute(-1), &[5]),
        (Absolute(-2), &[4]),
        (Absolute(-6), &[]),
        (Forward(1), &[1]),
        (Absolute(9), &[]),
        (Forward(1), &[]),
        (Relative(0), &[]),
        (Forward(-1), &[5]),
        (Absolute(0), &[]),
        (ForwardAll, &[1, 2, 3, 4, 5]),
        (ForwardAll, &[]),
        (BackwardAll, &[5, 4, 3, 2, 1]),
        (BackwardAll, &[]),
        (Forward(3), &[1, 2, 3]),
        (Forward(-9), &[2, 1]),
        (ForwardAll, &[1, 2, 3, 4, 5]),
        (Absolute(5), &[5]),
        (Absolute(5), &[5]),
        (Absolute(6), &[]),
        (Absolute(5), &[5]),
    ];
    for batch_rows in [1, 2, 5, 7] {
        let cursors = open(5, batch_rows, true);
        for (place, (direction, expected)) in steps.iter().enumerate() {
            let found = fetch(&cursors, *direction).await.unwrap();
            assert_eq!(&found, expected, "step {place}: {direction:?}, batches of {batch_rows}");
        }
    }
}

#[tokio::test]
async fn a_plain_cursor_goes_forward_only() {
    let cursors = open(5, 2, false);
    assert_eq!(fetch(&cursors, Direction::Forward(3)).await.unwrap(), [1, 2, 3]);
    let backward =
        [Direction::Forward(-1), Direction::Absolute(1), Direction::Relative(0), Direction::BackwardAll];
    for direction in backward {
        assert_eq!(fetch(&cursors, direction).await.unwrap_err().sqlstate(), "55000", "{direction:?}");
    }
    // MOVE 0 tells whether it is on a row, and reads none.
    assert_eq!(cursors.go("c", Direction::Relative(0)).await.unwrap(), 1);
    assert_eq!(cursors.go("c", Direction::Forward(1)).await.unwrap(), 1);
    assert_eq!(fetch(&cursors, Direction::Absolute(5)).await.unwrap(), [5]);
    assert_eq!(cursors.go("c", Direction::ForwardAll).await.unwrap(), 0);
    assert!(fetch(&cursors, Direction::ForwardAll).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_rows_go_to_disk_and_come_back() {
    // 3 million numbers of 8 bytes: three parts.
    let rows = 3_000_000;
    let cursors = open(rows, 8_192, true);
    assert_eq!(cursors.go("c", Direction::ForwardAll).await.unwrap(), rows as u64);
    for row in [1, 2_999_999, 1_048_576, 1_048_577, 5, 2_000_000] {
        assert_eq!(fetch(&cursors, Direction::Absolute(row)).await.unwrap(), [row]);
        assert_eq!(fetch(&cursors, Direction::Forward(1)).await.unwrap(), [row + 1]);
    }
    fetch(&cursors, Direction::Absolute(-1)).await.unwrap();
    let back = fetch(&cursors, Direction::BackwardAll).await.unwrap();
    assert_eq!((back.len(), back[0], back[back.len() - 1]), (2_999_999, 2_999_999, 1));
}
