//! What other libraries' errors mean to a person: their kind, and the words that PostgreSQL has for them.

use std::error::Error as StdError;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use super::{Error, ErrorKind};
use crate::storage::failure::{explain, explain_text};

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        from_arrow(&error)
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        if let parquet::errors::ParquetError::External(inner) = &error
            && let Some(found) = find_ours(inner.as_ref())
        {
            return found;
        }
        if let parquet::errors::ParquetError::External(inner) = &error
            && let Some(store) = find_store(inner.as_ref())
        {
            return explain(store).with_source(error);
        }
        from_parquet(&error).with_source(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
            _ => ErrorKind::StorageIo,
        };
        Error::new(kind, format!("input or output failed: {}", first_line(&error.to_string())))
            .with_source(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::new(ErrorKind::InvalidText, format!("invalid json: {error}"))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        if let Some(found) = find_ours(&error) {
            return found;
        }
        if let Some(store) = find_store(&error) {
            return explain(store).with_source(error);
        }
        from_datafusion(&error)
    }
}

impl From<deltalake_core::DeltaTableError> for Error {
    fn from(error: deltalake_core::DeltaTableError) -> Self {
        if let Some(found) = find_ours(&error) {
            return found;
        }
        if let Some(store) = find_store(&error) {
            return explain(store).with_source(error);
        }
        use deltalake_core::DeltaTableError as Delta;
        match error {
            Delta::Parquet { source } => source.into(),
            Delta::Arrow { source } => source.into(),
            other => {
                let text = other.to_string();
                if let Some(known) = explain_text(&text) {
                    return known.with_source(other);
                }
                let text = first_line(&text).to_owned();
                let kind = if text.contains("conflict") || text.contains("Transaction") {
                    ErrorKind::SerializationFailure
                } else {
                    ErrorKind::StorageIo
                };
                Error::new(kind, format!("table log: {text}")).with_source(other)
            }
        }
    }
}

/// Walks the chain of causes for an [`Error`] of ours.
fn find_ours(error: &(dyn StdError + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(ours) = current.downcast_ref::<Error>() {
            return Some(ours.clone());
        }
        // Shared errors hide their cause behind an Arc that `source` looks through only for its content.
        if let Some(DataFusionError::Shared(shared)) = current.downcast_ref::<DataFusionError>() {
            next = Some(shared.as_ref());
            continue;
        }
        if let Some(DataFusionError::Collection(all)) = current.downcast_ref::<DataFusionError>() {
            return all.iter().find_map(|one| find_ours(one));
        }
        next = current.source();
    }
    None
}

/// A failure of the store below a writer or reader of files, which says nothing of the file.
pub(crate) fn find_store<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a object_store::Error> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(store) = current.downcast_ref::<object_store::Error>() {
            return Some(store);
        }
        next = match current.downcast_ref::<std::io::Error>() {
            // The `source` of an I/O error is that of the error inside.
            Some(io) => io.get_ref().map(|inner| inner as _),
            None => current.source(),
        };
    }
    None
}

fn from_datafusion(error: &DataFusionError) -> Error {
    match error {
        DataFusionError::SchemaError(schema, _) => from_schema(schema),
        DataFusionError::SQL(parser, _) => Error::syntax(first_line(&parser.to_string()).to_owned()),
        DataFusionError::NotImplemented(text) if text.contains("ScalarSubquery") => Error::not_supported(
            "a subquery of this form that reads the row around it is not supported here",
        )
        .with_hint("Write it as a join with GROUP BY, or as a window function."),
        DataFusionError::NotImplemented(text) if text.contains("OuterReferenceColumn") => {
            Error::not_supported("a relation in FROM that reads columns of one before it is not supported here")
                .with_hint("Call unnest(…) in the select list of a subquery: FROM (SELECT id, unnest(tags) AS tag FROM t) AS s.")
        }
        DataFusionError::NotImplemented(text) => Error::not_supported(lower_first(first_line(text))),
        DataFusionError::ResourcesExhausted(text) => {
            Error::new(ErrorKind::OutOfMemory, lower_first(first_line(text))).with_hint(
                "Raise memory_limit in the configuration, or select fewer rows or columns at a time.",
            )
        }
        DataFusionError::ArrowError(arrow, _) => from_arrow(arrow),
        DataFusionError::ParquetError(parquet) => from_parquet(parquet),
        DataFusionError::ObjectStore(store) => explain(store),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => from_datafusion(inner),
        DataFusionError::Shared(inner) => from_datafusion(inner),
        DataFusionError::Collection(all) => match all.first() {
            Some(first) => from_datafusion(first),
            None => Error::internal("an empty collection of errors"),
        },
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::Configuration(text) => from_text(text),
        DataFusionError::External(inner) => from_text(&inner.to_string()),
        other => Error::internal(first_line(strip_class(&other.to_string())).to_owned()),
    }
}

