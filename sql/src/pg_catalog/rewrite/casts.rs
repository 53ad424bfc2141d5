//! Casts to types that only PostgreSQL has: `'x.feedback'::regclass`, `16385::oid`, `'r'::"char"`,
//! `'{a,b}'::text[]`, `indkey::text`.

use std::collections::HashMap;
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, BinaryOperator, DataType, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, ObjectName, Parens, Subscript, TimezoneInfo, Value,
};

use super::names::{folded, is_catalog_schema, word};
use crate::dialect::build;
use crate::pg_catalog::definition;
use crate::pg_catalog::functions::ObjectKind;
use crate::query::types::characters;
use crate::wire::types::oid;

/// What a type becomes.
enum Target {
    /// Two functions: of the number, and of the name to show.
    Object(String),
    Oid,
    Type(DataType),
}

pub(super) fn rewrite(expr: &mut Expr) {
    match expr {
        Expr::Cast { .. } => rewrite_cast(expr),
        Expr::TypedString(typed) => {
            if let Some(text) = typed.value.value.clone().into_string() {
                *expr = match target(&typed.data_type) {
                    Some(target) => apply(target, build::text(&text)),
                    None => read(build::text(&text), typed.data_type.clone()),
                };
            }
        }
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            for side in [left, right] {
                show_name(side);
            }
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq | BinaryOperator::NotEq, right } => {
            read_as_object(left, right);
            read_as_object(right, left);
        }
        Expr::Function(function) if shows_values(&function.name) => show_arguments(function),
        Expr::CompoundFieldAccess { root, access_chain } if is_vector(root) => {
            if let [AccessExpr::Subscript(Subscript::Index { index })] = access_chain.as_mut_slice() {
                count_from_one(index);
            }
        }
        _ => {}
    }
}

fn rewrite_cast(expr: &mut Expr) {
    let Expr::Cast { expr: inner, data_type, .. } = expr else { return };
    if let Some(elements) = array_literal(inner, data_type) {
        *expr = elements;
        return;
    }
    if let (Expr::Array(array), DataType::Array(ArrayElemTypeDef::SquareBracket(item, _))) =
        (inner.as_mut(), &*data_type)
    {
        // The elements are read one by one.
        for element in array.elem.iter_mut().filter(|element| build::literal(element).is_some()) {
            let text = std::mem::replace(element, build::null());
            *element = match target(item) {
                Some(target) => apply(target, text),
                None => read(text, (**item).clone()),
            };
        }
    }
    let target = target(data_type);
    let is_text = matches!(target.as_ref(), Some(Target::Type(DataType::Text)))
        || matches!(data_type, DataType::Text | DataType::Varchar(_) | DataType::CharacterVarying(_));
    if is_text && is_object(inner) {
        show_name(inner);
        *expr = std::mem::replace(inner, build::null());
    } else if is_text && is_vector(inner) {
        let vector = std::mem::replace(inner.as_mut(), build::null());
        *expr = build::call("array_to_string", vec![vector, build::text(" ")]);
    } else if let Some(target) = target {
        let inner = std::mem::replace(inner.as_mut(), build::null());
        *expr = apply(target, inner);
    } else {
        let inner = std::mem::replace(inner.as_mut(), build::null());
        *expr = read(inner, data_type.clone());
    }
}

