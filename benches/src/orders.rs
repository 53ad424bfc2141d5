//! Orders as a shop exports them: keys, times, money, repeated words and a comment.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The columns of [`batch`] as SQL.
pub const COLUMNS: &str = "order_no text NOT NULL, customer_id bigint NOT NULL, ordered_at timestamptz NOT NULL, \
    amount numeric(18,2), weight double precision, city text, score integer, gift boolean, due date, comment text";

const CITIES: [&str; 6] = ["上海", "北京", "成都", "广州", "London", "Singapore"];
const COMMENTS: [&str; 6] = [
    "快递太慢了，等了一个星期才到，客服也没有人管。",
    "包装很好，送货员态度不错，下次还会再来。",
    "退款申请了三次都没有回应，非常失望！",
    "The courier was quick and the support could not have been kinder.",
    "Arrived late, the box was crushed, and nobody answers the phone.",
    "一般般吧",
];

/// `rows` orders; the same seed makes the same rows.
pub fn batch(rows: usize, seed: u64) -> Result<RecordBatch, ArrowError> {
    const START: i64 = 1_704_067_200_000_000;
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let numbers: Vec<u64> = (0..rows as u64).collect();
    let order_no = numbers.iter().map(|number| format!("SO{:012}", number + seed * 1_000_000_000));
    let order_no: StringArray = order_no.map(Some).collect();
    let customer_id: Int64Array = numbers.iter().map(|_| dice.random_range(0..50_000_i64)).collect();
    let ordered_at = numbers.iter().map(|number| START + *number as i64 * 6_000_000);
    let ordered_at = TimestampMicrosecondArray::from_iter_values(ordered_at).with_timezone("UTC");
    let amount = numbers.iter().map(|_| i128::from(dice.random_range(100..100_000_i64)));
    let amount = Decimal128Array::from_iter_values(amount).with_precision_and_scale(18, 2)?;
    let weight: Float64Array = numbers.iter().map(|_| Some(dice.random_range(0.0..30.0))).collect();
    let city: StringArray =
        numbers.iter().map(|_| Some(CITIES[dice.random_range(0..CITIES.len())])).collect();
    let score: Int32Array =
        numbers.iter().map(|_| dice.random_bool(0.6).then(|| dice.random_range(0..=10))).collect();
    let gift: BooleanArray = numbers.iter().map(|_| Some(dice.random_bool(0.1))).collect();
    let due: Date32Array = numbers.iter().map(|number| Some(19_723 + (*number / 14_400) as i32)).collect();
    let comment: StringArray = numbers
        .iter()
        .map(|_| dice.random_bool(0.7).then(|| COMMENTS[dice.random_range(0..COMMENTS.len())]))
        .collect();
    let columns: [(&str, ArrayRef); 10] = [
        ("order_no", Arc::new(order_no)),
        ("customer_id", Arc::new(customer_id)),
        ("ordered_at", Arc::new(ordered_at)),
        ("amount", Arc::new(amount)),
        ("weight", Arc::new(weight)),
        ("city", Arc::new(city)),
        ("score", Arc::new(score)),
        ("gift", Arc::new(gift)),
        ("due", Arc::new(due)),
        ("comment", Arc::new(comment)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
}

/// A Parquet file of those rows, in row groups that several cores can share.
pub fn parquet_file(rows: usize, seed: u64) -> Result<Vec<u8>, ParquetError> {
    let batch = batch(rows, seed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(rows.div_ceil(8).max(1)))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}
