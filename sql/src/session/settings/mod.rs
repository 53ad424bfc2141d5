//! The run-time parameters of a session: what each is worth, since when and for how long.
//!
//! A value set for the transaction hides one set for the session, which hides the one that the session started
//! with, which hides the default. [`Settings::save`] and [`Settings::restore`] are what a rollback needs, to the
//! start of a block or to a savepoint; [`Settings::end_transaction`] is what a commit needs.

mod date_style;
mod definition;
mod startup;
mod unit;
mod value;
pub mod zone;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use parking_lot::RwLock;
use voxhouse_engine::catalog::Setting;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::pg_catalog::SettingRow;
use crate::wire::style::{ByteaStyle, IntervalStyle, TextStyle};
use definition::{Definition, Kind, SetBy};
pub use value::boolean;

pub const LOG_THRESHOLD: &str = "log_min_duration_statement";

/// What the parameters of one session are. A clone is another handle on the same values: functions such as
/// `set_config` hold one.
#[derive(Clone)]
pub struct Settings(Arc<RwLock<State>>);

/// All values at one moment.
#[derive(Clone)]
pub struct Saved(Arc<Values>);

struct State {
    values: Arc<Values>,
    /// The reported parameters as clients know them.
    told: Vec<(usize, String)>,
}

#[derive(Clone, Default)]
struct Values {
    /// As long as the list of definitions.
    known: Vec<Entry>,
    /// Parameters of somebody's own, by their name in lower case.
    custom: BTreeMap<String, Entry>,
}

/// How far a value reaches; the upper ones hide the lower.
#[derive(Clone, Default)]
struct Entry {
    transaction: Option<String>,
    session: Option<String>,
    /// What the client asked for when the session started.
    start: Option<String>,
    /// What the catalog says of the role and the database, and PostgreSQL's word for which of them.
    stored: Option<(String, &'static str)>,
}

/// How long a new value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Transaction,
    Session,
    /// What RESET goes back to.
    Start,
}

impl Entry {
    fn value(&self) -> Option<&str> {
        self.transaction.as_deref().or(self.session.as_deref()).or_else(|| self.first())
    }

    /// What RESET goes back to.
    fn first(&self) -> Option<&str> {
        self.start.as_deref().or(self.stored.as_ref().map(|(value, _)| value.as_str()))
    }

    fn put(&mut self, value: Option<String>, reach: Reach) {
        match reach {
            Reach::Transaction => self.transaction = value,
            Reach::Session => (self.session, self.transaction) = (value, None),
            Reach::Start => self.start = value,
        }
    }

    fn source(&self) -> &'static str {
        if self.transaction.is_some() || self.session.is_some() {
            "session"
        } else if self.start.is_some() {
            "client"
        } else {
            self.stored.as_ref().map_or("default", |(_, source)| source)
        }
    }
}

/// Where a parameter is kept.
enum Place {
    Known(usize),
    Custom(String),
}

fn place(name: &str) -> Result<Place> {
    match definition::place(name) {
        Some(place) => Ok(Place::Known(place)),
        None => match definition::custom_name(name)? {
            Some(name) => Ok(Place::Custom(name)),
            None => Err(definition::unrecognized(name)),
        },
    }
}

fn definition_at(place: usize) -> &'static Definition {
    &definition::all()[place]
}

impl Values {
    fn known(&self, place: usize) -> &str {
        self.known.get(place).and_then(Entry::value).unwrap_or(definition_at(place).default)
    }

    fn get(&self, name: &str) -> &str {
        definition::place(name).map_or("", |place| self.known(place))
    }

    /// As SHOW prints it: a number with its unit.
    fn shown(&self, place: usize) -> String {
        let value = self.known(place);
        definition_at(place).unit.map_or_else(|| value.to_owned(), |unit| unit.show(value))
    }

    fn is_superuser(&self) -> bool {
        self.get("is_superuser") == "on"
    }

    fn entry(&mut self, place: Place) -> &mut Entry {
        match place {
            Place::Known(place) => {
                let missing = definition::all().len().saturating_sub(self.known.len());
                self.known.extend(std::iter::repeat_with(Entry::default).take(missing));
                &mut self.known[place]
            }
            Place::Custom(name) => self.custom.entry(name).or_default(),
        }
    }
}

