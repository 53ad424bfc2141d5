//! What a table says of its own upkeep. The options lie in the properties of its Delta log, where every writer of
//! the table finds them.

use std::collections::{BTreeMap, HashMap};

use chrono::Duration;

use crate::error::{Error, ErrorKind, Result};

/// A file of this size is not merged with others.
pub const DEFAULT_TARGET_FILE_BYTES: u64 = 128 << 20;
const SMALLEST_TARGET_FILE_BYTES: u64 = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Switch,
    Bytes,
    Columns,
    Count,
    Interval,
}

struct Definition {
    name: &'static str,
    property: &'static str,
    kind: Kind,
}

const fn option(name: &'static str, property: &'static str, kind: Kind) -> Definition {
    Definition { name, property, kind }
}

/// Delta's own properties where there are such.
const DEFINITIONS: [Definition; 6] = [
    option("bloom", "voxhouse.bloom", Kind::Columns),
    option("checkpoint_interval", "delta.checkpointInterval", Kind::Count),
    option("compaction", "delta.autoOptimize.autoCompact", Kind::Switch),
    option("file_retention", "delta.deletedFileRetentionDuration", Kind::Interval),
    option("log_retention", "delta.logRetentionDuration", Kind::Interval),
    option("target_file_size", "delta.targetFileSize", Kind::Bytes),
];

/// Whether `CREATE TABLE … WITH` and `ALTER TABLE … SET` know this name.
pub fn is_known(name: &str) -> bool {
    definition(name).is_some()
}

fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

/// A property of the log and its value; `None` takes the property away.
pub type Property = (String, Option<String>);

/// The property for an option as a statement writes it, for a table with these columns. An empty value, or
/// `default`, goes back to the default.
pub fn property(name: &str, value: &str, columns: &[&str]) -> Result<Property> {
    let Some(definition) = definition(name) else {
        return Err(Error::invalid_argument(format!("unrecognized parameter \"{name}\"")).with_hint(
            format!(
                "The options of a table are {}.",
                DEFINITIONS.map(|definition| definition.name).join(", ")
            ),
        ));
    };
    let value = value.trim();
    if value.is_empty() || value.eq_ignore_ascii_case("default") {
        return Ok((definition.property.to_owned(), None));
    }
    let wrong = |hint: &str| {
        Error::invalid_argument(format!("invalid value for parameter \"{name}\": \"{value}\""))
            .with_hint(hint)
    };
    let stored = match definition.kind {
        Kind::Switch => switch(value).ok_or_else(|| wrong("Write on or off."))?.to_string(),
        Kind::Bytes => bytes(value)
            .filter(|bytes| *bytes >= SMALLEST_TARGET_FILE_BYTES)
            .ok_or_else(|| wrong("Write a size from 64kB, such as '256MB'."))?
            .to_string(),
        Kind::Count => value
            .parse::<u32>()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| wrong("Write a number from 1."))?
            .to_string(),
        Kind::Interval => {
            let interval = duration(value).ok_or_else(|| wrong("Write a time such as '7 days'."))?;
            format!("interval {} seconds", interval.num_seconds())
        }
        Kind::Columns => column_list(value, columns)?,
    };
    Ok((definition.property.to_owned(), Some(stored)))
}

fn column_list(value: &str, columns: &[&str]) -> Result<String> {
    let wanted: Vec<&str> = value.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(missing) = wanted.iter().find(|name| !columns.contains(*name)) {
        let message = format!("column \"{missing}\" does not exist");
        return Err(Error::new(ErrorKind::UndefinedColumn, message));
    }
    Ok(wanted.join(","))
}

fn switch(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A number and its unit.
fn quantity(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..split].parse().ok()?, text[split..].trim().to_lowercase()))
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = quantity(text)?;
    let shift = match unit.as_str() {
        "" | "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// `7 days`, `36 hours`, `2 weeks`.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = quantity(text)?;
    let seconds = match unit.as_str() {
        "s" | "sec" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 7 * 86_400,
        _ => return None,
    };
    Duration::try_seconds(i64::try_from(number.checked_mul(seconds)?).ok()?)
}

