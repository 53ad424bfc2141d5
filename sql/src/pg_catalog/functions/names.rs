//! Names and numbers of objects: `regclass` and its kin, `to_regclass`, `format_type`, quoting.
//!
//! A cast to one of the `reg…` types is written as a call: `regclass(x)` is the number, for comparing and
//! joining, `regclassout(x)` is the name, for showing; those are PostgreSQL's own names for the two.

use voxhouse_engine::catalog::{Oid, QualifiedName, undefined_relation};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{Call, Cell, Function, called_on_null, function};
use crate::pg_catalog::entities::Entities;
use crate::pg_catalog::relations::fixed_procedures;
use crate::pg_catalog::{PG_CATALOG, Visible, types};
use crate::wire::types::oid;

/// What a `reg…` type names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pg_catalog) enum ObjectKind {
    Class,
    Type,
    Procedure,
    /// A function with the types of its arguments.
    Signature,
    Namespace,
    Role,
    Operator,
}

impl ObjectKind {
    /// The kind that a type's name stands for.
    pub(in crate::pg_catalog) fn of_type(name: &str) -> Option<Self> {
        Some(match name {
            "regclass" => ObjectKind::Class,
            "regtype" => ObjectKind::Type,
            "regproc" => ObjectKind::Procedure,
            "regprocedure" => ObjectKind::Signature,
            "regnamespace" => ObjectKind::Namespace,
            "regrole" => ObjectKind::Role,
            "regoper" | "regoperator" => ObjectKind::Operator,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            ObjectKind::Class => "relation",
            ObjectKind::Type => "type",
            ObjectKind::Procedure | ObjectKind::Signature => "function",
            ObjectKind::Namespace => "schema",
            ObjectKind::Role => "role",
            ObjectKind::Operator => "operator",
        }
    }

    fn error_kind(self) -> ErrorKind {
        match self {
            ObjectKind::Class => ErrorKind::UndefinedTable,
            ObjectKind::Procedure | ObjectKind::Signature | ObjectKind::Operator => {
                ErrorKind::UndefinedFunction
            }
            ObjectKind::Namespace => ErrorKind::UndefinedSchema,
            ObjectKind::Type | ObjectKind::Role => ErrorKind::UndefinedObject,
        }
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    function("regclass", "o", "regclass", |call| number(call, ObjectKind::Class)),
    function("regtype", "o", "regtype", |call| number(call, ObjectKind::Type)),
    function("regproc", "o", "regproc", |call| number(call, ObjectKind::Procedure)),
    function("regprocedure", "o", "regprocedure", |call| number(call, ObjectKind::Signature)),
    function("regnamespace", "o", "regnamespace", |call| number(call, ObjectKind::Namespace)),
    function("regrole", "o", "regrole", |call| number(call, ObjectKind::Role)),
    function("regoper", "o", "regoper", |call| number(call, ObjectKind::Operator)),
    function("regoperator", "o", "regoperator", |call| number(call, ObjectKind::Operator)),
    function("regclassout", "o", "text", |call| shown(call, ObjectKind::Class)),
    function("regtypeout", "o", "text", |call| shown(call, ObjectKind::Type)),
    function("regprocout", "o", "text", |call| shown(call, ObjectKind::Procedure)),
    function("regprocedureout", "o", "text", |call| shown(call, ObjectKind::Signature)),
    function("regnamespaceout", "o", "text", |call| shown(call, ObjectKind::Namespace)),
    function("regroleout", "o", "text", |call| shown(call, ObjectKind::Role)),
    function("regoperout", "o", "text", |call| shown(call, ObjectKind::Operator)),
    function("regoperatorout", "o", "text", |call| shown(call, ObjectKind::Operator)),
    function("to_regclass", "t", "regclass", |call| Ok(found(call, ObjectKind::Class))),
    function("to_regtype", "t", "regtype", |call| Ok(found(call, ObjectKind::Type))),
    function("to_regproc", "t", "regproc", |call| Ok(found(call, ObjectKind::Procedure))),
    function("to_regnamespace", "t", "regnamespace", |call| Ok(found(call, ObjectKind::Namespace))),
    function("to_regrole", "t", "regrole", |call| Ok(found(call, ObjectKind::Role))),
    function("oid", "o", "oid", as_oid),
    called_on_null("format_type", "oi", "text", |call| {
        let modifier = call.int(1).and_then(|modifier| i32::try_from(modifier).ok());
        Ok(call.object(0, ObjectKind::Type)?.map(|oid| types::format_type(oid, modifier)).into())
    }),
    called_on_null("pg_typeof", "a", "text", |call| {
        let oid = call.fields.first().map_or(types::TEXT, |field| types::of_field(field).0);
        Ok(types::format_type(oid, None).into())
    }),
    function("oidvectortypes", "a", "text", |call| {
        let Some(Cell::Ints(types)) = call.arguments.first() else { return Ok(Cell::Null) };
        let names = types.iter().filter_map(|oid| Oid::try_from(*oid).ok());
        let names: Vec<String> = names.map(|oid| types::format_type(oid, None)).collect();
        Ok(names.join(", ").into())
    }),
    function("bpchar", "t", "bpchar", |call| Ok(call.text(0).map(str::to_owned).into())),
    // There are no partitions.
    called_on_null("pg_partition_ancestors", "o", "oid[]", |_| Ok(Vec::<i64>::new().into())),
    function("parse_ident", "t?b", "text[]", parse_ident),
    function("quote_ident", "t", "text", |call| Ok(call.text(0).map(quote_ident).into())),
    called_on_null("format", "ts*", "text", format),
    function("quote_literal", "s", "text", |call| Ok(literal(call).into())),
    called_on_null("quote_nullable", "s", "text", |call| {
        Ok(literal(call).unwrap_or_else(|| "NULL".to_owned()).into())
    }),
];

/// `oid(x)` stands for `x::oid`.
fn as_oid(call: &Call<'_>) -> Result<Cell> {
    match call.text(0) {
        None => Ok(call.int(0).into()),
        Some(text) => text.trim().parse::<Oid>().map(Cell::from).map_err(|_| {
            Error::new(ErrorKind::InvalidText, format!("invalid input syntax for type oid: \"{text}\""))
        }),
    }
}

/// The parts of a name with points in it. Unless the second argument is false, there must be nothing behind it.
fn parse_ident(call: &Call<'_>) -> Result<Cell> {
    let text = call.text(0).unwrap_or_default();
    let invalid = || Error::invalid_argument(format!("string is not a valid identifier: \"{text}\""));
    let is_strict = call.arguments.get(1) != Some(&Cell::Bool(false));
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (part, behind) = identifier(rest).ok_or_else(invalid)?;
        parts.push(part);
        rest = behind.trim_start();
        match rest.strip_prefix('.') {
            Some(behind) => rest = behind.trim_start(),
            None if rest.is_empty() || !is_strict => return Ok(parts.into()),
            None => return Err(invalid()),
        }
    }
}

/// An identifier at the beginning of a text, folded to lower case unless it is quoted, and the text behind it.
fn identifier(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted.find('"').filter(|end| *end > 0)?;
        return Some((quoted[..end].to_owned(), &quoted[end + 1..]));
    }
    let starts = |letter: char| letter == '_' || letter.is_alphabetic();
    text.starts_with(starts).then_some(())?;
    let continues = |letter: char| starts(letter) || letter == '$' || letter.is_ascii_digit();
    let end = text.find(|letter| !continues(letter)).unwrap_or(text.len());
    Some((text[..end].to_lowercase(), &text[end..]))
}

