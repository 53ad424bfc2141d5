//! The run-time parameters of a session: names, defaults and what is a value of each.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::pg_catalog::SERVER_VERSION;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Integer,
    /// Milliseconds, or a number with a unit.
    Duration,
    TimeZone,
    Names,
    /// Known, but set by the server.
    ReadOnly,
    OneOf(&'static [&'static str]),
}

struct Definition {
    name: &'static str,
    default: &'static str,
    kind: Kind,
    /// Whether clients are told when it changes.
    reported: bool,
    description: &'static str,
}

const fn setting(
    name: &'static str,
    default: &'static str,
    kind: Kind,
    description: &'static str,
) -> Definition {
    Definition { name, default, kind, reported: false, description }
}

const fn reported(
    name: &'static str,
    default: &'static str,
    kind: Kind,
    description: &'static str,
) -> Definition {
    Definition { name, default, kind, reported: true, description }
}

const ISOLATION: Kind =
    Kind::OneOf(&["read uncommitted", "read committed", "repeatable read", "serializable"]);

static DEFINITIONS: &[Definition] = &[
    reported(
        "application_name",
        "",
        Kind::Text,
        "Sets the application name to be reported in statistics and logs.",
    ),
    setting("bytea_output", "hex", Kind::OneOf(&["hex"]), "Sets the output format for bytea."),
    reported(
        "client_encoding",
        "UTF8",
        Kind::OneOf(&["UTF8", "UTF-8", "UNICODE"]),
        "Sets the client's character set encoding.",
    ),
    setting(
        "client_min_messages",
        "notice",
        Kind::Text,
        "Sets the message levels that are sent to the client.",
    ),
    reported("DateStyle", "ISO, MDY", Kind::Text, "Sets the display format for date and time values."),
    setting(
        "default_transaction_isolation",
        "read committed",
        ISOLATION,
        "Sets the transaction isolation level of each new transaction.",
    ),
    reported(
        "default_transaction_read_only",
        "off",
        Kind::Boolean,
        "Sets the default read-only status of new transactions.",
    ),
    setting(
        "extra_float_digits",
        "1",
        Kind::Integer,
        "Sets the number of digits displayed for floating-point values.",
    ),
    setting(
        "idle_in_transaction_session_timeout",
        "0",
        Kind::Duration,
        "Sets the maximum allowed idle time between queries, when in a transaction.",
    ),
    reported("in_hot_standby", "off", Kind::ReadOnly, "Shows whether hot standby is currently active."),
    reported("integer_datetimes", "on", Kind::ReadOnly, "Shows whether datetimes are integer based."),
    reported(
        "IntervalStyle",
        "postgres",
        Kind::OneOf(&["postgres"]),
        "Sets the display format for interval values.",
    ),
    reported("is_superuser", "on", Kind::ReadOnly, "Shows whether the current user is a superuser."),
    setting("lock_timeout", "0", Kind::Duration, "Sets the maximum allowed duration of any wait for a lock."),
    setting("max_identifier_length", "63", Kind::ReadOnly, "Shows the maximum identifier length."),
    setting("max_index_keys", "32", Kind::ReadOnly, "Shows the maximum number of index keys."),
    setting(
        "search_path",
        "\"$user\", public",
        Kind::Names,
        "Sets the schema search order for names that are not schema-qualified.",
    ),
    reported(
        "server_encoding",
        "UTF8",
        Kind::ReadOnly,
        "Shows the server (database) character set encoding.",
    ),
    reported("server_version", SERVER_VERSION, Kind::ReadOnly, "Shows the server version."),
    setting("server_version_num", "150000", Kind::ReadOnly, "Shows the server version as an integer."),
    setting("role", "none", Kind::ReadOnly, "Shows the current role."),
    reported("session_authorization", "", Kind::ReadOnly, "Shows the session user name."),
    reported(
        "standard_conforming_strings",
        "on",
        Kind::OneOf(&["on"]),
        "Causes '...' strings to treat backslashes literally.",
    ),
    setting("statement_timeout", "0", Kind::Duration, "Sets the maximum allowed duration of any statement."),
    reported(
        "TimeZone",
        "UTC",
        Kind::TimeZone,
        "Sets the time zone for displaying and interpreting time stamps.",
    ),
    setting(
        "transaction_isolation",
        "read committed",
        ISOLATION,
        "Sets the current transaction's isolation level.",
    ),
    setting(
        "transaction_read_only",
        "off",
        Kind::Boolean,
        "Sets the current transaction's read-only status.",
    ),
];