/// The options that a table sets, as a statement would write them.
pub fn shown(configuration: &HashMap<String, String>) -> BTreeMap<&'static str, String> {
    let mut shown = BTreeMap::new();
    for definition in &DEFINITIONS {
        let Some(value) = configuration.get(definition.property) else { continue };
        let value = match definition.kind {
            Kind::Switch => if switch(value) == Some(false) { "off" } else { "on" }.to_owned(),
            Kind::Interval => value.trim_start_matches("interval ").to_owned(),
            Kind::Bytes | Kind::Columns | Kind::Count => value.clone(),
        };
        shown.insert(definition.name, value);
    }
    shown
}

/// The options that writers and the background need. What another program has written into the log and cannot be
/// read is as if it were not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOptions {
    pub compaction: bool,
    pub target_file_bytes: u64,
    pub bloom_columns: Vec<String>,
}

impl TableOptions {
    pub fn of(configuration: &HashMap<String, String>) -> Self {
        let value = |name: &str| {
            definition(name).and_then(|definition| configuration.get(definition.property)).map(String::as_str)
        };
        let columns = value("bloom").unwrap_or_default().split(',').filter(|name| !name.is_empty());
        Self {
            compaction: value("compaction").and_then(switch).unwrap_or(true),
            target_file_bytes: value("target_file_size")
                .and_then(bytes)
                .map_or(DEFAULT_TARGET_FILE_BYTES, |size| size.max(SMALLEST_TARGET_FILE_BYTES)),
            bloom_columns: columns.map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_into_properties_and_come_back() {
        let columns = ["id", "phone"];
        let written = [
            ("compaction", "OFF"),
            ("target_file_size", "64 MB"),
            ("bloom", "phone, id"),
            ("file_retention", "2 days"),
            ("checkpoint_interval", "10"),
        ];
        let mut configuration = HashMap::new();
        for (name, value) in written {
            let (key, value) = property(name, value, &columns).unwrap();
            configuration.insert(key, value.unwrap());
        }
        let options = TableOptions::of(&configuration);
        assert!(!options.compaction);
        assert_eq!(options.target_file_bytes, 64 << 20);
        assert_eq!(options.bloom_columns, ["phone", "id"]);
        assert_eq!(configuration["delta.deletedFileRetentionDuration"], "interval 172800 seconds");
        let shown: Vec<String> =
            shown(&configuration).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            shown,
            [
                "bloom=phone,id",
                "checkpoint_interval=10",
                "compaction=off",
                "file_retention=172800 seconds",
                "target_file_size=67108864"
            ]
        );
        assert_eq!(property("bloom", "", &columns).unwrap(), ("voxhouse.bloom".to_owned(), None));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (name, value, sqlstate) in [
            ("compaction", "maybe", "22023"),
            ("target_file_size", "1kB", "22023"),
            ("target_file_size", "big", "22023"),
            ("checkpoint_interval", "0", "22023"),
            ("file_retention", "7 moons", "22023"),
            ("bloom", "fax", "42703"),
            ("speed", "high", "22023"),
        ] {
            assert_eq!(property(name, value, &["id"]).unwrap_err().sqlstate(), sqlstate, "{name} {value}");
        }
    }

    #[test]
    fn what_another_program_wrote_does_no_harm() {
        let configuration = [
            ("delta.targetFileSize".to_owned(), "100m".to_owned()),
            ("delta.autoOptimize.autoCompact".to_owned(), "auto".to_owned()),
        ];
        let options = TableOptions::of(&configuration.into());
        assert!(options.compaction);
        assert_eq!(options.target_file_bytes, DEFAULT_TARGET_FILE_BYTES);
    }
}