/// A cast whose text PostgreSQL reads in its own way: by an input function, cut to a length, or with all digits.
fn read(expr: Expr, data_type: DataType) -> Expr {
    let text = build::literal(&expr).map(str::to_owned);
    let is_parameter = matches!(&expr, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    let is_literal = text.is_some();
    let function = match &data_type {
        // The type of a parameter is that of its cast, and the wire reads it.
        _ if is_parameter => None,
        DataType::Uuid => Some("uuid_in"),
        DataType::JSON => Some("json_in"),
        DataType::JSONB => Some("jsonb_in"),
        DataType::Bytea => Some("byteain"),
        DataType::Boolean | DataType::Bool if is_literal => Some("boolin"),
        DataType::SmallInt(_) | DataType::Int2(_) if is_literal => Some("int2in"),
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) if is_literal => Some("int4in"),
        DataType::BigInt(_) | DataType::Int8(_) if is_literal => Some("int8in"),
        DataType::Real | DataType::Float4 if is_literal => Some("float4in"),
        DataType::DoublePrecision | DataType::Float8 if is_literal => Some("float8in"),
        DataType::Date if is_literal => Some("date_in"),
        DataType::Interval { fields: None, precision: None } if is_literal => Some("interval_in"),
        DataType::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) if is_literal => {
            Some("time_in")
        }
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) if is_literal => {
            Some("timestamp_in")
        }
        _ => None,
    };
    if let Some(function) = function {
        return build::cast(build::call(function, vec![expr]), data_type);
    }
    match &data_type {
        DataType::Varchar(length)
        | DataType::CharacterVarying(length)
        | DataType::CharVarying(length)
        | DataType::Char(length)
        | DataType::Character(length) => {
            let is_char = matches!(data_type, DataType::Char(_) | DataType::Character(_));
            match characters(length.as_ref()).or(is_char.then_some(1)) {
                Some(length) => {
                    let length = build::number(i64::try_from(length).unwrap_or(i64::MAX));
                    let text = build::cast(expr, DataType::Text);
                    build::cast(build::call("left", vec![text, length]), data_type)
                }
                None => build::cast(expr, data_type),
            }
        }
        DataType::Numeric(ExactNumberInfo::None) | DataType::Decimal(ExactNumberInfo::None) => {
            let exact = text.and_then(|text| exact_numeric(&text));
            build::cast(expr, exact.unwrap_or(data_type))
        }
        _ => build::cast(expr, data_type),
    }
}

/// Reads the literals of a column of VALUES as the type to which one of its rows is cast.
pub(super) fn agree(rows: &mut [Parens<Vec<Expr>>]) {
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    for column in 0..columns {
        let mut cells = rows.iter_mut().filter_map(|row| row.get_mut(column));
        let data_type = cells.find_map(|cell| match cell {
            Expr::Cast { data_type, .. } => Some(data_type.clone()),
            _ => None,
        });
        let Some(data_type) = data_type else { continue };
        let literals = rows.iter_mut().filter_map(|row| row.get_mut(column));
        for cell in literals.filter(|cell| build::literal(cell).is_some()) {
            let literal = std::mem::replace(cell, build::null());
            *cell = read(literal, data_type.clone());
        }
    }
}

/// Makes a cast one to the stored type alone. The rows of VALUES must not tell different types for a column, and
/// `('…'::uuid), (NULL)` would: one names a type, the other none.
pub(super) fn forget_type(expr: &mut Expr) {
    let Expr::Cast { data_type, .. } = expr else { return };
    if let Some(stored) = stored(data_type) {
        let cast = std::mem::replace(expr, build::null());
        *expr = build::cast(cast, stored);
    }
}

/// The type that stores a type which has a name beside it. `None`: it has none.
fn stored(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Numeric(info) | DataType::Decimal(info) => Some(DataType::Dec(*info)),
        DataType::Uuid
        | DataType::JSON
        | DataType::JSONB
        | DataType::Varchar(_)
        | DataType::CharacterVarying(_)
        | DataType::CharVarying(_)
        | DataType::Nvarchar(_)
        | DataType::Char(_)
        | DataType::Character(_)
        | DataType::Custom(..) => Some(DataType::Text),
        DataType::Array(ArrayElemTypeDef::SquareBracket(item, size)) => {
            stored(item).map(|item| array_of(item, *size))
        }
        _ => None,
    }
}

/// The `numeric(p,s)` that keeps every digit of a literal.
fn exact_numeric(text: &str) -> Option<DataType> {
    let value = crate::wire::read_text(oid::NUMERIC, text, chrono_tz::Tz::UTC.into()).ok()?;
    let (arrow::datatypes::DataType::Decimal128(precision, scale)
    | arrow::datatypes::DataType::Decimal256(precision, scale)) = value.data_type()
    else {
        return None;
    };
    Some(DataType::Numeric(ExactNumberInfo::PrecisionAndScale(precision.into(), scale.into())))
}

