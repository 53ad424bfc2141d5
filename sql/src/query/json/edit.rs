//! `jsonb` from `jsonb`: `||`, `-`, `#-`, `jsonb_set`, `jsonb_insert`, `jsonb_strip_nulls`, `jsonb_pretty`; and the
//! conditions over it.

use std::borrow::Cow;

use voxhouse_engine::{Error, ErrorKind, Result};

use super::Form;
use super::function::{Answer, Call, Cell};
use super::path;
use voxhouse_engine::json::scan::{self, Scanner};
use voxhouse_engine::json::value::{Value, key_order, put_quoted};

fn json(value: &Value<'_>) -> Answer {
    Ok(Some(Cell::Text(value.to_text())))
}

pub(super) fn contains(call: &Call<'_>, row: usize) -> Answer {
    let (whole, part) = (Value::read(call.text(0, row))?, Value::read(call.text(1, row))?);
    Ok(Some(Cell::Truth(whole.contains(&part))))
}

pub(super) fn exists(call: &Call<'_>, row: usize) -> Answer {
    Ok(Some(Cell::Truth(Value::read(call.text(0, row))?.has(call.text(1, row)))))
}

pub(super) fn exists_any(call: &Call<'_>, row: usize) -> Answer {
    let (value, wanted) = (Value::read(call.text(0, row))?, call.texts(1, row)?);
    Ok(Some(Cell::Truth(wanted.iter().flatten().any(|wanted| value.has(wanted)))))
}

pub(super) fn exists_all(call: &Call<'_>, row: usize) -> Answer {
    let (value, wanted) = (Value::read(call.text(0, row))?, call.texts(1, row)?);
    Ok(Some(Cell::Truth(wanted.iter().flatten().all(|wanted| value.has(wanted)))))
}

/// −1, 0 or 1.
pub(super) fn compare(call: &Call<'_>, row: usize) -> Answer {
    let (one, other) = (Value::read(call.text(0, row))?, Value::read(call.text(1, row))?);
    Ok(Some(Cell::Whole(one.compare(&other) as i32)))
}

pub(super) fn concat(call: &Call<'_>, row: usize) -> Answer {
    let (one, other) = (Value::read(call.text(0, row))?, Value::read(call.text(1, row))?);
    json(&match (one, other) {
        (Value::Object(mut members), Value::Object(others)) => {
            members.extend(others);
            Value::object(members)
        }
        (one, other) => {
            let mut elements = listed(one);
            elements.extend(listed(other));
            Value::Array(elements)
        }
    })
}

fn listed(value: Value<'_>) -> Vec<Value<'_>> {
    match value {
        Value::Array(elements) => elements,
        other => vec![other],
    }
}

fn refuse_scalar(value: &Value<'_>, what: &str) -> Result<()> {
    match value.kind().is_scalar() {
        true => Err(Error::invalid_argument(format!("cannot {what} scalar"))),
        false => Ok(()),
    }
}

fn without<'a>(value: Value<'a>, is_unwanted: impl Fn(&str) -> bool) -> Value<'a> {
    match value {
        Value::Object(mut members) => {
            members.retain(|(key, _)| !is_unwanted(key));
            Value::Object(members)
        }
        Value::Array(mut elements) => {
            elements.retain(|element| !matches!(element, Value::String(text) if is_unwanted(text)));
            Value::Array(elements)
        }
        other => other,
    }
}

pub(super) fn delete(call: &Call<'_>, row: usize) -> Answer {
    let value = Value::read(call.text(0, row))?;
    refuse_scalar(&value, "delete from")?;
    json(&without(value, |key| key == call.text(1, row)))
}

pub(super) fn delete_all(call: &Call<'_>, row: usize) -> Answer {
    let value = Value::read(call.text(0, row))?;
    refuse_scalar(&value, "delete from")?;
    let unwanted = call.texts(1, row)?;
    json(&without(value, |key| unwanted.iter().flatten().any(|unwanted| unwanted == key)))
}

