//! What one column holds.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::temporal_conversions::{date32_to_datetime, timestamp_us_to_datetime};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;
use datafusion::scalar::ScalarValue;
use serde_json::{Value, json};

use super::distinct::Distinct;
use super::frequent::Frequent;
use super::quantiles::Quantiles;
use crate::hash::of_text;
use crate::privacy::{Kind as Pii, find_pii};

const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];
/// So many values are looked through for personal data.
const SAMPLE: u64 = 1_000;
/// A kind that fewer of them show is chance.
const SUSPICIOUS_SHARE: f64 = 0.01;
const DECIMAL_DIGITS: u8 = 38;

/// How values of a type are read and written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Read {
    /// Numbers without a fraction.
    Whole,
    Decimal {
        scale: i8,
    },
    Double,
    Date,
    Time {
        with_zone: bool,
    },
    Text,
}

impl Read {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Dictionary(_, values) => Self::of(values),
            DataType::Decimal128(_, scale) => Read::Decimal { scale: *scale },
            DataType::Date32 => Read::Date,
            DataType::Timestamp(_, zone) => Read::Time { with_zone: zone.is_some() },
            other if other.is_integer() && *other != DataType::UInt64 => Read::Whole,
            other if other.is_floating() => Read::Double,
            _ => Read::Text,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Read::Whole | Read::Decimal { .. } | Read::Double)
    }

    fn may_be_personal(self) -> bool {
        matches!(self, Read::Whole | Read::Text)
    }

    /// An exact value as text.
    fn shown(self, value: i128) -> String {
        let narrow = i64::try_from(value).unwrap_or(i64::MAX);
        match self {
            Read::Decimal { scale } => decimal(value, scale),
            Read::Date => match i32::try_from(value).ok().and_then(date32_to_datetime) {
                Some(at) => at.date().to_string(),
                None => value.to_string(),
            },
            Read::Time { with_zone } => match timestamp_us_to_datetime(narrow) {
                Some(at) => format!("{at}{}", if with_zone { "+00" } else { "" }),
                None => value.to_string(),
            },
            _ => value.to_string(),
        }
    }
}

