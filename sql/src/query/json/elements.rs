//! The rows of the functions that return sets: elements of arrays, members of objects.

use voxhouse_engine::{Error, Result};

use super::Form;
use super::function::{Answer, Call, Cell};
use super::path::{as_text, in_form};
use voxhouse_engine::json::scan::{self, Kind, kind_of};

pub(super) fn array_elements(call: &Call<'_>, row: usize) -> Answer {
    of_array(call, row, "array_elements", |form, part| in_form(form, part).map(Some))
}

pub(super) fn array_elements_text(call: &Call<'_>, row: usize) -> Answer {
    of_array(call, row, "array_elements_text", as_text)
}

pub(super) fn each(call: &Call<'_>, row: usize) -> Answer {
    of_object(call, row, "each", |form, part| in_form(form, part).map(Some))
}

pub(super) fn each_text(call: &Call<'_>, row: usize) -> Answer {
    of_object(call, row, "each_text", as_text)
}

type Show = fn(Form, &str) -> Result<Option<String>>;

fn of_array(call: &Call<'_>, row: usize, name: &str, show: Show) -> Answer {
    let (form, json) = (call.form, call.text(0, row));
    scan::check(json)?;
    let refused = match (form, kind_of(json)) {
        (_, Kind::Array) => None,
        (Form::Json, Kind::Object) => Some(format!("cannot call json_{name} on a non-array")),
        (Form::Json, _) => Some(format!("cannot call json_{name} on a scalar")),
        (Form::Jsonb, Kind::Object) => Some("cannot extract elements from an object".to_owned()),
        (Form::Jsonb, _) => Some("cannot extract elements from a scalar".to_owned()),
    };
    if let Some(message) = refused {
        return Err(Error::invalid_argument(message));
    }
    let rows = scan::elements(json.trim_start())?.into_iter().map(|part| Ok((None, show(form, part)?)));
    Ok(Some(Cell::Rows(rows.collect::<Result<_>>()?)))
}

fn of_object(call: &Call<'_>, row: usize, name: &str, show: Show) -> Answer {
    let (form, json) = (call.form, call.text(0, row));
    scan::check(json)?;
    let refused = match (form, kind_of(json)) {
        (_, Kind::Object) => None,
        (Form::Json, Kind::Array) => Some("cannot deconstruct an array as an object".to_owned()),
        (Form::Json, _) => Some("cannot deconstruct a scalar".to_owned()),
        (Form::Jsonb, _) => Some(format!("cannot call jsonb_{name} on a non-object")),
    };
    if let Some(message) = refused {
        return Err(Error::invalid_argument(message));
    }
    let json = in_form(form, json)?;
    let rows = scan::members(json.trim_start())?
        .into_iter()
        .map(|(key, part)| Ok((Some(key.into_owned()), show(form, part)?)));
    Ok(Some(Cell::Rows(rows.collect::<Result<_>>()?)))
}

/// The keys of an object, as rows whose values they are.
pub(super) fn object_keys(call: &Call<'_>, row: usize) -> Answer {
    let (form, json) = (call.form, call.text(0, row));
    scan::check(json)?;
    let name = form.name();
    match kind_of(json) {
        Kind::Object => {}
        Kind::Array => {
            return Err(Error::invalid_argument(format!("cannot call {name}_object_keys on an array")));
        }
        _ => return Err(Error::invalid_argument(format!("cannot call {name}_object_keys on a scalar"))),
    }
    let json = in_form(form, json)?;
    let members = scan::members(json.trim_start())?;
    let rows = members.into_iter().map(|(key, _)| (None, Some(key.into_owned())));
    Ok(Some(Cell::Rows(rows.collect())))
}

/// The elements of an array as texts: what becomes an array of PostgreSQL.
pub(super) fn texts(call: &Call<'_>, row: usize) -> Answer {
    let json = call.text(0, row);
    match kind_of(json) {
        Kind::Null => Ok(None),
        Kind::Array => {
            let parts = scan::elements(json.trim())?;
            let texts = parts.into_iter().map(|part| as_text(call.form, part));
            Ok(Some(Cell::Texts(texts.collect::<Result<_>>()?)))
        }
        _ => Err(Error::new(voxhouse_engine::ErrorKind::InvalidText, "expected JSON array")),
    }
}
