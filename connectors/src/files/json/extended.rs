//! MongoDB Extended JSON, version 2, canonical and relaxed: `{"$numberLong": "5"}` is 5, `{"$oid": "…"}` its
//! hexadecimal digits, `{"$date": …}` a moment. Both forms of a document give the same values, and decimals
//! keep their digits.
//!
//! Inside of nested documents, which stay JSON, the same is done: numbers become JSON numbers, the rest strings.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::object::{Members, string};
use crate::files::calendar;

/// Deeper documents are refused, as MongoDB refuses them.
const MAX_DEPTH: usize = 100;

/// A value without the type that was wrapped around it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Plain<'a> {
    Null,
    /// What a JSON string says.
    Text(Cow<'a, str>),
    /// JSON that is no string: a number, true, an object, an array.
    Json(Cow<'a, str>),
}

/// What a column gets of a value that is valid JSON; an error is the reason why its row is a bad row.
pub(super) fn cell(value: &str) -> Result<Option<Cow<'_, str>>, String> {
    Ok(match plain(value, 0)? {
        Plain::Null => None,
        Plain::Text(text) | Plain::Json(text) => Some(text),
    })
}

fn plain(value: &str, depth: usize) -> Result<Plain<'_>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("a document is nested more than {MAX_DEPTH} levels deep"));
    }
    match value.as_bytes().first() {
        Some(b'n') => Ok(Plain::Null),
        Some(b'"') => match string(value) {
            Some(text) => Ok(Plain::Text(text)),
            None => Err("a string has an escape that is no character".into()),
        },
        Some(b'{' | b'[') if !value.contains("\"$") => Ok(Plain::Json(Cow::Borrowed(value))),
        Some(b'{') => object(value, depth),
        Some(b'[') => array(value, depth),
        _ => Ok(Plain::Json(Cow::Borrowed(value))),
    }
}

fn object(value: &str, depth: usize) -> Result<Plain<'_>, String> {
    let members: Result<Vec<_>, _> = Members::new(value).collect();
    let members = members.map_err(|_| "a nested document is not valid JSON".to_owned())?;
    if let Some((key, first)) = members.first()
        && key.starts_with('$')
        && let Some(unwrapped) = unwrap(key, first, &members)?
    {
        return Ok(unwrapped);
    }
    let mut json = String::with_capacity(value.len());
    for (key, value) in &members {
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(&quoted(key));
        json.push(':');
        json.push_str(&as_json(plain(value, depth + 1)?));
    }
    json.push_str(if members.is_empty() { "{}" } else { "}" });
    Ok(Plain::Json(Cow::Owned(json)))
}

fn array(value: &str, depth: usize) -> Result<Plain<'_>, String> {
    let broken = || "a nested array is not valid JSON".to_owned();
    let mut json = String::from("[");
    let mut rest = value.get(1..).unwrap_or_default().trim_start();
    while !rest.starts_with(']') {
        if json.len() > 1 {
            rest = rest.strip_prefix(',').ok_or_else(broken)?.trim_start();
            json.push(',');
        }
        let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        if !matches!(values.next(), Some(Ok(_))) {
            return Err(broken());
        }
        let (element, behind) = rest.split_at(values.byte_offset());
        json.push_str(&as_json(plain(element, depth + 1)?));
        rest = behind.trim_start();
    }
    json.push(']');
    Ok(Plain::Json(Cow::Owned(json)))
}

