//! The options of COPY, checked in PostgreSQL's order and refused in its words.

use voxhouse_engine::catalog::Table;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::{CopyDirection, CopyOption, CopyValue};
use crate::statement::dml::require_column;
use crate::wire::copy::{Charset, CopyFormat, CsvFormat, Header, TextFormat};

/// The options as given; `None`: not given.
#[derive(Default)]
struct Given {
    format: Option<Kind>,
    freeze: Option<bool>,
    delimiter: Option<String>,
    null: Option<String>,
    header: Option<Header>,
    quote: Option<String>,
    escape: Option<String>,
    force_quote: Option<Columns>,
    force_not_null: Option<Columns>,
    force_null: Option<Columns>,
    encoding: Option<Charset>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Csv,
    Binary,
}

enum Columns {
    All,
    Named(Vec<String>),
}

/// The columns that a COPY names or could name.
pub(super) struct Known<'a> {
    /// Those of its rows, in order.
    pub(super) copied: &'a [String],
    /// `None`: it copies a query.
    pub(super) table: Option<&'a Table>,
}

/// The format for rows with these columns.
pub(super) fn format(
    options: &[CopyOption],
    direction: CopyDirection,
    columns: &Known<'_>,
) -> Result<CopyFormat> {
    let mut given = Given::default();
    for option in options {
        given.take(option, direction)?;
    }
    given.check(direction)?;
    given.into_format(columns)
}

fn redundant() -> Error {
    Error::syntax("conflicting or redundant options")
}

fn put<T>(place: &mut Option<T>, value: T) -> Result<()> {
    if place.is_some() {
        return Err(redundant());
    }
    *place = Some(value);
    Ok(())
}

impl Given {
    fn take(&mut self, option: &CopyOption, direction: CopyDirection) -> Result<()> {
        match option.name.as_str() {
            "format" => put(&mut self.format, kind(option)?),
            "freeze" => put(&mut self.freeze, boolean(option)?),
            "delimiter" => put(&mut self.delimiter, text(option)?),
            "null" => put(&mut self.null, text(option)?),
            "header" => put(&mut self.header, header(option, direction)?),
            "quote" => put(&mut self.quote, text(option)?),
            "escape" => put(&mut self.escape, text(option)?),
            "force_quote" => put(&mut self.force_quote, column_list(option, true)?),
            "force_not_null" => put(&mut self.force_not_null, column_list(option, false)?),
            "force_null" => put(&mut self.force_null, column_list(option, false)?),
            "encoding" => put(&mut self.encoding, charset(option)?),
            other => Err(Error::syntax(format!("option \"{other}\" not recognized"))),
        }
    }

    fn is_csv(&self) -> bool {
        self.format == Some(Kind::Csv)
    }

    fn check(&self, direction: CopyDirection) -> Result<()> {
        self.check_binary()?;
        self.check_characters()?;
        self.check_forces(direction)?;
        let null = self.null_string();
        if self.format != Some(Kind::Binary) {
            if null.contains(self.delimiter()) {
                return Err(Error::not_supported("COPY delimiter must not appear in the NULL specification"));
            }
            if self.is_csv() && null.contains(self.quote()) {
                return Err(Error::not_supported(
                    "CSV quote character must not appear in the NULL specification",
                ));
            }
        }
        Ok(())
    }

    fn check_binary(&self) -> Result<()> {
        if self.format != Some(Kind::Binary) {
            return Ok(());
        }
        if self.delimiter.is_some() {
            return Err(Error::syntax("cannot specify DELIMITER in BINARY mode"));
        }
        if self.null.is_some() {
            return Err(Error::syntax("cannot specify NULL in BINARY mode"));
        }
        if self.header.is_some_and(|header| header != Header::None) {
            return Err(Error::not_supported("cannot specify HEADER in BINARY mode"));
        }
        if self.encoding.is_some_and(|charset| charset != Charset::Utf8) {
            return Err(Error::not_supported("another encoding than UTF8 in BINARY mode is not supported"));
        }
        Ok(())
    }