pub(super) fn delete_at(call: &Call<'_>, row: usize) -> Answer {
    let value = Value::read(call.text(0, row))?;
    refuse_scalar(&value, "delete from")?;
    let Value::Array(mut elements) = value else {
        return Err(Error::invalid_argument("cannot delete from object using integer index"));
    };
    if let Some(place) = path::place(call.whole(1, row), elements.len()) {
        elements.remove(place);
    }
    json(&Value::Array(elements))
}

/// What is done where a path leads.
enum Edit<'a> {
    Delete,
    Set { new: Value<'a>, creates: bool },
    Insert { new: Value<'a>, after: bool },
}

pub(super) fn delete_path(call: &Call<'_>, row: usize) -> Answer {
    let value = Value::read(call.text(0, row))?;
    refuse_scalar(&value, "delete path in")?;
    edited(call, row, value, &Edit::Delete)
}

pub(super) fn set(call: &Call<'_>, row: usize) -> Answer {
    let value = Value::read(call.text(0, row))?;
    let creates = call.truth(3, row).unwrap_or(true);
    refuse_scalar(&value, "set path in")?;
    edited(call, row, value, &Edit::Set { new: Value::read(call.text(2, row))?, creates })
}

/// `jsonb_set_lax(target, path, value, create, what a NULL value does)`
pub(super) fn set_lax(call: &Call<'_>, row: usize) -> Answer {
    if call.is_null(0, row) || call.is_null(1, row) || call.count() > 3 && call.is_null(3, row) {
        return Ok(None);
    }
    if !call.is_null(2, row) {
        return set(call, row);
    }
    let treatment = match call.count() {
        5 if call.is_null(4, row) => "",
        5 => call.text(4, row),
        _ => "use_json_null",
    };
    let value = Value::read(call.text(0, row))?;
    match treatment {
        "raise_exception" => Err(Error::new(ErrorKind::NullNotAllowed, "JSON value must not be null")
            .with_detail("Exception was raised because null_value_treatment is \"raise_exception\".")
            .with_hint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")),
        "use_json_null" => {
            refuse_scalar(&value, "set path in")?;
            let creates = call.truth(3, row).unwrap_or(true);
            edited(call, row, value, &Edit::Set { new: Value::Null, creates })
        }
        "delete_key" => delete_path(call, row),
        "return_target" => json(&value),
        _ => Err(Error::invalid_argument(
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
        )),
    }
}

pub(super) fn insert(call: &Call<'_>, row: usize) -> Answer {
    let value = Value::read(call.text(0, row))?;
    let after = call.truth(3, row).unwrap_or(false);
    refuse_scalar(&value, "set path in")?;
    edited(call, row, value, &Edit::Insert { new: Value::read(call.text(2, row))?, after })
}

fn edited(call: &Call<'_>, row: usize, value: Value<'_>, edit: &Edit<'_>) -> Answer {
    let steps = call.texts(1, row)?;
    let mut value = value;
    if !steps.is_empty() {
        apply(&mut value, &steps, 0, edit)?;
    }
    json(&value)
}

fn apply<'a>(value: &mut Value<'a>, steps: &[Option<String>], level: usize, edit: &Edit<'a>) -> Result<()> {
    let Some(step) = steps.get(level) else { return Ok(()) };
    let Some(step) = step else {
        let message = format!("path element at position {} is null", level + 1);
        return Err(Error::new(ErrorKind::NullNotAllowed, message));
    };
    match value {
        Value::Object(members) => in_object(members, step, steps, level, edit),
        Value::Array(elements) => in_array(elements, step, steps, level, edit),
        _ => Ok(()),
    }
}

fn in_object<'a>(
    members: &mut Vec<(Cow<'a, str>, Value<'a>)>,
    step: &str,
    steps: &[Option<String>],
    level: usize,
    edit: &Edit<'a>,
) -> Result<()> {
    let is_last = level + 1 == steps.len();
    match (members.binary_search_by(|(key, _)| key_order(key, step)), edit) {
        (Ok(found), _) if !is_last => match members.get_mut(found) {
            Some((_, value)) => apply(value, steps, level + 1, edit),
            None => Ok(()),
        },
        (Ok(found), Edit::Delete) => {
            members.remove(found);
            Ok(())
        }
        (Ok(found), Edit::Set { new, .. }) => {
            if let Some((_, value)) = members.get_mut(found) {
                *value = new.clone();
            }
            Ok(())
        }
        (Ok(_), Edit::Insert { .. }) => Err(Error::invalid_argument("cannot replace existing key")
            .with_hint("Try using the function jsonb_set to replace key value.")),
        (Err(place), Edit::Set { new, creates: true } | Edit::Insert { new, .. }) if is_last => {
            members.insert(place, (Cow::Owned(step.to_owned()), new.clone()));
            Ok(())
        }
        (Err(_), _) => Ok(()),
    }
}