fn as_json(value: Plain<'_>) -> Cow<'_, str> {
    match value {
        Plain::Null => Cow::Borrowed("null"),
        Plain::Text(text) => Cow::Owned(quoted(&text)),
        Plain::Json(json) => json,
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

type Member<'a> = (Cow<'a, str>, &'a str);

/// The value in a wrapper; none if the object is a document with such a key.
fn unwrap<'a>(kind: &str, value: &'a str, members: &[Member<'a>]) -> Result<Option<Plain<'a>>, String> {
    let text = || string(value).ok_or_else(|| format!("value of {kind} is not a string"));
    let single = members.len() == 1;
    Ok(Some(match kind {
        "$oid" | "$symbol" | "$code" | "$uuid" if single || kind == "$code" => Plain::Text(text()?),
        "$numberInt" | "$numberLong" if single => integer(kind, text()?)?,
        "$numberDouble" | "$numberDecimal" if single => fraction(kind, text()?)?,
        "$date" if single => moment(value)?,
        "$binary" => binary(value, members)?,
        "$timestamp" if single => seconds(value)?,
        "$regularExpression" if single => expression(value)?,
        "$undefined" if single => Plain::Null,
        "$minKey" | "$maxKey" if single => Plain::Text(Cow::Owned(kind.trim_start_matches('$').to_owned())),
        _ => return Ok(None),
    }))
}

fn integer<'a>(kind: &str, text: Cow<'a, str>) -> Result<Plain<'a>, String> {
    let digits = text.strip_prefix('-').unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("value of {kind} is not a whole number"));
    }
    Ok(Plain::Json(text))
}

/// Not-a-number and the infinities are no JSON numbers.
fn fraction<'a>(kind: &str, text: Cow<'a, str>) -> Result<Plain<'a>, String> {
    if matches!(text.as_ref(), "NaN" | "Infinity" | "-Infinity") {
        return Ok(Plain::Text(text));
    }
    let marks = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.bytes().all(marks) || text.parse::<f64>().is_err() {
        return Err(format!("value of {kind} is not a number"));
    }
    Ok(Plain::Json(text))
}

/// ISO text (relaxed), `{"$numberLong": "…"}` of milliseconds (canonical), or a bare number of them (old).
fn moment(value: &str) -> Result<Plain<'_>, String> {
    let broken = || "value of $date is not a moment".to_owned();
    if value.starts_with('"') {
        return string(value).map(Plain::Text).ok_or_else(broken);
    }
    let Plain::Json(millis) = plain(value, 1)? else { return Err(broken()) };
    let text = millis.parse().ok().and_then(calendar::moment).ok_or_else(broken)?;
    Ok(Plain::Text(Cow::Owned(text)))
}

/// A replication time: its seconds as a moment.
fn seconds(value: &str) -> Result<Plain<'_>, String> {
    let broken = || "value of $timestamp has no seconds".to_owned();
    let seconds = member(value, "t").and_then(|text| text.parse::<i64>().ok()).ok_or_else(broken)?;
    let text = seconds.checked_mul(1000).and_then(calendar::moment).ok_or_else(broken)?;
    Ok(Plain::Text(Cow::Owned(text)))
}

fn expression(value: &str) -> Result<Plain<'_>, String> {
    let part = |key| member(value, key).and_then(string);
    match (part("pattern"), part("options")) {
        (Some(pattern), Some(options)) => Ok(Plain::Text(Cow::Owned(format!("/{pattern}/{options}")))),
        _ => Err("value of $regularExpression has no pattern and options".into()),
    }
}

/// The text of a member of an object.
fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    Members::new(object).find_map(|found| match found {
        Ok((name, value)) if name == key => Some(value),
        _ => None,
    })
}

/// A UUID as such, other bytes as PostgreSQL writes them.
fn binary<'a>(value: &'a str, members: &[Member<'a>]) -> Result<Plain<'a>, String> {
    let broken = || "value of $binary is not base64 with a subType".to_owned();
    let old_type = members.iter().find(|(key, _)| key == "$type").map(|(_, value)| *value);
    let (data, kind) = match old_type {
        Some(kind) => (string(value), string(kind)),
        None => (member(value, "base64").and_then(string), member(value, "subType").and_then(string)),
    };
    let (Some(data), Some(kind)) = (data, kind) else { return Err(broken()) };
    let bytes = STANDARD.decode(data.as_bytes()).map_err(|_| broken())?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let uuid = matches!(kind.as_ref(), "4" | "04") && bytes.len() == 16;
    Ok(Plain::Text(Cow::Owned(match uuid {
        true => {
            let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
            format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
        }
        false => format!("\\x{hex}"),
    })))
}
