//! Arrow values as JSON, as `to_json` writes them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use bytes::BytesMut;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::wire::Texts;
use crate::wire::style::{DateStyle, TextStyle};
use crate::wire::types::{PgType, oid};
use voxhouse_engine::json::value::put_quoted;

/// The values of one array, ready to be written: dates in ISO 8601, all else as the session shows it.
pub(super) struct Shown {
    nulls: Option<NullBuffer>,
    part: Part,
}

enum Part {
    Null,
    Texts(Texts, Style),
    /// Where the elements of each row begin and end.
    List(Vec<(usize, usize)>, Box<Shown>),
    Record(Vec<(String, Shown)>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    /// Whole numbers, and what is JSON.
    Bare,
    Truth,
    /// A number, unless it is infinite or none.
    Number,
    Quoted,
    Time,
}

/// What stands between elements and members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Separator(pub(super) &'static str);

impl Separator {
    pub(super) const COMPACT: Self = Self(",");
    pub(super) const LINES: Self = Self(",\n ");
}

impl Shown {
    pub(super) fn new(array: &ArrayRef, field: &Field, text: TextStyle) -> Result<Self> {
        let nulls = array.logical_nulls();
        let part = match array.data_type() {
            DataType::Null => Part::Null,
            DataType::Dictionary(_, values) => {
                return Self::new(
                    &cast(array, values)?,
                    &field.clone().with_data_type((**values).clone()),
                    text,
                );
            }
            DataType::List(item) => list(array, field, item, text)?,
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                let same = DataType::List(item.clone());
                return Self::new(&cast(array, &same)?, &field.clone().with_data_type(same), text);
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns().iter().zip(fields);
                let parts = columns
                    .map(|(column, field)| Ok((field.name().clone(), Self::new(column, field, text)?)));
                Part::Record(parts.collect::<Result<_>>()?)
            }
            _ => Part::Texts(
                Texts::new(array, field, TextStyle { dates: DateStyle::Iso, ..text })?,
                style(field)?,
            ),
        };
        Ok(Self { nulls, part })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        matches!(self.part, Part::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether `json_agg` begins a line for each.
    pub(super) fn is_nested(&self) -> bool {
        matches!(self.part, Part::List(..) | Part::Record(_))
    }

    pub(super) fn put(&self, row: usize, out: &mut String) -> Result<()> {
        self.put_separated(row, Separator::COMPACT, out)
    }

    /// With this between the parts of the outermost array or record.
    pub(super) fn put_separated(&self, row: usize, separator: Separator, out: &mut String) -> Result<()> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match &self.part {
            Part::Null => out.push_str("null"),
            Part::Texts(texts, style) => put_text(texts, *style, row, out)?,
            Part::List(bounds, items) => {
                let (start, end) = bounds.get(row).copied().unwrap_or_default();
                out.push('[');
                for item in start..end {
                    out.push_str(if item > start { separator.0 } else { "" });
                    items.put(item, out)?;
                }
                out.push(']');
            }
            Part::Record(fields) => {
                out.push('{');
                for (place, (name, values)) in fields.iter().enumerate() {
                    out.push_str(if place > 0 { separator.0 } else { "" });
                    put_quoted(name, out);
                    out.push(':');
                    values.put(row, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }

    /// A value as the key of a member.
    pub(super) fn key(&self, row: usize) -> Result<Option<String>> {
        if self.is_null(row) {
            return Ok(None);
        }
        match &self.part {
            Part::Texts(texts, style) if *style != Style::Bare || !texts.is_json() => {
                let mut text = BytesMut::new();
                texts.put(row, &mut text)?;
                let text = String::from_utf8_lossy(&text);
                Ok(Some(if *style == Style::Truth { truth(&text).to_owned() } else { text.into_owned() }))
            }
            _ => Err(Error::invalid_argument("key value must be scalar, not array, composite, or json")),
        }
    }
}

fn list(array: &ArrayRef, field: &Field, item: &Field, text: TextStyle) -> Result<Part> {
    let lists = array.as_list::<i32>();
    let bounds = lists.value_offsets().windows(2).map(|pair| (pair[0] as usize, pair[1] as usize));
    let named = field.metadata().get(TYPE_KEY).and_then(|name| name.strip_suffix("[]"));
    let item = match named {
        Some(name) => item.clone().with_metadata([(TYPE_KEY.to_owned(), name.to_owned())].into()),
        None => item.clone(),
    };
    let items = Shown::new(lists.values(), &item, text)?;
    Ok(Part::List(bounds.collect(), Box::new(items)))
}

fn style(field: &Field) -> Result<Style> {
    Ok(match PgType::of_field(field)?.oid {
        oid::JSON | oid::JSONB | oid::INT2 | oid::INT4 | oid::INT8 => Style::Bare,
        oid::BOOL => Style::Truth,
        oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => Style::Number,
        oid::TIMESTAMP | oid::TIMESTAMPTZ => Style::Time,
        _ => Style::Quoted,
    })
}

fn put_text(texts: &Texts, style: Style, row: usize, out: &mut String) -> Result<()> {
    let mut bytes = BytesMut::new();
    texts.put(row, &mut bytes)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::new(ErrorKind::InvalidEncoding, "a value is no text in UTF-8"))?;
    match style {
        Style::Bare => out.push_str(text),
        Style::Truth => out.push_str(truth(text)),
        Style::Number if text.ends_with(|letter: char| letter.is_ascii_digit()) => out.push_str(text),
        Style::Number | Style::Quoted => put_quoted(text, out),
        Style::Time => put_quoted(&as_iso(text), out),
    }
    Ok(())
}

fn truth(letter: &str) -> &'static str {
    if letter == "t" { "true" } else { "false" }
}

/// `2024-01-02 03:04:05+08` as `2024-01-02T03:04:05+08:00`.
fn as_iso(text: &str) -> String {
    let time = text.replacen(' ', "T", 1);
    let Some(offset) = time.find('T').and_then(|clock| time[clock..].find(['+', '-']).map(|at| clock + at))
    else {
        return time;
    };
    let end = time[offset..].find(' ').map_or(time.len(), |at| offset + at);
    match end - offset {
        3 => format!("{}:00{}", &time[..end], &time[end..]),
        _ => time,
    }
}