fn apply(target: Target, expr: Expr) -> Expr {
    match target {
        Target::Object(name) => build::call(&name, vec![expr]),
        Target::Oid => build::call("oid", vec![expr]),
        Target::Type(data_type) => build::cast(expr, data_type),
    }
}

/// `None`: DataFusion, or the session, knows the type.
fn target(data_type: &DataType) -> Option<Target> {
    match data_type {
        DataType::Regclass => Some(Target::Object("regclass".to_owned())),
        DataType::Custom(name, _) => custom(name),
        DataType::Array(ArrayElemTypeDef::SquareBracket(item, size)) => match target(item)? {
            Target::Type(item) => Some(Target::Type(array_of(item, *size))),
            Target::Oid | Target::Object(_) => Some(Target::Type(array_of(oid_type(), *size))),
        },
        _ => None,
    }
}

/// PostgreSQL's type `"char"`.
fn one_letter() -> DataType {
    DataType::Custom(ObjectName::from(vec![Ident::with_quote('"', "char")]), Vec::new())
}

/// PostgreSQL's type `oid`, which `PostgresTypes` knows.
fn oid_type() -> DataType {
    DataType::Custom(ObjectName::from(vec![Ident::new("oid")]), Vec::new())
}

pub(super) fn to_oid(expr: Expr) -> Expr {
    build::cast(expr, oid_type())
}

fn array_of(item: DataType, size: Option<u64>) -> DataType {
    DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(item), size))
}

fn custom(name: &ObjectName) -> Option<Target> {
    let (schema, last) = match name.0.as_slice() {
        [last] => (None, last.as_ident()?),
        [schema, last] => (Some(folded(schema.as_ident()?)), last.as_ident()?),
        _ => return None,
    };
    let type_name = folded(last);
    if schema.as_deref().is_some_and(|schema| !is_catalog_schema(schema)) {
        return None;
    }
    if ObjectKind::of_type(&type_name).is_some() {
        return Some(Target::Object(type_name));
    }
    let plain = match type_name.as_str() {
        "xid" => DataType::Custom(ObjectName::from(vec![Ident::new("xid")]), Vec::new()),
        "oid" | "cid" => return Some(Target::Oid),
        "char" if last.quote_style.is_some() => one_letter(),
        "name" => DataType::Custom(ObjectName::from(vec![Ident::new("name")]), Vec::new()),
        "bpchar" | "cstring" | "unknown" | "pg_node_tree" | "aclitem" => DataType::Text,
        "sql_identifier" | "character_data" | "yes_or_no" => DataType::Text,
        "cardinal_number" => DataType::Integer(None),
        other if schema.is_some() => standard(other)?,
        _ => return None,
    };
    Some(Target::Type(plain))
}

/// The type of a column of the catalog, as a query casts to it.
pub(super) fn named_type(postgres: &str) -> Option<DataType> {
    if let Some(item) = postgres.strip_suffix("[]") {
        return named_type(item).map(build::array_of);
    }
    let custom = |ident: Ident| DataType::Custom(ObjectName::from(vec![ident]), Vec::new());
    Some(match postgres {
        "\"char\"" => one_letter(),
        "oid" | "name" | "xid" => custom(Ident::new(postgres)),
        "integer" => DataType::Integer(None),
        "smallint" => DataType::SmallInt(None),
        "bigint" => DataType::BigInt(None),
        "json" => DataType::JSON,
        "jsonb" => DataType::JSONB,
        "timestamp with time zone" => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        other => standard(other)?,
    })
}

/// `pg_catalog.int4` and the like, which the parser takes for a type of somebody's own.
fn standard(name: &str) -> Option<DataType> {
    Some(match name {
        "bool" | "boolean" => DataType::Boolean,
        "int2" => DataType::SmallInt(None),
        "int4" => DataType::Integer(None),
        "int8" => DataType::BigInt(None),
        "float4" => DataType::Real,
        "float8" => DataType::DoublePrecision,
        "text" | "varchar" | "bpchar" => DataType::Text,
        "date" => DataType::Date,
        "bytea" => DataType::Bytea,
        _ => return None,
    })
}

