//! Which columns have numbers and dates in another form than SQL's, and what becomes of their values.

use std::borrow::Cow;

use voxhouse_engine::source::FormatOptions;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::dates::DateForm;
use super::numbers::NumberForm;
use crate::files::options;

/// The options `decimal`, `thousands`, `numeric_columns`, `date_format` and `date_columns`.
#[derive(Debug, Clone)]
pub(super) struct Rewriting {
    number: NumberForm,
    numeric_columns: Vec<String>,
    dates: Vec<DateForm>,
    date_format: String,
    date_columns: Vec<String>,
}

/// What is done to the values of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    Nothing,
    Number,
    Date,
}

impl Rewriting {
    pub(super) fn new(options: &FormatOptions) -> Result<Self> {
        let decimal = mark(options, "decimal")?.unwrap_or('.');
        let thousands = mark(options, "thousands")?;
        if thousands == Some(decimal) {
            return Err(Error::invalid_argument("option \"thousands\" must differ from decimal"));
        }
        let dates = options.get("date_format").map(|text| DateForm::list(text)).transpose()?;
        let rewriting = Self {
            number: NumberForm { decimal, thousands },
            numeric_columns: options::names(options, "numeric_columns"),
            dates: dates.unwrap_or_default(),
            date_format: options.get("date_format").cloned().unwrap_or_default(),
            date_columns: options::names(options, "date_columns"),
        };
        let has_form = options.contains_key("decimal") || options.contains_key("thousands");
        paired(has_form, "decimal or thousands", !rewriting.numeric_columns.is_empty(), "numeric_columns")?;
        paired(
            !rewriting.dates.is_empty(),
            "date_format",
            !rewriting.date_columns.is_empty(),
            "date_columns",
        )?;
        Ok(rewriting)
    }

    /// By column of the file; none if all stay as they are.
    pub(super) fn by_column(&self, names: &[String]) -> Result<Vec<Rewrite>> {
        if self.numeric_columns.is_empty() && self.date_columns.is_empty() {
            return Ok(Vec::new());
        }
        let mut rewrites = vec![Rewrite::Nothing; names.len()];
        for (columns, rewrite) in
            [(&self.numeric_columns, Rewrite::Number), (&self.date_columns, Rewrite::Date)]
        {
            for column in columns {
                let place = names.iter().position(|name| name == column);
                let place = place.and_then(|place| rewrites.get_mut(place)).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidText, format!("file has no column \"{column}\""))
                        .with_detail(format!("Its columns are {}.", names.join(", ")))
                })?;
                *place = rewrite;
            }
        }
        Ok(rewrites)
    }

    /// The value in SQL's form; an error is the reason why its row is a bad row.
    pub(super) fn apply<'a>(&self, rewrite: Rewrite, value: &'a str) -> Result<Cow<'a, str>, String> {
        match rewrite {
            Rewrite::Nothing => Ok(Cow::Borrowed(value)),
            Rewrite::Number => {
                let example = match self.number.thousands {
                    Some(mark) => format!("1{mark}234{}5", self.number.decimal),
                    None => format!("1234{}5", self.number.decimal),
                };
                self.number.plain(value).ok_or_else(|| format!("is not a number like {example}"))
            }
            Rewrite::Date => {
                let found = self.dates.iter().find_map(|form| form.iso(value));
                found.map(Cow::Owned).ok_or_else(|| format!("is not a date like {}", self.date_format))
            }
        }
    }
}

/// A form is of no use without the columns it is for, nor they without it.
fn paired(has_form: bool, form: &str, has_columns: bool, columns: &str) -> Result<()> {
    match (has_form, has_columns) {
        (true, false) => Err(Error::invalid_argument(format!(
            "option \"{columns}\" must say which columns are meant by {form}"
        ))
        .with_hint(format!(
            "Name the columns with commas between them, for example {columns} 'amount, price'."
        ))),
        (false, true) => Err(Error::invalid_argument(format!("option \"{columns}\" needs {form}"))),
        _ => Ok(()),
    }
}

/// One character that stands between digits.
fn mark(options: &FormatOptions, name: &str) -> Result<Option<char>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        _ if text == "space" => Ok(Some(' ')),
        (Some(letter), None) if !letter.is_alphanumeric() && !matches!(letter, '+' | '-') => Ok(Some(letter)),
        _ => Err(Error::invalid_argument(format!("option \"{name}\" must be one mark, not \"{text}\""))
            .with_hint("Write for example ',' or '.' or space.")),
    }
}