fn literal(call: &Call<'_>) -> Option<String> {
    call.text(0).map(quote_literal)
}

fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// `%s` the value, `%I` as an identifier, `%L` as a literal, `%%` a percent sign.
fn format(call: &Call<'_>) -> Result<Cell> {
    let Some(pattern) = call.text(0) else { return Ok(Cell::Null) };
    let mut text = String::new();
    let mut next = 1;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let kind = letters.next();
        if kind == Some('%') {
            text.push('%');
            continue;
        }
        if next >= call.len() {
            return Err(Error::invalid_argument("too few arguments for format()"));
        }
        let value = call.text(next);
        next += 1;
        match (kind, value) {
            (Some('s'), value) => text.push_str(value.unwrap_or_default()),
            (Some('I'), Some(value)) => text.push_str(&quote_ident(value)),
            (Some('I'), None) => {
                return Err(Error::invalid_argument("null values cannot be formatted as an SQL identifier"));
            }
            (Some('L'), value) => text.push_str(&value.map_or_else(|| "NULL".to_owned(), quote_literal)),
            (other, _) => {
                let shown = other.map(String::from).unwrap_or_default();
                return Err(Error::invalid_argument(format!(
                    "unrecognized format() type specifier \"{shown}\""
                )));
            }
        }
    }
    Ok(text.into())
}

fn number(call: &Call<'_>, kind: ObjectKind) -> Result<Cell> {
    Ok(call.object(0, kind)?.into())
}

fn shown(call: &Call<'_>, kind: ObjectKind) -> Result<Cell> {
    Ok(call.object(0, kind)?.map(|oid| show(call.visible, kind, oid)).into())
}

fn found(call: &Call<'_>, kind: ObjectKind) -> Cell {
    call.text(0).and_then(|text| look_up(call.visible, kind, text)).into()
}