/// The text form of an array, cast to an array type.
fn array_literal(expr: &Expr, data_type: &DataType) -> Option<Expr> {
    let DataType::Array(ArrayElemTypeDef::SquareBracket(item, _)) = data_type else { return None };
    let elements = build::array_elements(build::literal(expr)?)?;
    let as_item = |expr: Expr| match target(item) {
        Some(target) => apply(target, expr),
        None => read(expr, (**item).clone()),
    };
    let elements: Vec<Expr> = elements
        .into_iter()
        .map(|element| as_item(element.map_or_else(build::null, |text| build::text(&text))))
        .collect();
    if elements.is_empty() {
        return Some(build::cast(build::array(elements), target_type(data_type)));
    }
    Some(build::array(elements))
}

fn target_type(data_type: &DataType) -> DataType {
    match target(data_type) {
        Some(Target::Type(found)) => found,
        _ => data_type.clone(),
    }
}

/// Functions of anything that write it as text.
fn shows_values(name: &ObjectName) -> bool {
    const NAMES: &[&str] = &[
        "concat",
        "concat_ws",
        "format",
        "json_build_object",
        "jsonb_build_object",
        "quote_literal",
        "quote_nullable",
    ];
    word(&name.0).is_some_and(|name| NAMES.contains(&name.as_str()))
}

fn show_arguments(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    for argument in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument {
            show_name(argument);
        }
    }
}

/// A literal beside an object is one.
fn read_as_object(beside: &Expr, literal: &mut Expr) {
    if build::literal(literal).is_some()
        && let Some(type_name) = object_type(beside)
    {
        let text = std::mem::replace(literal, build::null());
        *literal = build::call(&type_name, vec![text]);
    }
}

fn is_object(expr: &Expr) -> bool {
    object_type(expr).is_some()
}

/// The `reg…` type of a call that gives an object's number, or of a column of the catalog.
fn object_type(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => object_type(inner),
        Expr::Function(function) => word(&function.name.0).filter(|name| ObjectKind::of_type(name).is_some()),
        column => {
            type_of_column(column).filter(|name| ObjectKind::of_type(name).is_some()).map(str::to_owned)
        }
    }
}

/// Turns an object's number into its name.
fn show_name(expr: &mut Expr) {
    if let Expr::Nested(inner) = expr {
        return show_name(inner);
    }
    let Some(type_name) = object_type(expr) else { return };
    let shown = format!("{type_name}out");
    match expr {
        Expr::Function(function) => function.name = ObjectName::from(vec![Ident::new(shown)]),
        _ => {
            let column = std::mem::replace(expr, build::null());
            *expr = build::call(&shown, vec![column]);
        }
    }
}

/// The type of a column of the catalog, if what is so called is of that type in all of its relations.
pub(super) fn type_of_column(expr: &Expr) -> Option<&'static str> {
    static TYPES: LazyLock<HashMap<&str, Option<&str>>> = LazyLock::new(|| {
        let mut types = HashMap::new();
        for column in definition::all().iter().flat_map(|one| one.columns.iter()) {
            let told = types.entry(column.name).or_insert(Some(column.postgres));
            if *told != Some(column.postgres) {
                *told = None;
            }
        }
        types
    });
    let name = match expr {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => parts.last()?,
        Expr::Nested(inner) => return type_of_column(inner),
        _ => return None,
    };
    TYPES.get(folded(name).as_str()).copied().flatten()
}

/// Whether the expression is a column of type `int2vector` or `oidvector`, by its name.
fn is_vector(expr: &Expr) -> bool {
    matches!(type_of_column(expr), Some("int2vector" | "oidvector"))
}

/// The elements of a vector are numbered from 0, those of a list from 1.
fn count_from_one(index: &mut Expr) {
    let old = std::mem::replace(index, build::null());
    *index = Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(old))),
        op: BinaryOperator::Plus,
        right: Box::new(build::number(1)),
    };
}
