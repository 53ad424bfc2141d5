//! What parameters there are: the lines of `definitions.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use voxhouse_engine::{Error, ErrorKind, Result};

use super::unit::Unit;
use crate::pg_catalog::SERVER_VERSION;

const TEXT: &str = include_str!("definitions.txt");

static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(|| TEXT.lines().filter_map(parse).collect());

/// Places in the list by name in lower case.
static PLACES: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    DEFINITIONS.iter().enumerate().map(|(place, one)| (one.name.to_lowercase(), place)).collect()
});

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Boolean,
    Integer {
        smallest: i64,
        largest: i64,
    },
    Real {
        smallest: &'static str,
        largest: &'static str,
    },
    Enum(Vec<&'static str>),
    Text,
    TimeZone,
    DateStyle,
    Encoding,
    /// Names of schemas with commas between them.
    Names,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetBy {
    User,
    Superuser,
    /// The configuration, before the server starts.
    Start,
    Nobody,
}

#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Option<Unit>,
    pub(super) set_by: SetBy,
    /// Whether clients are told when it changes.
    pub(super) reported: bool,
    /// Accepted, because PostgreSQL's clients set it, but without effect.
    pub(super) ignored: bool,
    /// Whether any other value than the default would have to change answers, and does not.
    pub(super) fixed: bool,
    /// Whether it is always set for the transaction only.
    pub(super) of_transaction: bool,
    pub(super) default: &'static str,
    pub(super) category: &'static str,
    pub(super) description: &'static str,
}

impl Definition {
    /// PostgreSQL's word for the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Boolean => "bool",
            Kind::Integer { .. } => "integer",
            Kind::Real { .. } => "real",
            Kind::Enum(_) => "enum",
            _ => "string",
        }
    }
}

pub(super) fn all() -> &'static [Definition] {
    &DEFINITIONS
}

/// The place of a parameter in [`all`].
pub(super) fn place(name: &str) -> Option<usize> {
    if let Some(place) = PLACES.get(name) {
        return Some(*place);
    }
    let name = name.to_lowercase();
    // The words of SHOW and RESET that are no names.
    let name = match name.as_str() {
        "time zone" => "timezone",
        "transaction isolation level" => "transaction_isolation",
        "session authorization" => "session_authorization",
        other => other,
    };
    PLACES.get(name).copied()
}

pub(super) fn unrecognized(name: &str) -> Error {
    Error::new(ErrorKind::UndefinedObject, format!("unrecognized configuration parameter \"{name}\""))
        .with_hint("SELECT name, setting FROM pg_settings lists the parameters there are.")
}

/// The name of a parameter of somebody's own: `myapp.tenant`.
pub(super) fn custom_name(name: &str) -> Result<Option<String>> {
    if !name.contains('.') {
        return Ok(None);
    }
    let is_identifier = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$'))
    };
    if name.split('.').all(is_identifier) {
        return Ok(Some(name.to_lowercase()));
    }
    let message = format!("invalid configuration parameter name \"{name}\"");
    Err(Error::new(ErrorKind::InvalidName, message)
        .with_detail("Custom parameter names must be two or more simple identifiers separated by dots."))
}

fn parse(line: &'static str) -> Option<Definition> {
    if line.starts_with('#') {
        return None;
    }
    let parts: Vec<&'static str> = line.splitn(11, '|').collect();
    let &[name, kind, unit, smallest, largest, values, set_by, flags, default, category, description] =
        parts.as_slice()
    else {
        return None;
    };
    let kind = match kind {
        "bool" => Kind::Boolean,
        "integer" => Kind::Integer { smallest: smallest.parse().ok()?, largest: largest.parse().ok()? },
        "real" => Kind::Real { smallest, largest },
        "enum" => Kind::Enum(values.split(',').collect()),
        "string" => Kind::Text,
        "zone" => Kind::TimeZone,
        "date_style" => Kind::DateStyle,
        "encoding" => Kind::Encoding,
        "names" => Kind::Names,
        _ => return None,
    };
    let set_by = match set_by {
        "user" => SetBy::User,
        "superuser" => SetBy::Superuser,
        "postmaster" => SetBy::Start,
        "internal" => SetBy::Nobody,
        _ => return None,
    };
    Some(Definition {
        name,
        kind,
        unit: if unit.is_empty() { None } else { Some(Unit::of(unit)?) },
        set_by,
        reported: flags.contains('r'),
        ignored: flags.contains('i'),
        fixed: flags.contains('f'),
        of_transaction: flags.contains('t'),
        default: if name == "server_version" { SERVER_VERSION } else { default },
        category,
        description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_every_default_is_a_value() {
        let lines = TEXT.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(all().len(), lines);
        for definition in all() {
            let accepted = super::super::value::accept(definition, definition.name, definition.default);
            assert_eq!(accepted.unwrap(), definition.default, "{}", definition.name);
        }
    }

    #[test]
    fn names_of_ones_own_have_two_parts() {
        assert_eq!(custom_name("MyApp.tenant").unwrap().as_deref(), Some("myapp.tenant"));
        assert_eq!(custom_name("tenant").unwrap(), None);
        assert_eq!(custom_name("a.b c").unwrap_err().sqlstate(), "42602");
        assert_eq!(custom_name("a.").unwrap_err().sqlstate(), "42602");
    }
}