/// The object that a text means: its number, or `-` for none, or its name.
///
/// # Errors
/// Undefined table, type, function …
pub(super) fn resolve(visible: &Visible, kind: ObjectKind, text: &str) -> Result<Oid> {
    if text == "-" {
        return Ok(0);
    }
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    look_up(visible, kind, text).ok_or_else(|| {
        if kind == ObjectKind::Class {
            let (schema, name) = parse_name(text);
            return undefined_relation(&QualifiedName::new(
                schema.unwrap_or_else(|| "public".to_owned()),
                name,
            ));
        }
        Error::new(kind.error_kind(), format!("{} \"{text}\" does not exist", kind.word()))
    })
}

fn look_up(visible: &Visible, kind: ObjectKind, text: &str) -> Option<Oid> {
    let entities = visible.entities();
    let (schema, name) = parse_name(text);
    match kind {
        ObjectKind::Class => entities.relation_named(schema.as_deref(), &name).map(|relation| relation.oid),
        ObjectKind::Type => types::resolve(text).map(|(oid, _)| oid),
        ObjectKind::Procedure | ObjectKind::Signature => {
            let name = name.split('(').next().unwrap_or(&name);
            let ours = entities.functions.iter().find(|function| function.name == name);
            let fixed = || fixed_procedures().iter().find(|(_, known)| known.name == name);
            ours.map(|function| function.oid).or_else(|| fixed().map(|(oid, _)| *oid))
        }
        ObjectKind::Namespace => entities.schema(&name).map(|schema| schema.oid),
        ObjectKind::Role => entities.role(&name).map(|role| role.oid),
        ObjectKind::Operator => None,
    }
}

/// How PostgreSQL prints the object: qualified where its name alone would mean something else.
fn show(visible: &Visible, kind: ObjectKind, oid: Oid) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let entities = visible.entities();
    let name = match kind {
        ObjectKind::Class => relation_name(entities, oid),
        ObjectKind::Type => types::by_oid(oid).map(|_| types::format_type(oid, None)),
        ObjectKind::Procedure => {
            let ours = entities.function(oid).map(|function| function.name.clone());
            ours.or_else(|| fixed_procedures().get(&oid).map(|found| found.name.to_owned()))
        }
        ObjectKind::Signature => signature(entities, oid),
        ObjectKind::Namespace => {
            entities.schemas.iter().find(|schema| schema.oid == oid).map(|schema| quote_ident(&schema.name))
        }
        ObjectKind::Role => {
            entities.roles.iter().find(|role| role.oid == oid).map(|role| quote_ident(&role.name))
        }
        ObjectKind::Operator => None,
    };
    name.unwrap_or_else(|| oid.to_string())
}

/// What a value of `regclass` and its kin shows.
pub(in crate::pg_catalog) fn object_name(visible: &Visible, type_oid: u32, number: i64) -> String {
    let kind = match type_oid {
        oid::REGCLASS => ObjectKind::Class,
        oid::REGTYPE => ObjectKind::Type,
        oid::REGPROC => ObjectKind::Procedure,
        oid::REGPROCEDURE => ObjectKind::Signature,
        oid::REGNAMESPACE => ObjectKind::Namespace,
        oid::REGROLE => ObjectKind::Role,
        _ => ObjectKind::Operator,
    };
    Oid::try_from(number).map_or_else(|_| number.to_string(), |number| show(visible, kind, number))
}

/// `lower(text)`
fn signature(entities: &Entities, oid: Oid) -> Option<String> {
    let (name, types) = match entities.function(oid) {
        Some(function) => (quote_ident(&function.name), function.argument_types.clone()),
        None => {
            fixed_procedures().get(&oid).map(|found| (quote_ident(found.name), found.argument_types()))?
        }
    };
    let types: Vec<String> = types.into_iter().map(|oid| types::format_type(oid, None)).collect();
    Some(format!("{name}({})", types.join(",")))
}

fn relation_name(entities: &Entities, oid: Oid) -> Option<String> {
    let relation = entities.relation(oid)?;
    let name = quote_ident(&relation.name);
    if entities.is_visible(oid) == Some(true) || relation.schema == PG_CATALOG {
        return Some(name);
    }
    Some(format!("{}.{name}", quote_ident(&relation.schema)))
}

/// Schema and name of `x.feedback`, `"X"."Feed.back"`; unquoted parts are folded to lower case.
pub(in crate::pg_catalog) fn parse_name(text: &str) -> (Option<String>, String) {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                push(&mut parts, '"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            letter if quoted => push(&mut parts, letter),
            // Around the point.
            letter if letter.is_whitespace() => {}
            letter => letter.to_lowercase().for_each(|lower| push(&mut parts, lower)),
        }
    }
    let name = parts.pop().unwrap_or_default();
    (parts.pop(), name)
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

/// In double quotes, unless the name is plain: lower-case letters, digits, underscores.
pub(in crate::pg_catalog) fn quote_ident(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Words that PostgreSQL reserves.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];