/// Columns that each table of PostgreSQL has, and which tell where a row lies and who wrote it.
const SYSTEM_COLUMNS: &[&str] = &["cmax", "cmin", "ctid", "xmax", "xmin"];

fn from_schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, .. } => {
            let message = match &field.relation {
                Some(relation) => format!("column {}.{} does not exist", relation.table(), field.name),
                None => format!("column \"{}\" does not exist", field.name),
            };
            let error = Error::new(ErrorKind::UndefinedColumn, message);
            match SYSTEM_COLUMNS.contains(&field.name.as_str()) {
                true => error.with_hint("The only system column is tableoid. Name rows by a key."),
                false => error,
            }
        }
        SchemaError::AmbiguousReference { field } => Error::new(
            ErrorKind::AmbiguousColumn,
            format!("column reference \"{}\" is ambiguous", field.name),
        ),
        SchemaError::DuplicateUnqualifiedField { name } => {
            Error::new(ErrorKind::DuplicateColumn, format!("column \"{name}\" specified more than once"))
        }
        SchemaError::DuplicateQualifiedField { name, .. } => {
            Error::new(ErrorKind::DuplicateColumn, format!("column \"{name}\" specified more than once"))
        }
    }
}

fn from_arrow(error: &arrow::error::ArrowError) -> Error {
    use arrow::error::ArrowError as Arrow;
    match error {
        Arrow::DivideByZero => Error::new(ErrorKind::DivisionByZero, "division by zero"),
        Arrow::ArithmeticOverflow(text) => Error::new(
            ErrorKind::NumericOutOfRange,
            format!("value out of range: {}", lower_first(first_line(text))),
        ),
        Arrow::CastError(text) | Arrow::ParseError(text) => from_cast(text),
        Arrow::ComputeError(text) => from_computation(text),
        Arrow::ExternalError(inner) => match find_ours(inner.as_ref()) {
            Some(ours) => ours,
            None => from_text(&inner.to_string()),
        },
        Arrow::IoError(text, _) => Error::new(ErrorKind::StorageIo, lower_first(first_line(text))),
        Arrow::CsvError(text) | Arrow::JsonError(text) => {
            Error::new(ErrorKind::InvalidText, lower_first(first_line(text)))
        }
        Arrow::InvalidArgumentError(text) => from_text(text),
        Arrow::NotYetImplemented(text) => Error::not_supported(lower_first(first_line(text))),
        other => Error::internal(first_line(strip_class(&other.to_string())).to_owned()),
    }
}

/// Arithmetic of dates and times tells an overflow in prose.
fn from_computation(text: &str) -> Error {
    let text = first_line(text);
    let lower = text.to_lowercase();
    for kind in ["timestamp", "date", "interval", "duration"] {
        if lower.contains(kind) && (lower.contains("out of range") || lower.contains("overflow")) {
            let kind = if kind == "duration" { "interval" } else { kind };
            return Error::new(ErrorKind::DatetimeOutOfRange, format!("{kind} out of range"));
        }
    }
    if lower.contains("overflow") {
        return Error::new(
            ErrorKind::NumericOutOfRange,
            format!("value out of range: {}", lower_first(text)),
        );
    }
    Error::internal(text.to_owned())
}

