//! The options of a pipe that are not of its format: how files and their columns are treated.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::source::FormatOptions;

/// What becomes of a column of a file that the table does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NewColumns {
    /// The file fails.
    #[default]
    Refuse,
    Ignore,
    /// The table gets it, nullable.
    Add,
}

/// What becomes of a column whose type in the file is wider than in the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TypeChanges {
    /// Rows with values that do not fit are rejected one by one.
    #[default]
    Cast,
    /// The file fails.
    Refuse,
    /// The table gets the wider type, if it holds every value that is there as it is; else the file fails.
    Widen,
}

/// - `max_tries`: a file that failed so often is a dead letter, and not tried again until it is replayed
/// - `min_age`: a file waits until it has not changed for so long, as in `30 seconds`
/// - `new_columns`: `refuse` (default), `ignore` or `add`
/// - `missing_columns`: `null` (default) or `error`
/// - `type_changes`: `cast` (default), `refuse` or `widen`
const OPTIONS: [&str; 5] = ["max_tries", "min_age", "new_columns", "missing_columns", "type_changes"];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    pub max_tries: Option<u32>,
    pub min_age: Duration,
    pub new_columns: NewColumns,
    /// Whether a file must have every column that has no default.
    pub all_columns: bool,
    pub type_changes: TypeChanges,
}

impl Rules {
    /// The rules in the options of a pipe, and the options that are its format's.
    pub fn of(options: &FormatOptions) -> Result<(Self, FormatOptions)> {
        let (own, others): (FormatOptions, FormatOptions) =
            options.clone().into_iter().partition(|(name, _)| OPTIONS.contains(&name.as_str()));
        let mut rules = Self::default();
        for (name, value) in &own {
            rules.set(name, value)?;
        }
        Ok((rules, others))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match (name, value) {
            ("max_tries", text) => match text.parse() {
                Ok(tries) if tries > 0 => self.max_tries = Some(tries),
                _ => return Err(wrong(name, "a whole number above 0", value)),
            },
            ("min_age", text) => {
                self.min_age =
                    duration(text).ok_or_else(|| wrong(name, "a time such as '30 seconds'", text))?
            }
            ("new_columns", "refuse") => self.new_columns = NewColumns::Refuse,
            ("new_columns", "ignore") => self.new_columns = NewColumns::Ignore,
            ("new_columns", "add") => self.new_columns = NewColumns::Add,
            ("new_columns", other) => return Err(wrong(name, "refuse, ignore or add", other)),
            ("missing_columns", "null") => self.all_columns = false,
            ("missing_columns", "error") => self.all_columns = true,
            ("missing_columns", other) => return Err(wrong(name, "null or error", other)),
            ("type_changes", "cast") => self.type_changes = TypeChanges::Cast,
            ("type_changes", "refuse") => self.type_changes = TypeChanges::Refuse,
            ("type_changes", "widen") => self.type_changes = TypeChanges::Widen,
            (_, other) => return Err(wrong(name, "cast, refuse or widen", other)),
        }
        Ok(())
    }
}

fn wrong(name: &str, expected: &str, value: &str) -> Error {
    Error::invalid_argument(format!("option \"{name}\" must be {expected}, not \"{value}\""))
}

/// `30`, `30s`, `5 min`, `2 hours`; without a unit, seconds.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..split].parse().ok()?;
    let factor = match text[split..].trim().to_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    number.checked_mul(factor).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> FormatOptions {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn rules_are_told_from_options_of_the_format() {
        let given =
            options(&[("delimiter", ";"), ("max_tries", "3"), ("min_age", "2 min"), ("new_columns", "add")]);
        let (rules, format) = Rules::of(&given).unwrap();
        assert_eq!(format, options(&[("delimiter", ";")]));
        let expected = Rules {
            max_tries: Some(3),
            min_age: Duration::from_secs(120),
            new_columns: NewColumns::Add,
            ..Rules::default()
        };
        assert_eq!(rules, expected);
        for (name, value) in
            [("max_tries", "0"), ("min_age", "soon"), ("new_columns", "drop"), ("type_changes", "")]
        {
            let error = Rules::of(&options(&[(name, value)])).unwrap_err();
            assert_eq!(error.sqlstate(), "22023");
            assert!(error.message().starts_with(&format!("option \"{name}\" must be ")), "{error}");
        }
    }
}