impl Settings {
    pub fn for_role(role: &str, superuser: bool) -> Self {
        let values = Arc::new(Values::default());
        let settings = Self(Arc::new(RwLock::new(State { values, told: Vec::new() })));
        settings.put_by_server("session_authorization", role);
        settings.put_by_server("is_superuser", if superuser { "on" } else { "off" });
        settings
    }

    /// A parameter of the start-up message; `options` holds several as `-c name=value`.
    pub fn put_at_start(&self, name: &str, value: &str) -> Result<()> {
        if name != "options" {
            return self.put(name, value, Reach::Start);
        }
        for (name, value) in startup::assignments(value)? {
            self.put(&name, &value, Reach::Start)?;
        }
        Ok(())
    }

    /// A parameter that the catalog has for the session, whoever may set it.
    pub fn put_stored(&self, setting: &Setting, source: &'static str) -> Result<()> {
        let place = place(&setting.name)?;
        let value = match &place {
            Place::Known(place) => self.checked(definition_at(*place), &setting.name, &setting.value)?,
            Place::Custom(_) => setting.value.clone(),
        };
        self.change(|values| values.entry(place).stored = Some((value, source)));
        Ok(())
    }

    /// Name and value as the catalog keeps them, if the user may set the parameter so.
    pub fn acceptable(&self, name: &str, values: Option<&[String]>) -> Result<Setting> {
        let place = place(name)?;
        let value = values.map(|values| self.join(name, values)).transpose()?;
        if let Place::Known(place) = place {
            self.check_right(definition_at(place))?;
            if let Some(value) = &value {
                self.checked(definition_at(place), name, value)?;
            }
        }
        let name = match place {
            Place::Known(place) => definition_at(place).name.to_owned(),
            Place::Custom(name) => name,
        };
        Ok(Setting { name, value: value.unwrap_or_default() })
    }

    /// A parameter that no user can set.
    pub fn put_by_server(&self, name: &str, value: &str) {
        self.assume(name, value, Reach::Start);
    }

    /// A parameter that a statement of its own sets, after its checks.
    pub fn assume(&self, name: &str, value: &str, reach: Reach) {
        if let Some(place) = definition::place(name) {
            self.change(|values| values.entry(Place::Known(place)).put(Some(value.to_owned()), reach));
        }
    }