    fn check_characters(&self) -> Result<()> {
        let delimiter = self.delimiter();
        if delimiter.len() != 1 {
            return Err(Error::not_supported("COPY delimiter must be a single one-byte character"));
        }
        if delimiter.contains(['\r', '\n']) {
            return Err(Error::invalid_argument("COPY delimiter cannot be newline or carriage return"));
        }
        if self.null_string().contains(['\r', '\n']) {
            return Err(Error::invalid_argument(
                "COPY null representation cannot use newline or carriage return",
            ));
        }
        if !self.is_csv() && "\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(delimiter) {
            return Err(Error::invalid_argument(format!("COPY delimiter cannot be \"{delimiter}\"")));
        }
        if !self.is_csv() && self.quote.is_some() {
            return Err(Error::not_supported("COPY quote available only in CSV mode"));
        }
        if self.is_csv() && self.quote().len() != 1 {
            return Err(Error::not_supported("COPY quote must be a single one-byte character"));
        }
        if self.is_csv() && delimiter == self.quote() {
            return Err(Error::invalid_argument("COPY delimiter and quote must be different"));
        }
        if !self.is_csv() && self.escape.is_some() {
            return Err(Error::not_supported("COPY escape available only in CSV mode"));
        }
        if self.is_csv() && self.escape().len() != 1 {
            return Err(Error::not_supported("COPY escape must be a single one-byte character"));
        }
        Ok(())
    }

    fn check_forces(&self, direction: CopyDirection) -> Result<()> {
        let options = [
            (self.force_quote.is_some(), "quote", CopyDirection::To, "TO"),
            (self.force_not_null.is_some(), "not null", CopyDirection::From, "FROM"),
            (self.force_null.is_some(), "null", CopyDirection::From, "FROM"),
        ];
        for (is_given, name, wanted, word) in options {
            if is_given && !self.is_csv() {
                return Err(Error::not_supported(format!("COPY force {name} available only in CSV mode")));
            }
            if is_given && direction != wanted {
                return Err(Error::not_supported(format!(
                    "COPY force {name} only available using COPY {word}"
                )));
            }
        }
        Ok(())
    }

    fn delimiter(&self) -> &str {
        self.delimiter.as_deref().unwrap_or(if self.is_csv() { "," } else { "\t" })
    }

    fn null_string(&self) -> &str {
        self.null.as_deref().unwrap_or(if self.is_csv() { "" } else { "\\N" })
    }

    fn quote(&self) -> &str {
        self.quote.as_deref().unwrap_or("\"")
    }

    fn escape(&self) -> &str {
        self.escape.as_deref().unwrap_or(self.quote())
    }

    fn into_format(self, columns: &Known<'_>) -> Result<CopyFormat> {
        if self.format == Some(Kind::Binary) {
            return Ok(CopyFormat::Binary);
        }
        let byte = |text: &str| text.bytes().next().unwrap_or_default();
        let csv = match self.is_csv() {
            false => None,
            true => Some(CsvFormat {
                quote: byte(self.quote()),
                escape: byte(self.escape()),
                force_quote: chosen(self.force_quote.as_ref(), "FORCE_QUOTE", columns)?,
                force_not_null: chosen(self.force_not_null.as_ref(), "FORCE_NOT_NULL", columns)?,
                force_null: chosen(self.force_null.as_ref(), "FORCE_NULL", columns)?,
            }),
        };
        Ok(CopyFormat::Text(TextFormat {
            delimiter: byte(self.delimiter()),
            null: self.null_string().to_owned(),
            header: self.header.unwrap_or(Header::None),
            csv,
            charset: self.encoding.unwrap_or(Charset::Utf8),
        }))
    }
}

fn chosen(wanted: Option<&Columns>, option: &str, columns: &Known<'_>) -> Result<Vec<bool>> {
    let copied = columns.copied;
    let named = match wanted {
        None => return Ok(vec![false; copied.len()]),
        Some(Columns::All) => return Ok(vec![true; copied.len()]),
        Some(Columns::Named(named)) => named,
    };
    for (place, name) in named.iter().enumerate() {
        if !copied.contains(name) {
            match columns.table {
                Some(table) => require_column(table, name)?,
                None => {
                    let message = format!("column \"{name}\" does not exist");
                    return Err(Error::new(ErrorKind::UndefinedColumn, message));
                }
            }
            return Err(Error::new(
                ErrorKind::InvalidColumnReference,
                format!("{option} column \"{name}\" not referenced by COPY"),
            ));
        }
        if named[..place].contains(name) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column \"{name}\" specified more than once"),
            ));
        }
    }
    Ok(copied.iter().map(|column| named.contains(column)).collect())
}

fn text(option: &CopyOption) -> Result<String> {
    match &option.value {
        CopyValue::Text(text) => Ok(text.clone()),
        CopyValue::None => Err(Error::syntax(format!("{} requires a parameter", option.name))),
        CopyValue::All => Ok("*".to_owned()),
        CopyValue::List(names) => Ok(names.join(".")),
    }
}

fn kind(option: &CopyOption) -> Result<Kind> {
    match text(option)?.as_str() {
        "text" => Ok(Kind::Text),
        "csv" => Ok(Kind::Csv),
        "binary" => Ok(Kind::Binary),
        other => Err(Error::invalid_argument(format!("COPY format \"{other}\" not recognized"))),
    }
}

fn truth(option: &CopyOption) -> Option<bool> {
    let CopyValue::Text(text) = &option.value else {
        return (option.value == CopyValue::None).then_some(true);
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn boolean(option: &CopyOption) -> Result<bool> {
    truth(option).ok_or_else(|| Error::syntax(format!("{} requires a Boolean value", option.name)))
}

fn header(option: &CopyOption, direction: CopyDirection) -> Result<Header> {
    match (truth(option), &option.value) {
        (Some(true), _) => Ok(Header::Line),
        (Some(false), _) => Ok(Header::None),
        (None, CopyValue::Text(text)) if text.eq_ignore_ascii_case("match") => match direction {
            CopyDirection::From => Ok(Header::Match),
            CopyDirection::To => Err(Error::not_supported("cannot use \"match\" with HEADER in COPY TO")),
        },
        _ => Err(Error::syntax(format!("{} requires a Boolean value or \"match\"", option.name))),
    }
}

fn column_list(option: &CopyOption, allows_all: bool) -> Result<Columns> {
    match &option.value {
        CopyValue::All if allows_all => Ok(Columns::All),
        CopyValue::List(names) => Ok(Columns::Named(names.clone())),
        _ => Err(Error::invalid_argument(format!(
            "argument to option \"{}\" must be a list of column names",
            option.name
        ))),
    }
}

fn charset(option: &CopyOption) -> Result<Charset> {
    Charset::named(&text(option)?).ok_or_else(|| {
        Error::invalid_argument(format!(
            "argument to option \"{}\" must be a valid encoding name",
            option.name
        ))
    })
}