fn definition(name: &str) -> Result<&'static Definition> {
    // Two names are written in several ways by clients.
    let name = match name.to_lowercase().as_str() {
        "time zone" | "time_zone" | "timezone" => "TimeZone".to_owned(),
        "transaction isolation level" => "transaction_isolation".to_owned(),
        other => other.to_owned(),
    };
    DEFINITIONS.iter().find(|definition| definition.name.eq_ignore_ascii_case(&name)).ok_or_else(|| {
        Error::new(ErrorKind::UndefinedObject, format!("unrecognized configuration parameter \"{name}\""))
            .with_hint("SELECT name, setting FROM pg_settings lists the parameters there are.")
    })
}

/// The values of one session.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, String>,
    changed: Vec<&'static str>,
}

impl Settings {
    /// The settings of a session as its start-up message asks for them.
    pub fn for_role(role: &str, superuser: bool) -> Self {
        let mut settings = Self::default();
        settings.values.insert("session_authorization", role.to_owned());
        settings.values.insert("is_superuser", if superuser { "on" } else { "off" }.to_owned());
        settings
    }

    /// Sets what only the server sets, after its checks.
    pub fn assume(&mut self, name: &'static str, value: &str) {
        if let Ok(definition) = definition(name)
            && self.values.insert(definition.name, value.to_owned()).as_deref() != Some(value)
        {
            self.note_change(definition);
        }
    }

    /// The value without a unit.
    pub fn text(&self, name: &'static str) -> String {
        self.get(name)
    }

    /// The value as SHOW prints it: a duration with its unit.
    pub fn show(&self, name: &str) -> Result<(&'static str, String)> {
        let definition = definition(name)?;
        let value = self.value(definition);
        Ok((definition.name, if definition.kind == Kind::Duration { with_unit(&value) } else { value }))
    }

    fn value(&self, definition: &Definition) -> String {
        self.values.get(definition.name).cloned().unwrap_or_else(|| definition.default.to_owned())
    }

    fn get(&self, name: &'static str) -> String {
        definition(name).map(|definition| self.value(definition)).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let definition = definition(name)?;
        let value = accept(definition, value)?;
        if self.value(definition) != value {
            self.note_change(definition);
        }
        self.values.insert(definition.name, value);
        Ok(())
    }

    pub fn reset(&mut self, name: &str) -> Result<()> {
        let definition = definition(name)?;
        if definition.kind != Kind::ReadOnly && self.values.remove(definition.name).is_some() {
            self.note_change(definition);
        }
        Ok(())
    }

    /// The end of a transaction block: a rollback brings all settings back, a commit those that were local.
    pub fn end_block(&mut self, before: &Settings, local: &[String], rolled_back: bool) {
        for definition in DEFINITIONS {
            let is_local = local.iter().any(|name| name.eq_ignore_ascii_case(definition.name));
            if !(rolled_back || is_local) || self.value(definition) == before.value(definition) {
                continue;
            }
            match before.values.get(definition.name) {
                Some(value) => self.values.insert(definition.name, value.clone()),
                None => self.values.remove(definition.name),
            };
            self.note_change(definition);
        }
    }

    pub fn reset_all(&mut self) {
        for definition in DEFINITIONS {
            if definition.kind != Kind::ReadOnly && self.values.remove(definition.name).is_some() {
                self.note_change(definition);
            }
        }
    }

    fn note_change(&mut self, definition: &'static Definition) {
        if definition.reported && !self.changed.contains(&definition.name) {
            self.changed.push(definition.name);
        }
    }

    /// What clients are told after log-in.
    pub fn reported(&self) -> Vec<(String, String)> {
        DEFINITIONS
            .iter()
            .filter(|definition| definition.reported)
            .map(|definition| (definition.name.to_owned(), self.value(definition)))
            .collect()
    }

