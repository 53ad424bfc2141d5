//! Parts of JSON: `->`, `->>`, `#>`, `#>>`, and what a value is.

use std::borrow::Cow;

use voxhouse_engine::{Error, Result};

use super::Form;
use super::function::{Answer, Call, Cell};
use voxhouse_engine::json::normal;
use voxhouse_engine::json::scan::{self, Kind, kind_of};

/// A part as the answer of type `json` or `jsonb`.
fn as_json(call: &Call<'_>, part: Option<&str>) -> Answer {
    part.map(|part| in_form(call.form, part).map(Cell::Text)).transpose()
}

/// What is written in the text of a value of this form.
pub(super) fn in_form(form: Form, part: &str) -> Result<String> {
    match form {
        Form::Json => Ok(part.to_owned()),
        Form::Jsonb => normal(part),
    }
}

/// A part as text: strings without quotes, and NULL for `null`.
pub(super) fn as_text(form: Form, part: &str) -> Result<Option<String>> {
    Ok(match kind_of(part) {
        Kind::Null => None,
        Kind::String => Some(scan::decoded(part.trim())?.into_owned()),
        _ => Some(in_form(form, part)?),
    })
}

fn text_of(call: &Call<'_>, part: Option<&str>) -> Answer {
    let text = part.map(|part| as_text(call.form, part)).transpose()?;
    Ok(text.flatten().map(Cell::Text))
}

fn field<'a>(json: &'a str, key: &str) -> Result<Option<&'a str>> {
    match kind_of(json) {
        Kind::Object => scan::member(json.trim_start(), key),
        _ => checked_scalar(json),
    }
}

/// Nothing, if the text is JSON at all.
fn checked_scalar(json: &str) -> Result<Option<&str>> {
    match kind_of(json) {
        Kind::Array => Ok(None),
        _ => scan::check(json).map(|()| None),
    }
}

fn element(json: &str, index: i64) -> Result<Option<&str>> {
    if kind_of(json) != Kind::Array {
        return checked_scalar(json);
    }
    let elements = scan::elements(json.trim_start())?;
    Ok(place(index, elements.len()).and_then(|place| elements.get(place).copied()))
}

/// The place that an index means, which counts from the end if it is negative.
pub(super) fn place(index: i64, count: usize) -> Option<usize> {
    let from_start = if index < 0 { index.checked_add(i64::try_from(count).ok()?)? } else { index };
    usize::try_from(from_start).ok().filter(|place| *place < count)
}

fn follow<'a>(json: &'a str, steps: &[Option<Cow<'_, str>>]) -> Result<Option<&'a str>> {
    let mut part = json.trim();
    for step in steps {
        let Some(step) = step else { return Ok(None) };
        let next = match kind_of(part) {
            Kind::Object => scan::member(part, step)?,
            Kind::Array => match step.trim_start().parse::<i32>() {
                Ok(index) => element(part, index.into())?,
                Err(_) => None,
            },
            _ => checked_scalar(part)?,
        };
        let Some(next) = next else { return Ok(None) };
        part = next;
    }
    Ok(Some(part))
}

pub(super) fn object_field(call: &Call<'_>, row: usize) -> Answer {
    as_json(call, field(call.text(0, row), call.text(1, row))?)
}

pub(super) fn object_field_text(call: &Call<'_>, row: usize) -> Answer {
    text_of(call, field(call.text(0, row), call.text(1, row))?)
}

pub(super) fn array_element(call: &Call<'_>, row: usize) -> Answer {
    as_json(call, element(call.text(0, row), call.whole(1, row))?)
}

pub(super) fn array_element_text(call: &Call<'_>, row: usize) -> Answer {
    text_of(call, element(call.text(0, row), call.whole(1, row))?)
}

fn steps<'a>(call: &'a Call<'_>, row: usize) -> Vec<Option<Cow<'a, str>>> {
    (1..call.count()).map(|place| Some(Cow::Borrowed(call.text(place, row)))).collect()
}

pub(super) fn extract_path(call: &Call<'_>, row: usize) -> Answer {
    as_json(call, follow(call.text(0, row), &steps(call, row))?)
}

pub(super) fn extract_path_text(call: &Call<'_>, row: usize) -> Answer {
    text_of(call, follow(call.text(0, row), &steps(call, row))?)
}

fn listed_steps(call: &Call<'_>, row: usize) -> Result<Vec<Option<Cow<'static, str>>>> {
    Ok(call.texts(1, row)?.into_iter().map(|step| step.map(Cow::Owned)).collect())
}

pub(super) fn at_path(call: &Call<'_>, row: usize) -> Answer {
    as_json(call, follow(call.text(0, row), &listed_steps(call, row)?)?)
}

pub(super) fn at_path_text(call: &Call<'_>, row: usize) -> Answer {
    text_of(call, follow(call.text(0, row), &listed_steps(call, row)?)?)
}

pub(super) fn type_of(call: &Call<'_>, row: usize) -> Answer {
    let json = call.text(0, row);
    scan::check(json)?;
    Ok(Some(Cell::Text(kind_of(json).name().to_owned())))
}

pub(super) fn array_length(call: &Call<'_>, row: usize) -> Answer {
    let json = call.text(0, row);
    match kind_of(json) {
        Kind::Array => {
            scan::check(json)?;
            let count = scan::elements(json.trim_start())?.len();
            Ok(i32::try_from(count).ok().map(Cell::Whole))
        }
        Kind::Object => Err(Error::invalid_argument("cannot get array length of a non-array")),
        _ => Err(Error::invalid_argument("cannot get array length of a scalar")),
    }
}

/// A text that is known to be JSON of this form.
pub(super) fn same(call: &Call<'_>, row: usize) -> Answer {
    Ok(Some(Cell::Text(call.text(0, row).to_owned())))
}