fn decimal(value: i128, scale: i8) -> String {
    let places = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if value < 0 { "-" } else { "" };
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The smallest and the largest value, as the type orders them.
#[derive(Debug, Clone)]
enum Extremes {
    None,
    Exact(i128, i128),
    Double(f64, f64),
    Text(String, String),
}

impl Extremes {
    fn exact(&mut self, value: i128) {
        match self {
            Extremes::Exact(low, high) => (*low, *high) = ((*low).min(value), (*high).max(value)),
            other => *other = Extremes::Exact(value, value),
        }
    }

    fn double(&mut self, value: f64) {
        match self {
            Extremes::Double(low, high) => (*low, *high) = (low.min(value), high.max(value)),
            other => *other = Extremes::Double(value, value),
        }
    }

    fn text(&mut self, value: &str) {
        match self {
            Extremes::Text(low, high) => {
                if value < low.as_str() {
                    value.clone_into(low);
                }
                if value > high.as_str() {
                    value.clone_into(high);
                }
            }
            other => *other = Extremes::Text(value.to_owned(), value.to_owned()),
        }
    }

    fn save(&self) -> Value {
        match self {
            Extremes::None => Value::Null,
            Extremes::Exact(low, high) => json!({ "exact": [low.to_string(), high.to_string()] }),
            Extremes::Double(low, high) => json!({ "double": [low.to_bits(), high.to_bits()] }),
            Extremes::Text(low, high) => json!({ "text": [low, high] }),
        }
    }

    fn merge(&mut self, saved: &Value) -> Option<()> {
        if let Some(values) = saved["exact"].as_array() {
            for value in values {
                self.exact(value.as_str()?.parse().ok()?);
            }
        }
        if let Some(values) = saved["double"].as_array() {
            for value in values {
                self.double(f64::from_bits(value.as_u64()?));
            }
        }
        if let Some(values) = saved["text"].as_array() {
            for value in values {
                self.text(value.as_str()?);
            }
        }
        Some(())
    }

    fn shown(&self, read: Read) -> (Option<String>, Option<String>) {
        match self {
            Extremes::None => (None, None),
            Extremes::Exact(low, high) => (Some(read.shown(*low)), Some(read.shown(*high))),
            Extremes::Double(low, high) => (Some(low.to_string()), Some(high.to_string())),
            Extremes::Text(low, high) => (Some(low.clone()), Some(high.clone())),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Profile {
    read: Read,
    rows: u64,
    nulls: u64,
    extremes: Extremes,
    /// Of the numbers that are finite.
    sum: f64,
    numbers: u64,
    quantiles: Quantiles,
    distinct: Distinct,
    frequent: Frequent,
    /// Values that were looked through for personal data, and how many showed each kind.
    looked_at: u64,
    personal: [u64; Pii::ALL.len()],
}

impl Profile {
    pub(super) fn of(data_type: &DataType) -> Self {
        Self {
            read: Read::of(data_type),
            rows: 0,
            nulls: 0,
            extremes: Extremes::None,
            sum: 0.0,
            numbers: 0,
            quantiles: Quantiles::default(),
            distinct: Distinct::default(),
            frequent: Frequent::default(),
            looked_at: 0,
            personal: [0; Pii::ALL.len()],
        }
    }

    pub(super) fn update(&mut self, column: &ArrayRef) -> Result<()> {
        self.rows += column.len() as u64;
        self.nulls += column.logical_null_count() as u64;
        match self.read {
            Read::Whole => {
                let values = cast(column, &DataType::Int64)?;
                values.as_primitive::<Int64Type>().iter().flatten().for_each(|v| self.exact(v.into()));
            }
            Read::Date => {
                let values = cast(&cast(column, &DataType::Int32)?, &DataType::Int64)?;
                values.as_primitive::<Int64Type>().iter().flatten().for_each(|v| self.exact(v.into()));
            }
            Read::Time { .. } => {
                let values = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
                let values = values.as_primitive::<TimestampMicrosecondType>();
                values.iter().flatten().for_each(|value| self.exact(value.into()));
            }
            Read::Decimal { scale } => {
                let values = cast(column, &DataType::Decimal128(DECIMAL_DIGITS, scale))?;
                values.as_primitive::<Decimal128Type>().iter().flatten().for_each(|value| self.exact(value));
            }
            Read::Double => {
                let values = cast(column, &DataType::Float64)?;
                values.as_primitive::<Float64Type>().iter().flatten().for_each(|value| self.double(value));
            }
            Read::Text => self.update_texts(column)?,
        }
        Ok(())
    }

    fn update_texts(&mut self, column: &ArrayRef) -> Result<()> {
        if matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
            let texts = cast(column, &DataType::LargeUtf8)?;
            texts.as_string::<i64>().iter().flatten().for_each(|text| self.text(text));
            return Ok(());
        }
        let nulls = column.logical_nulls();
        let shown = ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default())?;
        for row in (0..column.len()).filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row))) {
            self.text(&shown.value(row).to_string());
        }
        Ok(())
    }

    fn exact(&mut self, value: i128) {
        self.extremes.exact(value);
        let shown = self.read.shown(value);
        match self.read {
            Read::Decimal { scale } => self.number(value as f64 / 10f64.powi(scale.into())),
            Read::Whole => self.number(value as f64),
            _ => {}
        }
        self.value(&shown);
    }

    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.extremes.double(value);
            self.number(value);
        }
        self.value(&value.to_string());
    }

    fn text(&mut self, text: &str) {
        self.extremes.text(text);
        self.value(text);
    }

    fn number(&mut self, value: f64) {
        self.sum += value;
        self.numbers += 1;
        self.quantiles.add(value);
    }

    /// What is done with a value whatever its type.
    fn value(&mut self, shown: &str) {
        self.distinct.add(of_text(shown));
        self.frequent.add(shown);
        if self.read.may_be_personal() && self.looked_at < SAMPLE {
            self.looked_at += 1;
            let mut kinds: Vec<Pii> = find_pii(shown).into_iter().map(|found| found.kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            for (kind, count) in Pii::ALL.iter().zip(&mut self.personal) {
                *count += u64::from(kinds.contains(kind));
            }
        }
    }

    pub(super) fn save(&self) -> Value {
        json!({
            "rows": self.rows,
            "nulls": self.nulls,
            "extremes": self.extremes.save(),
            "sum": self.sum.to_bits(),
            "numbers": self.numbers,
            "quantiles": self.quantiles.save(),
            "distinct": self.distinct.save(),
            "frequent": self.frequent.save(),
            "looked_at": self.looked_at,
            "personal": self.personal,
        })
    }

    /// `None`: it was not saved here.
    pub(super) fn merge(&mut self, saved: &Value) -> Option<()> {
        self.rows += saved["rows"].as_u64()?;
        self.nulls += saved["nulls"].as_u64()?;
        self.extremes.merge(&saved["extremes"])?;
        self.sum += f64::from_bits(saved["sum"].as_u64()?);
        self.numbers += saved["numbers"].as_u64()?;
        self.quantiles.merge(&saved["quantiles"])?;
        self.distinct.merge(&saved["distinct"])?;
        self.frequent.merge(&saved["frequent"])?;
        self.looked_at += saved["looked_at"].as_u64()?;
        for (count, other) in self.personal.iter_mut().zip(saved["personal"].as_array()?) {
            *count += other.as_u64()?;
        }
        Some(())
    }

    /// The columns of the answer behind name and type.
    pub(super) fn answer(&self) -> Vec<ScalarValue> {
        let (low, high) = self.extremes.shown(self.read);
        let mean = (self.numbers > 0).then(|| self.sum / self.numbers as f64);
        let quantiles = match self.read.is_number() {
            true => self.quantiles.at(&SHARES),
            false => vec![None; SHARES.len()],
        };
        let mut row = vec![
            ScalarValue::from(self.rows as i64),
            ScalarValue::from(self.nulls as i64),
            ScalarValue::from(self.distinct.count()),
            ScalarValue::from(self.distinct.is_exact()),
            ScalarValue::Utf8(low),
            ScalarValue::Utf8(high),
            ScalarValue::Float64(mean),
        ];
        row.extend(quantiles.into_iter().map(ScalarValue::Float64));
        row.push(ScalarValue::Utf8(self.frequent.shown()));
        row.push(ScalarValue::Utf8(self.suspected()));
        row
    }

    /// The kinds of personal data that enough values show, most frequent first.
    fn suspected(&self) -> Option<String> {
        let least = (self.looked_at as f64 * SUSPICIOUS_SHARE).max(1.0);
        let mut kinds: Vec<(&Pii, u64)> = Pii::ALL.iter().zip(self.personal).collect();
        kinds.retain(|(_, count)| *count as f64 >= least);
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let names: Vec<&str> = kinds.into_iter().map(|(kind, _)| kind.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    pub(super) fn size(&self) -> usize {
        self.quantiles.size() + self.distinct.size() + self.frequent.size()
    }
}