    pub fn take_changes(&mut self) -> Vec<(String, String)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|name| (name.to_owned(), self.get(name))).collect()
    }

    /// Name, value and description of each.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, String, &'static str)> {
        DEFINITIONS.iter().map(|definition| (definition.name, self.value(definition), definition.description))
    }

    pub fn time_zone(&self) -> Tz {
        self.get("TimeZone").parse().unwrap_or(Tz::UTC)
    }

    pub fn statement_timeout(&self) -> Option<Duration> {
        match self.get("statement_timeout").parse::<u64>() {
            Ok(0) | Err(_) => None,
            Ok(milliseconds) => Some(Duration::from_millis(milliseconds)),
        }
    }

    pub fn search_path(&self) -> Vec<String> {
        split_names(&self.get("search_path"))
    }
}

fn accept(definition: &Definition, value: &str) -> Result<String> {
    let refuse = |hint: String| {
        Error::invalid_argument(format!("invalid value for parameter \"{}\": \"{value}\"", definition.name))
            .with_hint(hint)
    };
    match definition.kind {
        Kind::Text => Ok(value.to_owned()),
        Kind::Names => Ok(value.trim().to_owned()),
        Kind::ReadOnly => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("parameter \"{}\" cannot be changed", definition.name),
        )),
        Kind::Boolean => match value.to_lowercase().as_str() {
            "on" | "true" | "yes" | "1" | "t" => Ok("on".into()),
            "off" | "false" | "no" | "0" | "f" => Ok("off".into()),
            _ => Err(refuse("Use on or off.".into())),
        },
        Kind::Integer => value
            .trim()
            .parse::<i64>()
            .map(|number| number.to_string())
            .map_err(|_| refuse("Use a whole number.".into())),
        Kind::Duration => milliseconds(value).map(|number| number.to_string()).ok_or_else(|| {
            refuse("Valid units for this parameter are \"ms\", \"s\", \"min\", \"h\", and \"d\".".into())
        }),
        Kind::TimeZone => {
            time_zone(value).ok_or_else(|| refuse("Use a name such as Asia/Shanghai or UTC.".into()))
        }
        Kind::OneOf(values) => match values.iter().find(|known| known.eq_ignore_ascii_case(value)) {
            Some(_) if definition.name == "client_encoding" => Ok("UTF8".into()),
            Some(known) => Ok((*known).to_owned()),
            None => Err(refuse(format!("Available values: {}.", values.join(", ")))),
        },
    }
}

/// `1500`, `30s`, `5 min`: PostgreSQL's units of time, in milliseconds.
pub fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..split].parse().ok()?;
    let factor = match text[split..].trim().to_lowercase().as_str() {
        "" | "ms" => 1,
        "s" | "sec" | "second" | "seconds" => 1_000,
        "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Milliseconds in the largest unit that has no rest.
fn with_unit(milliseconds: &str) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match milliseconds.parse::<u64>() {
        Ok(0) | Err(_) => milliseconds.to_owned(),
        Ok(number) => match UNITS.iter().find(|(factor, _)| number % factor == 0) {
            Some((factor, unit)) => format!("{}{unit}", number / factor),
            None => format!("{number}ms"),
        },
    }
}

fn time_zone(value: &str) -> Option<String> {
    let wanted = value.trim();
    if wanted.eq_ignore_ascii_case("default") || wanted.eq_ignore_ascii_case("local") {
        return Some("UTC".into());
    }
    chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .find(|name| name.eq_ignore_ascii_case(wanted))
        .map(str::to_owned)
}

/// The names of a search path; quoted ones keep their case.
fn split_names(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name.trim_matches('\'').to_lowercase(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_setting_is_an_error() {
        let mut settings = Settings::for_role("ana", false);
        assert_eq!(settings.set("no_such_thing", "1").unwrap_err().sqlstate(), "42704");
        assert_eq!(settings.show("session_authorization").unwrap().1, "ana");
    }

    #[test]
    fn values_are_checked_and_told() {
        let mut settings = Settings::default();
        settings.set("statement_timeout", "5 min").unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(300)));
        assert_eq!(settings.set("statement_timeout", "soon").unwrap_err().sqlstate(), "22023");
        settings.set("timezone", "asia/shanghai").unwrap();
        assert_eq!(settings.take_changes(), [("TimeZone".to_owned(), "Asia/Shanghai".to_owned())]);
        assert!(settings.take_changes().is_empty());
        settings.set("search_path", "x, \"My Schema\", public").unwrap();
        assert_eq!(settings.search_path(), ["x", "My Schema", "public"]);
    }
}