/// A condition is evaluated while a file is read, and its failure comes back in the words of the reader.
fn from_parquet(error: &parquet::errors::ParquetError) -> Error {
    let text = error.to_string();
    if let Some(place) = text.find("Cannot cast string '") {
        return from_cast(text[place..].split("\")").next().unwrap_or_default());
    }
    if text.contains("DivideByZero") || text.contains("division by zero") {
        return Error::new(ErrorKind::DivisionByZero, "division by zero");
    }
    for range in ["smallint", "integer", "bigint"].map(|name| format!("{name} out of range")) {
        if text.contains(&range) {
            return Error::new(ErrorKind::NumericOutOfRange, range);
        }
    }
    if let Some(start) = text.find("value out of range: ") {
        return Error::new(ErrorKind::NumericOutOfRange, first_line(&text[start..]));
    }
    explain_text(&text).unwrap_or_else(|| {
        Error::new(
            ErrorKind::DataCorrupted,
            format!("invalid parquet file: {}", first_line(strip_class(&text))),
        )
    })
}

/// arrow-rs says `Cannot cast string 'x' to value of Int64 type`; PostgreSQL says
/// `invalid input syntax for type bigint: "x"`.
fn from_cast(text: &str) -> Error {
    let text = first_line(text);
    let quoted =
        text.strip_prefix("Cannot cast string '").or_else(|| text.strip_prefix("Cannot cast value '"));
    if let Some((value, target)) = quoted.and_then(|rest| rest.split_once("' to value of ")) {
        let target = target.trim_end_matches(" type");
        if is_impossible_date(value) {
            let message = format!("date/time field value out of range: \"{value}\"");
            return Error::new(ErrorKind::DatetimeOutOfRange, message);
        }
        let kind = match postgres_type_name(target).as_str() {
            "date" | "timestamp" => ErrorKind::InvalidDatetime,
            _ => ErrorKind::InvalidText,
        };
        return Error::new(
            kind,
            format!("invalid input syntax for type {}: \"{value}\"", postgres_type_name(target)),
        );
    }
    if text.contains("timestamp") || text.contains("date") || text.contains("Error parsing") {
        return Error::new(ErrorKind::InvalidDatetime, lower_first(text));
    }
    if text.contains("overflow") || text.contains("Can't cast value") || text.contains("out of range") {
        return Error::new(ErrorKind::NumericOutOfRange, lower_first(text));
    }
    Error::new(ErrorKind::InvalidText, lower_first(text))
}

/// Whether a text is written like a date, of a day that there is not: `2026-02-30`.
fn is_impossible_date(text: &str) -> bool {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<Option<i32>> = date.split('-').map(|part| part.parse().ok()).collect();
    let &[Some(year), Some(month), Some(day)] = parts.as_slice() else { return false };
    let (month, day) = (u32::try_from(month).unwrap_or(0), u32::try_from(day).unwrap_or(0));
    date.len() >= 8 && chrono::NaiveDate::from_ymd_opt(year, month, day).is_none()
}

fn postgres_type_name(arrow: &str) -> String {
    match arrow {
        "Int8" | "Int16" | "UInt8" => "smallint".into(),
        "Int32" | "UInt16" => "integer".into(),
        "Int64" | "UInt32" => "bigint".into(),
        "Float32" => "real".into(),
        "Float64" => "double precision".into(),
        "Boolean" => "boolean".into(),
        "Date32" | "Date64" => "date".into(),
        "Utf8" | "LargeUtf8" | "Utf8View" | "Null" => "text".into(),
        "Binary" | "LargeBinary" | "BinaryView" => "bytea".into(),
        other if other.starts_with("Decimal") => "numeric".into(),
        other if other.contains("List") => "array".into(),
        other if other.starts_with("Timestamp") => "timestamp".into(),
        other => other.to_lowercase(),
    }
}

