//! JSON from values: `json_build_object`, `json_build_array`, `json_object`, `to_json`, `row_to_json`, and what the
//! aggregates are made of.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::Form;
use super::function::{Answer, Call, Cell};
use super::shown::Separator;
use voxhouse_engine::json::normal;
use voxhouse_engine::json::value::put_quoted;

/// Texts of type `json` as `jsonb`, where that was asked for.
fn finished(call: &Call<'_>, text: String) -> Answer {
    Ok(Some(Cell::Text(match call.form {
        Form::Json => text,
        Form::Jsonb => normal(&text)?,
    })))
}

fn put(call: &Call<'_>, place: usize, row: usize, out: &mut String) -> Result<()> {
    match call.shown(place) {
        Some(shown) => shown.put(row, out),
        None => Ok(()),
    }
}

pub(super) fn build_array(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::from("[");
    for place in 0..call.count() {
        text.push_str(if place > 0 { ", " } else { "" });
        put(call, place, row, &mut text)?;
    }
    text.push(']');
    finished(call, text)
}

pub(super) fn build_object(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::from("{");
    for place in (0..call.count()).step_by(2) {
        let Some(key) = call.shown(place).map(|keys| keys.key(row)).transpose()?.flatten() else {
            return Err(match call.form {
                Form::Json => {
                    Error::new(ErrorKind::InvalidArgument, format!("argument {} cannot be null", place + 1))
                        .with_hint("Object keys should be text.")
                }
                Form::Jsonb => {
                    Error::invalid_argument(format!("argument {}: key must not be null", place + 1))
                }
            });
        };
        text.push_str(if place > 0 { ", " } else { "" });
        put_quoted(&key, &mut text);
        text.push_str(" : ");
        put(call, place + 1, row, &mut text)?;
    }
    text.push('}');
    finished(call, text)
}

/// `json_object('{a,1,b,2}')`, and of keys and values apart.
pub(super) fn object(call: &Call<'_>, row: usize) -> Answer {
    let pairs: Vec<(Option<String>, Option<String>)> = match call.count() {
        1 => {
            let texts = call.texts(0, row)?;
            if texts.len() % 2 == 1 {
                return Err(Error::new(ErrorKind::ArraySubscript, "array must have even number of elements"));
            }
            let mut texts = texts.into_iter();
            std::iter::from_fn(|| Some((texts.next()?, texts.next()?))).collect()
        }
        _ => {
            let (keys, values) = (call.texts(0, row)?, call.texts(1, row)?);
            if keys.len() != values.len() {
                return Err(Error::new(ErrorKind::ArraySubscript, "mismatched array dimensions"));
            }
            keys.into_iter().zip(values).collect()
        }
    };
    let mut text = String::from("{");
    for (place, (key, value)) in pairs.into_iter().enumerate() {
        let Some(key) = key else {
            return Err(Error::new(ErrorKind::NullNotAllowed, "null value not allowed for object key"));
        };
        text.push_str(if place > 0 { ", " } else { "" });
        put_quoted(&key, &mut text);
        text.push_str(" : ");
        match value {
            Some(value) => put_quoted(&value, &mut text),
            None => text.push_str("null"),
        }
    }
    text.push('}');
    finished(call, text)
}

pub(super) fn to_json(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::new();
    put(call, 0, row, &mut text)?;
    finished(call, text)
}

/// `array_to_json(array, pretty)`, and `row_to_json` of a record.
pub(super) fn to_json_in_lines(call: &Call<'_>, row: usize) -> Answer {
    let separator = match call.truth(1, row) {
        Some(true) => Separator::LINES,
        _ => Separator::COMPACT,
    };
    let mut text = String::new();
    if let Some(shown) = call.shown(0) {
        if !shown.is_nested() {
            return Err(Error::new(
                ErrorKind::UndefinedFunction,
                format!("{} takes no such value", call.name),
            ));
        }
        shown.put_separated(row, separator, &mut text)?;
    }
    finished(call, text)
}

/// A row, of names and values in turn.
pub(super) fn row(call: &Call<'_>, row: usize) -> Answer {
    finished(call, row_text(call, row, Separator::COMPACT)?)
}

pub(super) fn row_in_lines(call: &Call<'_>, row: usize) -> Answer {
    finished(call, row_text(call, row, Separator::LINES)?)
}

fn row_text(call: &Call<'_>, row: usize, separator: Separator) -> Result<String> {
    let mut text = String::from("{");
    for place in (0..call.count()).step_by(2) {
        let name = call.shown(place).map(|names| names.key(row)).transpose()?.flatten().unwrap_or_default();
        text.push_str(if place > 0 { separator.0 } else { "" });
        put_quoted(&name, &mut text);
        text.push(':');
        put(call, place + 1, row, &mut text)?;
    }
    text.push('}');
    Ok(text)
}

/// What `json_agg` puts before arrays and rows.
const NEW_LINE: &str = "\n ";

/// An element of `json_agg`.
pub(super) fn element(call: &Call<'_>, row: usize) -> Answer {
    let Some(shown) = call.shown(0) else { return Ok(None) };
    let mut text = String::from(if shown.is_nested() { NEW_LINE } else { "" });
    shown.put(row, &mut text)?;
    Ok(Some(Cell::Text(text)))
}

/// A row as an element of `json_agg`.
pub(super) fn row_element(call: &Call<'_>, row: usize) -> Answer {
    let text = row_text(call, row, Separator::COMPACT)?;
    Ok(Some(Cell::Text(format!("{NEW_LINE}{text}"))))
}

/// `json_agg`, of the list of its elements.
pub(super) fn gathered(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::from("[");
    for (place, element) in call.texts(0, row)?.into_iter().enumerate() {
        let element = element.as_deref().unwrap_or("null");
        match place {
            0 => text.push_str(element.trim_start()),
            _ => {
                text.push_str(", ");
                text.push_str(element);
            }
        }
    }
    text.push(']');
    finished(call, text)
}

/// `array_to_json(array_agg(t))`, of the list of its rows.
pub(super) fn gathered_rows(call: &Call<'_>, row: usize) -> Answer {
    let rows: Vec<String> =
        call.texts(0, row)?.into_iter().map(|row| row.unwrap_or_else(|| "null".to_owned())).collect();
    finished(call, format!("[{}]", rows.join(",")))
}

/// `json_agg(DISTINCT …)`, of the list of its values.
pub(super) fn gathered_list(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::new();
    if let Some(shown) = call.shown(0) {
        shown.put_separated(row, Separator(", "), &mut text)?;
    }
    finished(call, text)
}

/// A member of `json_object_agg`. Empty without a key, which is an error only of rows that are aggregated.
pub(super) fn member(call: &Call<'_>, row: usize) -> Answer {
    let Some(key) = call.shown(0).map(|keys| keys.key(row)).transpose()?.flatten() else {
        return Ok(Some(Cell::Text(String::new())));
    };
    let mut text = String::new();
    put_quoted(&key, &mut text);
    text.push_str(" : ");
    put(call, 1, row, &mut text)?;
    Ok(Some(Cell::Text(text)))
}

/// `json_object_agg`, of the list of its members.
pub(super) fn gathered_object(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::from("{ ");
    for (place, member) in call.texts(0, row)?.into_iter().flatten().enumerate() {
        if member.is_empty() {
            return Err(Error::invalid_argument("field name must not be null"));
        }
        text.push_str(if place > 0 { ", " } else { "" });
        text.push_str(&member);
    }
    text.push_str(" }");
    finished(call, text)
}