fn in_array<'a>(
    elements: &mut Vec<Value<'a>>,
    step: &str,
    steps: &[Option<String>],
    level: usize,
    edit: &Edit<'a>,
) -> Result<()> {
    let index: i32 = step.trim_start().parse().map_err(|_| {
        let message = format!("path element at position {} is not an integer: \"{step}\"", level + 1);
        Error::new(ErrorKind::InvalidText, message)
    })?;
    let count = elements.len();
    let found = path::place(index.into(), count);
    if level + 1 < steps.len() {
        return match found.and_then(|found| elements.get_mut(found)) {
            Some(element) => apply(element, steps, level + 1, edit),
            None => Ok(()),
        };
    }
    // What lies outside is added at the end that is nearer.
    let end = if index < 0 { 0 } else { count };
    match (found, edit) {
        (Some(found), Edit::Delete) => {
            elements.remove(found);
        }
        (Some(found), Edit::Set { new, .. }) => elements[found] = new.clone(),
        (Some(found), Edit::Insert { new, after }) => {
            elements.insert(found + usize::from(*after), new.clone())
        }
        (None, Edit::Set { new, creates: true } | Edit::Insert { new, .. }) => {
            elements.insert(end, new.clone())
        }
        (None, _) => {}
    }
    Ok(())
}

pub(super) fn pretty(call: &Call<'_>, row: usize) -> Answer {
    let mut text = String::new();
    Value::read(call.text(0, row))?.put_pretty(0, &mut text);
    Ok(Some(Cell::Text(text)))
}

pub(super) fn strip_nulls(call: &Call<'_>, row: usize) -> Answer {
    let text = call.text(0, row);
    if call.form == Form::Jsonb {
        let mut value = Value::read(text)?;
        strip(&mut value);
        return json(&value);
    }
    scan::check(text)?;
    let mut out = String::new();
    put_stripped(&mut Scanner::new(text), &mut out)?;
    Ok(Some(Cell::Text(out)))
}

fn strip(value: &mut Value<'_>) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        Value::Object(members) => {
            members.retain(|(_, value)| *value != Value::Null);
            members.iter_mut().for_each(|(_, value)| strip(value));
        }
        _ => {}
    }
}

/// `json` keeps the order of its members, and numbers as they are written.
fn put_stripped(scanner: &mut Scanner<'_>, out: &mut String) -> Result<()> {
    match scanner.peek() {
        Some(b'[') => {
            out.push('[');
            let mut is_first = true;
            scanner.array(|scanner| {
                out.push_str(if std::mem::take(&mut is_first) { "" } else { "," });
                put_stripped(scanner, out)
            })?;
            out.push(']');
        }
        Some(b'{') => {
            out.push('{');
            let mut is_first = true;
            scanner.object(|scanner, key| {
                if scanner.peek() == Some(b'n') {
                    return scanner.skip();
                }
                out.push_str(if std::mem::take(&mut is_first) { "" } else { "," });
                put_quoted(&scan::decoded(key)?, out);
                out.push(':');
                put_stripped(scanner, out)
            })?;
            out.push('}');
        }
        _ => {
            let token = scanner.scalar()?;
            match token.starts_with('"') {
                true => put_quoted(&scan::decoded(token)?, out),
                false => out.push_str(token),
            }
        }
    }
    Ok(())
}