/// DataFusion reports much as prose. The patterns are the wordings of DataFusion 55.
fn from_text(text: &str) -> Error {
    let text = first_line(strip_class(text));
    let quoted = |prefix: &str, suffix: &str| {
        text.strip_prefix(prefix).and_then(|rest| rest.split_once(suffix)).map(|(name, _)| name.to_owned())
    };
    if let Some(name) = quoted("table '", "' not found") {
        return Error::new(
            ErrorKind::UndefinedTable,
            format!("relation \"{}\" does not exist", short_relation(&name)),
        );
    }
    if let Some(name) = quoted("Invalid function '", "'") {
        return undefined_function(&name, text);
    }
    if let Some(name) = quoted("Table function '", "' not found") {
        return undefined_function(&name, text);
    }
    if text.contains("LIMIT must be >=") {
        return Error::new(ErrorKind::InvalidLimit, "LIMIT must not be negative");
    }
    if text.contains("OFFSET must be >=") {
        return Error::new(ErrorKind::InvalidOffset, "OFFSET must not be negative");
    }
    if text.contains("Step cannot be zero") || text.contains("Step interval cannot be zero") {
        return Error::invalid_argument("step size cannot equal zero");
    }
    if let Some(code) = text.strip_prefix("invalid Unicode scalar value: ") {
        return invalid_character(code);
    }
    if let Some((name, argument)) = unsupported_aggregate(text) {
        return Error::new(
            ErrorKind::UndefinedFunction,
            format!("function {name}({}) does not exist", postgres_type_name(&argument)),
        )
        .with_hint(NO_FUNCTION_MATCHES);
    }
    if text.contains("does not support zero arguments")
        || text.contains("Failed to coerce arguments")
        || text.contains("No function matches")
        || text.contains("failed to match any signature")
        || (text.contains("requires") && text.contains("but received"))
        || (text.contains("expects") && text.contains("but received"))
    {
        return wrong_arguments(text);
    }
    if let Some((_, column)) = text.split_once("column \"")
        && let Some((column, _)) = column.split_once("\" must appear in the GROUP BY clause")
    {
        let column = short_column(column);
        return Error::new(
            ErrorKind::GroupingError,
            format!(
                "column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function"
            ),
        );
    }
    if text.contains("must appear in the GROUP BY clause") || text.contains("must be in GROUP BY") {
        return Error::new(ErrorKind::GroupingError, lower_first(text));
    }
    if text.contains("Cannot coerce") || text.contains("Unsupported CAST") || text.contains("type_coercion") {
        return Error::new(ErrorKind::DatatypeMismatch, lower_first(text));
    }
    if text.contains("Divide by zero") || text.contains("divide by zero") {
        return Error::new(ErrorKind::DivisionByZero, "division by zero");
    }
    if text.contains("Cannot cast string") || text.contains("Error parsing") {
        return from_cast(text);
    }
    if text.contains("returned more than one row") {
        return Error::new(
            ErrorKind::CardinalityViolation,
            "more than one row returned by a subquery used as an expression",
        );
    }
    if text.contains("not supported") || text.contains("unsupported") || text.contains("Unsupported") {
        return Error::not_supported(lower_first(text));
    }
    Error::syntax(lower_first(text))
}

/// `x.feedback.channel` as PostgreSQL tells it: `feedback.channel`.
fn short_column(column: &str) -> &str {
    let mut dots = column.rmatch_indices('.').map(|(place, _)| place);
    match (dots.next(), dots.next()) {
        (Some(_), Some(schema)) => &column[schema + 1..],
        _ => column,
    }
}

const NO_FUNCTION_MATCHES: &str =
    "No function matches the given name and argument types. You might need to add explicit type casts.";

/// `chr(n)` of no character.
fn invalid_character(code: &str) -> Error {
    match code.trim().parse::<i64>() {
        Ok(0) => Error::new(ErrorKind::ProgramLimitExceeded, "null character not permitted"),
        Ok(code) if code < 0 => Error::invalid_argument("character number must be positive"),
        _ => Error::new(
            ErrorKind::ProgramLimitExceeded,
            format!("requested character too large for encoding: {code}"),
        ),
    }
}

/// `[return_type] SUM not supported for Utf8` or `Sum not supported for Utf8: …`.
fn unsupported_aggregate(text: &str) -> Option<(String, String)> {
    let (name, argument) = text.split_once(" not supported for ")?;
    let name = name.rsplit(' ').next()?.to_lowercase();
    let argument = argument.split([':', ' ']).next()?.to_owned();
    matches!(name.as_str(), "sum" | "avg").then_some((name, argument))
}

