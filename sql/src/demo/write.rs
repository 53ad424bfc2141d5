//! The three formats of the example: CSV, gzipped NDJSON and Parquet, written without a clock.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as ParquetCompression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use voxhouse_engine::Result;

use super::calendar::Second;
use super::orders::Order;
use super::people::Person;

/// CSV with a header; a field is quoted when it has to be.
pub(super) fn csv(header: &[&str], rows: &[Vec<String>], delimiter: char) -> Bytes {
    let mut text = String::new();
    record(header.iter().copied(), delimiter, &mut text);
    for row in rows {
        record(row.iter().map(String::as_str), delimiter, &mut text);
    }
    Bytes::from(text)
}

fn record<'a>(fields: impl Iterator<Item = &'a str>, delimiter: char, text: &mut String) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            text.push(delimiter);
        }
        if field.contains([delimiter, '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&field.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(field);
        }
    }
    text.push('\n');
}

/// One JSON object a line, gzipped.
pub(super) fn ndjson_gz<'a>(lines: impl Iterator<Item = &'a Value>) -> Result<Bytes> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    for line in lines {
        serde_json::to_writer(&mut gzip, line)?;
        gzip.write_all(b"\n")?;
    }
    Ok(Bytes::from(gzip.finish()?))
}

/// One row of an orders file. A spoiled one lacks its identifier or its currency.
pub(super) struct OrderRow<'a> {
    pub(super) order: &'a Order,
    pub(super) person: &'a Person,
    pub(super) order_id: Option<String>,
    pub(super) currency: Option<&'static str>,
}

pub(super) fn orders_parquet(rows: &[OrderRow<'_>]) -> Result<Bytes> {
    let batch = orders_batch(rows)?;
    let properties = WriterProperties::builder()
        .set_compression(ParquetCompression::ZSTD(ZstdLevel::default()))
        .set_created_by("voxhouse demo".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    Ok(Bytes::from(writer.into_inner()?))
}

fn orders_batch(rows: &[OrderRow<'_>]) -> Result<RecordBatch> {
    let text = |value: fn(&OrderRow<'_>) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let time = |value: fn(&Order) -> Option<Second>| -> ArrayRef {
        let micros = rows.iter().map(|row| value(row.order).map(|at| at * 1_000_000));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let money = |value: fn(&Order) -> i64| -> Result<ArrayRef> {
        let cents = rows.iter().map(|row| i128::from(value(row.order)));
        Ok(Arc::new(Decimal128Array::from_iter_values(cents).with_precision_and_scale(18, 2)?))
    };
    let order_ids: StringArray = rows.iter().map(|row| row.order_id.as_deref()).collect();
    let currencies: StringArray = rows.iter().map(|row| row.currency).collect();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("order_id", Arc::new(order_ids), true),
        ("account_type", text(|row| row.order.key.0.to_owned()), true),
        ("account", text(|row| row.order.key.1.clone()), true),
        ("ordered_at", time(|order| Some(order.ordered_at)), true),
        ("promised_at", time(|order| Some(order.promised_at)), true),
        ("delivered_at", time(|order| order.delivered_at), true),
        ("status", text(|row| row.order.status.to_owned()), true),
        ("currency", Arc::new(currencies), true),
        ("amount", money(|order| order.amount_cents)?, true),
        ("margin", money(|order| order.margin_cents)?, true),
        ("channel", text(|row| row.order.channel.to_owned()), true),
        ("product", text(product), true),
        ("category", text(|row| row.order.product.category.to_owned()), true),
        ("shipping", text(shipping), true),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn product(row: &OrderRow<'_>) -> String {
    let product = row.order.product;
    if row.person.chinese { product.chinese } else { product.english }.to_owned()
}

fn shipping(row: &OrderRow<'_>) -> String {
    json!({ "city": row.person.city.chinese, "courier": row.order.courier.chinese() }).to_string()
}