    /// For the session, from now on.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        self.put(name, value, Reach::Session)
    }

    pub fn put(&self, name: &str, value: &str, reach: Reach) -> Result<()> {
        let place = place(name)?;
        let (value, reach) = match &place {
            Place::Known(place) => self.accept(definition_at(*place), name, value, reach)?,
            Place::Custom(_) => (value.to_owned(), reach),
        };
        self.change(|values| values.entry(place).put(Some(value), reach));
        Ok(())
    }

    fn accept(
        &self,
        definition: &Definition,
        name: &str,
        value: &str,
        reach: Reach,
    ) -> Result<(String, Reach)> {
        self.check_right(definition)?;
        let value = self.checked(definition, name, value)?;
        Ok((value, if definition.of_transaction { Reach::Transaction } else { reach }))
    }

    /// `name` is how the parameter was called.
    fn checked(&self, definition: &Definition, name: &str, value: &str) -> Result<String> {
        match definition.kind {
            Kind::DateStyle => {
                date_style::parse(value, &self.read(|values| values.get("DateStyle").to_owned()))
            }
            _ => value::accept(definition, name, value),
        }
    }

    fn check_right(&self, definition: &Definition) -> Result<()> {
        let name = definition.name;
        let fixed = |how: &str| {
            Err(Error::new(ErrorKind::CannotChange, format!("parameter \"{name}\" cannot be changed{how}")))
        };
        match definition.set_by {
            SetBy::User => Ok(()),
            SetBy::Superuser if self.read(Values::is_superuser) => Ok(()),
            SetBy::Superuser => Err(Error::new(
                ErrorKind::InsufficientPrivilege,
                format!("permission denied to set parameter \"{name}\""),
            )),
            SetBy::Start => fixed(" without restarting the server"),
            SetBy::Nobody => fixed(""),
        }
    }

    /// Back to what the session started with.
    pub fn reset(&self, name: &str, reach: Reach) -> Result<()> {
        let place = place(name)?;
        if let Place::Known(place) = place {
            self.check_right(definition_at(place))?;
        }
        let default = match place {
            Place::Known(place) => definition_at(place).default,
            Place::Custom(_) => "",
        };
        self.change(|values| {
            let entry = values.entry(place);
            match reach {
                // The session's value comes back at the end.
                Reach::Transaction => {
                    entry.transaction = Some(entry.first().unwrap_or(default).to_owned());
                }
                _ => entry.put(None, Reach::Session),
            }
        });
        Ok(())
    }

    /// All that users set; who the session acts as stays.
    pub fn reset_all(&self) {
        self.change(|values| {
            let settable = values.known.iter_mut().enumerate();
            let settable =
                settable.filter(|(place, _)| !matches!(definition_at(*place).set_by, SetBy::Nobody));
            for entry in settable.map(|(_, entry)| entry).chain(values.custom.values_mut()) {
                entry.put(None, Reach::Session);
            }
        });
    }

    /// A block begins: its mode is the default one. What it saves is for its rollback.
    pub fn begin(&self) -> Saved {
        let saved = self.save();
        for name in ["transaction_isolation", "transaction_read_only", "transaction_deferrable"] {
            let default = self.value(&format!("default_{name}"));
            if let (Some(place), true) = (definition::place(name), self.value(name) != default) {
                self.change(|values| {
                    values.entry(Place::Known(place)).put(Some(default), Reach::Transaction);
                });
            }
        }
        saved
    }

    /// Everything as it is now, for a rollback to here.
    pub fn save(&self) -> Saved {
        Saved(Arc::clone(&self.0.read().values))
    }

    pub fn restore(&self, saved: &Saved) {
        self.0.write().values = Arc::clone(&saved.0);
    }

    /// Ends what was set for the transaction.
    pub fn end_transaction(&self) {
        let is_local = |entry: &Entry| entry.transaction.is_some();
        if self.read(|values| values.known.iter().chain(values.custom.values()).any(is_local)) {
            self.change(|values| {
                for entry in values.known.iter_mut().chain(values.custom.values_mut()) {
                    entry.transaction = None;
                }
            });
        }
    }

    /// The text of several values of SET: only a list takes more than one, and one of names has them quoted.
    pub fn join(&self, name: &str, values: &[String]) -> Result<String> {
        let kind = definition::place(name).map(|place| &definition_at(place).kind);
        match (kind, values) {
            (Some(Kind::Names), values) => {
                Ok(values.iter().map(|value| value::quoted(value)).collect::<Vec<_>>().join(", "))
            }
            (Some(Kind::DateStyle), values) => Ok(values.join(", ")),
            (_, [value]) => Ok(value.clone()),
            _ => Err(Error::invalid_argument(format!("SET {name} takes only one argument"))),
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Values) -> T) -> T {
        look(&self.0.read().values)
    }

    fn change(&self, change: impl FnOnce(&mut Values)) {
        change(Arc::make_mut(&mut self.0.write().values));
    }

    /// The name in its usual case and the value as SHOW prints it.
    pub fn show(&self, name: &str) -> Result<(String, String)> {
        match place(name)? {
            Place::Known(place) => {
                Ok((definition_at(place).name.to_owned(), self.read(|values| values.shown(place))))
            }
            Place::Custom(name) => self.read(|values| match values.custom.get(&name) {
                Some(entry) => Ok((name.clone(), entry.value().unwrap_or_default().to_owned())),
                None => Err(definition::unrecognized(&name)),
            }),
        }
    }

    /// Name, value as SHOW prints it, and description of each.
    pub fn show_all(&self) -> Vec<[String; 3]> {
        self.read(|values| {
            let places = 0..definition::all().len();
            places
                .map(|place| {
                    let definition = definition_at(place);
                    [definition.name.to_owned(), values.shown(place), definition.description.to_owned()]
                })
                .collect()
        })
    }

    /// As `pg_settings` lists them.
    pub fn rows(&self) -> Vec<SettingRow> {
        self.read(|values| {
            let known = (0..definition::all().len()).map(|place| known_row(values, place));
            known.chain(values.custom.iter().map(|(name, entry)| custom_row(name, entry))).collect()
        })
    }

    /// What clients are told after log-in.
    pub fn reported(&self) -> Vec<(String, String)> {
        let _ = self.take_changes();
        let state = self.0.read();
        state
            .told
            .iter()
            .map(|(place, value)| (definition_at(*place).name.to_owned(), value.clone()))
            .collect()
    }

    /// Reported parameters that have other values than at the last call.
    pub fn take_changes(&self) -> Vec<(String, String)> {
        let state = &mut *self.0.write();
        let mut changes = Vec::new();
        for (place, definition) in definition::all().iter().enumerate().filter(|(_, one)| one.reported) {
            let value = state.values.known(place);
            let known = state.told.iter_mut().find(|(told, _)| *told == place);
            match known {
                Some((_, told)) if told == value => continue,
                Some((_, told)) => value.clone_into(told),
                None => state.told.push((place, value.to_owned())),
            }
            changes.push((definition.name.to_owned(), value.to_owned()));
        }
        changes
    }

    /// The value as it is kept, without a unit. Empty for a name that there is not.
    pub fn value(&self, name: &str) -> String {
        self.read(|values| values.get(name).to_owned())
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.read(|values| values.get(name) == "on")
    }

    /// How values are written as text and read from it.
    pub fn text_style(&self) -> TextStyle {
        self.read(|values| {
            let (dates, order) = date_style::read(values.get("DateStyle"));
            TextStyle {
                zone: zone::parse(values.get("TimeZone")).map_or(Tz::UTC, |(zone, _)| zone),
                dates,
                order,
                intervals: match values.get("IntervalStyle") {
                    "postgres_verbose" => IntervalStyle::Verbose,
                    "sql_standard" => IntervalStyle::SqlStandard,
                    "iso_8601" => IntervalStyle::Iso8601,
                    _ => IntervalStyle::Postgres,
                },
                bytes: if values.get("bytea_output") == "escape" {
                    ByteaStyle::Escape
                } else {
                    ByteaStyle::Hex
                },
                extra_float_digits: values.get("extra_float_digits").parse().unwrap_or(1),
            }
        })
    }

    /// A number of milliseconds; `None`: 0, which stands for no limit.
    pub fn timeout(&self, name: &str) -> Option<Duration> {
        let milliseconds = self.read(|values| values.get(name).parse::<u64>().ok());
        milliseconds.filter(|milliseconds| *milliseconds > 0).map(Duration::from_millis)
    }

    /// How long a statement must take to be logged; `None`: none is.
    pub fn log_threshold(&self) -> Option<Duration> {
        self.read(|values| values.get(LOG_THRESHOLD).parse().ok()).map(Duration::from_millis)
    }

    pub fn statement_timeout(&self) -> Option<Duration> {
        self.timeout("statement_timeout")
    }

    /// As it was set: `$user` is not resolved.
    pub fn search_path(&self) -> Vec<String> {
        self.read(|values| value::names(values.get("search_path"))).unwrap_or_default()
    }
}