fn undefined_function(name: &str, text: &str) -> Error {
    let error = Error::new(ErrorKind::UndefinedFunction, format!("function {name} does not exist"));
    match text.split_once("Did you mean '").and_then(|(_, rest)| rest.split_once('\'')) {
        Some((near, _)) => error.with_hint(format!("Perhaps you meant the function \"{near}\".")),
        None => error.with_hint("SELECT name, arguments FROM system.functions lists what there is."),
    }
}

/// DataFusion ends with the call as it saw it: `… argument types 'nps(Utf8)'. You might need …`.
fn wrong_arguments(text: &str) -> Error {
    let call = text
        .rsplit_once("argument types '")
        .and_then(|(_, rest)| rest.split_once("'."))
        .and_then(|(call, _)| call.strip_suffix(')')?.split_once('('));
    let message = match call {
        Some((name, types)) => {
            let types: Vec<String> = types.split(", ").map(|name| postgres_type_name(name.trim())).collect();
            format!("function {name}({}) does not exist", types.join(", "))
        }
        None => lower_first(text),
    };
    Error::new(ErrorKind::UndefinedFunction, message).with_hint(NO_FUNCTION_MATCHES)
}

/// `voxhouse.pg_search_path.orders` is called `orders`, `voxhouse.x.feedback` is called `x.feedback`.
fn short_relation(name: &str) -> &str {
    let name = name.strip_prefix("voxhouse.").unwrap_or(name);
    name.strip_prefix("pg_search_path.").unwrap_or(name)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches('.')
}

/// DataFusion and Arrow begin messages with the class: `Error during planning: …`.
fn strip_class(text: &str) -> &str {
    const CLASSES: [&str; 9] = [
        "Error during planning: ",
        "Execution error: ",
        "External error: ",
        "Arrow error: ",
        "Parquet error: ",
        "Internal error: ",
        "Schema error: ",
        "Invalid or Unsupported Configuration: ",
        "Optimizer rule failed: ",
    ];
    let mut text = text;
    while let Some(rest) = CLASSES.iter().find_map(|class| text.strip_prefix(class)) {
        text = rest;
    }
    text
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // An acronym or a quoted name keeps its case.
        Some(first) if !letters.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_ours_survives_every_wrapping() {
        let ours = Error::invalid_argument("confidence must lie between 0 and 1").with_hint("Try 0.95.");
        let wrapped = DataFusionError::Context(
            "while evaluating".into(),
            Box::new(DataFusionError::Shared(std::sync::Arc::new(ours.into()))),
        );
        let back = Error::from(wrapped);
        assert_eq!(back.sqlstate(), "22023");
        assert_eq!(back.message(), "confidence must lie between 0 and 1");
        assert_eq!(back.hint(), Some("Try 0.95."));
    }

    #[test]
    fn arrow_casts_read_like_postgres() {
        let error = Error::from(arrow::error::ArrowError::CastError(
            "Cannot cast string 'seven' to value of Int32 type".into(),
        ));
        assert_eq!(error.sqlstate(), "22P02");
        assert_eq!(error.message(), "invalid input syntax for type integer: \"seven\"");
    }

    #[test]
    fn a_store_that_fails_while_a_file_is_written_does_not_make_it_corrupt() {
        let store = object_store::Error::Generic { store: "s3", source: "timed out".into() };
        let io = std::io::Error::other(store);
        let error = Error::from(parquet::errors::ParquetError::External(Box::new(io)));
        assert_eq!(error.sqlstate(), "58030");
        let damage = std::io::Error::other("bad bytes");
        let error = Error::from(parquet::errors::ParquetError::External(Box::new(damage)));
        assert_eq!(error.sqlstate(), "XX001");
    }

    #[test]
    fn a_missing_table_is_named_as_the_user_wrote_it() {
        let error = Error::from(DataFusionError::Plan("table 'voxhouse.x.feedbak' not found".into()));
        assert_eq!((error.sqlstate(), error.message()), ("42P01", "relation \"x.feedbak\" does not exist"));
    }
}
