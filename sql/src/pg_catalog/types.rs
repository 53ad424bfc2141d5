//! The types of `pg_type`: names, modifiers, and the way SQL spells them.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow::datatypes::Field;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::catalog::{Oid, SqlType};

pub(super) const TEXT: Oid = 25;
const NUMERIC: Oid = 1700;
const BPCHAR: Oid = 1042;
pub(super) const VARCHAR: Oid = 1043;

pub(super) struct Type {
    pub(super) oid: Oid,
    pub(super) name: &'static str,
    pub(super) length: i16,
    pub(super) by_value: bool,
    pub(super) element: Oid,
    pub(super) array: Oid,
    pub(super) align: &'static str,
    pub(super) storage: &'static str,
    pub(super) collation: Oid,
}

pub(super) const ROWS: &str = include_str!("rows/pg_type.tsv");

static TYPES: LazyLock<HashMap<Oid, Type>> =
    LazyLock::new(|| rows().into_iter().map(|one| (one.oid, one)).collect());

static BY_NAME: LazyLock<HashMap<&str, Oid>> =
    LazyLock::new(|| TYPES.values().map(|one| (one.name, one.oid)).collect());

/// How SQL spells a type, where that is not its name in `pg_type`.
const SPELLINGS: &[(&str, &str)] = &[
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("bpchar", "character"),
    ("varchar", "character varying"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("varbit", "bit varying"),
    ("char", "\"char\""),
];

/// Other words that mean a type.
const ALIASES: &[(&str, &str)] =
    &[("int", "int4"), ("decimal", "numeric"), ("float", "float8"), ("char", "bpchar"), ("string", "text")];

fn rows() -> Vec<Type> {
    let mut lines = ROWS.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap_or(usize::MAX);
    let [oid, name, length, by_value, element, array, align, storage, collation] = [
        "oid",
        "typname",
        "typlen",
        "typbyval",
        "typelem",
        "typarray",
        "typalign",
        "typstorage",
        "typcollation",
    ]
    .map(place);
    lines
        .filter_map(|line| {
            let row: Vec<&'static str> = line.split('\t').collect();
            let number = |place: usize| row.get(place)?.parse::<Oid>().ok();
            Some(Type {
                oid: number(oid)?,
                name: row.get(name)?,
                length: row.get(length)?.parse().ok()?,
                by_value: *row.get(by_value)? == "t",
                element: number(element)?,
                array: number(array)?,
                align: row.get(align)?,
                storage: row.get(storage)?,
                collation: number(collation)?,
            })
        })
        .collect()
}

pub(super) fn by_oid(oid: Oid) -> Option<&'static Type> {
    TYPES.get(&oid)
}

/// Whether values of the type are arrays, rather than vectors or scalars.
pub(super) fn is_array(one: &Type) -> bool {
    one.element != 0 && one.length == -1 && one.storage != "p"
}

/// The type and its modifier (−1: none) of `text`, `pg_catalog.int4`, `numeric(18,2)`, `"char"`, `_text`,
/// `timestamp(3) with time zone[]`.
pub(super) fn resolve(text: &str) -> Option<(Oid, i32)> {
    let text = text.trim();
    if let Some(element) = text.strip_suffix("[]") {
        let (element, modifier) = resolve(element)?;
        let array = by_oid(element)?.array;
        return (array != 0).then_some((array, modifier));
    }
    let text = text.strip_prefix("pg_catalog.").or(text.strip_prefix("\"pg_catalog\".")).unwrap_or(text);
    if let Some(quoted) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return BY_NAME.get(quoted).map(|oid| (*oid, -1));
    }
    let lower = text.to_lowercase();
    let (base, arguments) = match lower.split_once('(') {
        Some((base, rest)) => {
            let (arguments, suffix) = rest.split_once(')')?;
            (format!("{}{suffix}", base.trim_end()), Some(arguments))
        }
        None => (lower, None),
    };
    let base = base.as_str();
    let name = ALIASES.iter().find(|(alias, _)| *alias == base).map(|(_, name)| *name);
    let name = name.or_else(|| SPELLINGS.iter().find(|(_, sql)| *sql == base).map(|(name, _)| *name));
    let oid = *BY_NAME.get(name.unwrap_or(base))?;
    let modifier = match arguments {
        Some(arguments) => modifier(oid, arguments),
        None if matches!(base, "char" | "character") => 1 + 4,
        None => -1,
    };
    Some((oid, modifier))
}

fn modifier(oid: Oid, arguments: &str) -> i32 {
    let mut numbers = arguments.split(',').map(|number| number.trim().parse::<i32>().unwrap_or(0));
    let first = numbers.next().unwrap_or(0);
    match oid {
        NUMERIC => ((first << 16) | (numbers.next().unwrap_or(0) & 0x7ff)) + 4,
        BPCHAR | VARCHAR => first + 4,
        _ => first,
    }
}

/// PostgreSQL's `format_type`: `None` for a modifier is SQL's NULL.
pub(super) fn format_type(oid: Oid, modifier: Option<i32>) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let Some(found) = by_oid(oid) else { return "???".to_owned() };
    if is_array(found) {
        return format!("{}[]", format_type(found.element, modifier));
    }
    let spelling = SPELLINGS.iter().find(|(name, _)| *name == found.name).map(|(_, sql)| *sql);
    match (oid, modifier) {
        (NUMERIC, Some(modifier)) if modifier >= 0 => {
            let packed = modifier - 4;
            format!("numeric({},{})", packed >> 16, packed & 0x7ff)
        }
        (BPCHAR | VARCHAR, Some(modifier)) if modifier >= 4 => {
            format!("{}({})", spelling.unwrap_or(found.name), modifier - 4)
        }
        (BPCHAR, Some(_)) => "bpchar".to_owned(),
        (_, Some(modifier)) if modifier >= 0 && found.name.starts_with("time") => {
            with_digits(spelling.unwrap_or(found.name), modifier)
        }
        _ => spelling.unwrap_or(found.name).to_owned(),
    }
}

/// `timestamp(3) with time zone`
fn with_digits(spelling: &str, digits: i32) -> String {
    match spelling.split_once(' ') {
        Some((word, rest)) => format!("{word}({digits}) {rest}"),
        None => format!("{spelling}({digits})"),
    }
}

/// The type of a column of the catalog.
pub(super) fn of_sql_type(sql_type: &SqlType) -> (Oid, i32) {
    resolve(&sql_type.to_string()).unwrap_or((TEXT, -1))
}

/// The type of a column of a virtual relation.
pub(super) fn of_field(field: &Field) -> (Oid, i32) {
    let named = field.metadata().get(TYPE_KEY).and_then(|name| resolve(name));
    named.unwrap_or_else(|| {
        SqlType::from_arrow(field.data_type()).map_or((TEXT, -1), |found| of_sql_type(&found))
    })
}