fn known_row(values: &Values, place: usize) -> SettingRow {
    let definition = definition_at(place);
    let entry = values.known.get(place);
    let (smallest, largest) = match &definition.kind {
        Kind::Integer { smallest, largest } => (Some(smallest.to_string()), Some(largest.to_string())),
        Kind::Real { smallest, largest } => (Some((*smallest).to_owned()), Some((*largest).to_owned())),
        _ => (None, None),
    };
    let start = entry.and_then(|entry| entry.first().map(str::to_owned));
    SettingRow {
        name: definition.name.to_owned(),
        value: values.known(place).to_owned(),
        shown: values.shown(place),
        unit: definition.unit.map(|unit| unit.name().to_owned()),
        category: definition.category.to_owned(),
        description: definition.description.to_owned(),
        extra: definition.ignored.then(|| "Accepted without effect.".to_owned()),
        context: match definition.set_by {
            SetBy::User => "user",
            SetBy::Superuser => "superuser",
            SetBy::Start => "postmaster",
            SetBy::Nobody => "internal",
        },
        type_name: definition.type_name(),
        source: entry.map_or("default", Entry::source),
        smallest,
        largest,
        values: match &definition.kind {
            Kind::Enum(values) => Some(values.iter().map(|value| (*value).to_owned()).collect()),
            _ => None,
        },
        default: Some(definition.default.to_owned()),
        reset: start.unwrap_or_else(|| definition.default.to_owned()),
    }
}

fn custom_row(name: &str, entry: &Entry) -> SettingRow {
    let value = entry.value().unwrap_or_default().to_owned();
    SettingRow {
        name: name.to_owned(),
        shown: value.clone(),
        value,
        unit: None,
        category: "Customized Options".to_owned(),
        description: String::new(),
        extra: None,
        context: "user",
        type_name: "string",
        source: entry.source(),
        smallest: None,
        largest: None,
        values: None,
        default: None,
        reset: entry.first().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests;
