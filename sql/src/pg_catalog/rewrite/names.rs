//! Names: `pg_class` is `pg_catalog.pg_class`, `pg_catalog.format_type` is a function of one word, `tableoid` is
//! the relation's number, `current_user` a call.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    ObjectNamePart, Query, Select, SelectItem, Statement, TableFactor, TableWithJoins, Value, Visit, Visitor,
};
use voxhouse_engine::catalog::Oid;

use super::{casts, set_functions};
use crate::dialect::build;
use crate::pg_catalog::definition::{self, Definition};
use crate::pg_catalog::{INFORMATION_SCHEMA, PG_CATALOG, Visible};

/// Functions that PostgreSQL lets one write without parentheses.
const BARE_CALLS: &[&str] =
    &["current_catalog", "current_role", "current_schema", "current_user", "session_user", "user"];

const TABLE_OID: &str = "tableoid";

/// PostgreSQL's word and DataFusion's, where they do the same.
const SYNONYMS: &[(&str, &str)] = &[("array_upper", "array_length"), ("array_cat", "array_concat")];

/// What names mean at a point of the statement.
pub(super) struct Scopes<'a> {
    visible: &'a Visible,
    /// Names that a WITH clause gives anywhere in the statement.
    common: HashSet<String>,
    /// Whether the statement reads the catalog and nothing else.
    catalog_only: bool,
    /// Catalog relations by alias, a map a SELECT, the innermost last.
    aliases: Vec<HashMap<String, Oid>>,
    /// The other relations.
    others: Vec<Vec<Other>>,
}

/// A relation that may be a user's table.
struct Other {
    alias: String,
    schema: Option<String>,
    name: String,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(statement: &Statement, visible: &'a Visible) -> Self {
        let mut names = Names::default();
        let _ = statement.visit(&mut names);
        let catalog_only = names.relations.iter().any(may_be_catalog)
            && names.relations.iter().all(|relation| may_be_catalog(relation) || names.is_common(relation));
        Self { visible, common: names.common, catalog_only, aliases: Vec::new(), others: Vec::new() }
    }

    pub(super) fn enter(&mut self, select: &mut Select) {
        let mut aliases = HashMap::new();
        for table in &mut select.from {
            self.qualify(&mut table.relation);
            aliases.extend(alias_of(&table.relation));
            for join in &mut table.joins {
                self.qualify(&mut join.relation);
                aliases.extend(alias_of(&join.relation));
            }
        }
        self.aliases.push(aliases);
        let relations = select.from.iter().flat_map(|table| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        });
        self.others.push(relations.filter_map(|relation| self.other(relation)).collect());
    }

    pub(super) fn leave(&mut self) {
        self.aliases.pop();
        self.others.pop();
    }

    fn other(&self, factor: &TableFactor) -> Option<Other> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
        if catalog_relation(factor).is_some() {
            return None;
        }
        let parts: Vec<String> =
            name.0.iter().map(|part| part.as_ident().map(folded)).collect::<Option<_>>()?;
        let (schema, name) = match parts.as_slice() {
            [name] if self.common.contains(name) => return None,
            [name] => (None, name.clone()),
            [.., schema, name] => (Some(schema.clone()), name.clone()),
            [] => return None,
        };
        let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| folded(&alias.name));
        Some(Other { alias, schema, name })
    }

    /// The number of the table that an alias stands for, or of the only relation of the SELECT.
    fn table_oid(&self, alias: Option<&Ident>) -> Option<Oid> {
        let other = match alias {
            Some(alias) => {
                let alias = folded(alias);
                self.others.iter().rev().flatten().find(|other| other.alias == alias)?
            }
            None => match self.others.last()?.as_slice() {
                [only] => only,
                _ => return None,
            },
        };
        let found = self.visible.entities().relation_named(other.schema.as_deref(), &other.name)?;
        let has_own = found.columns.iter().any(|column| column.name == TABLE_OID);
        (matches!(found.kind, 'm' | 'r') && !has_own).then_some(found.oid)
    }

    /// Gives a relation of the catalog its schema, as if that came first in the search path.
    pub(super) fn qualify(&self, factor: &mut TableFactor) {
        let TableFactor::Table { name, args, .. } = factor else { return };
        if let Some(arguments) = args {
            strip_schema(name);
            match word(&name.0).as_deref() {
                Some("unnest") => {
                    let arguments = std::mem::take(&mut arguments.args);
                    unnest(factor, arguments);
                }
                Some("generate_series") => {
                    arguments.args.iter_mut().for_each(widen_bound);
                    if self.catalog_only {
                        count_in_integers(factor);
                    }
                }
                _ => set_functions::rewrite(factor),
            }
            return;
        }
        if let [part] = name.0.as_slice()
            && let Some(word) = part.as_ident().map(folded)
            && !self.common.contains(&word)
            && definition::find(PG_CATALOG, &word).is_some()
            && self.visible.entities().has_implicit_catalog()
        {
            name.0.insert(0, ObjectNamePart::Identifier(Ident::new(PG_CATALOG)));
        }
    }

    /// Resolves the names of one expression.
    pub(super) fn resolve(&self, expr: &mut Expr) {
        match expr {
            Expr::Function(function) => {
                resolve_function(function);
                if self.catalog_only {
                    empty_lists(function);
                }
                let counted = || count_as_integer(function);
                if let Some(new) = subscripts(function).or_else(|| lower_bound(function)).or_else(counted) {
                    *expr = new;
                }
            }
            Expr::Identifier(name) if self.catalog_only && folded(name) == "xmin" => {
                *expr = old_transaction();
            }
            Expr::Identifier(name) if folded(name) == TABLE_OID => {
                if let Some(oid) = self.table_oid(None) {
                    *expr = casts::to_oid(build::number(oid.into()));
                }
            }
            Expr::Identifier(name)
                if name.quote_style.is_none() && BARE_CALLS.contains(&folded(name).as_str()) =>
            {
                *expr = build::call(&folded(name), Vec::new());
            }
            Expr::CompoundIdentifier(parts)
                if parts.len() > 1
                    && parts.last().is_some_and(|column| folded(column) == TABLE_OID)
                    && let Some(oid) = self.table_oid(parts.get(parts.len() - 2)) =>
            {
                *expr = casts::to_oid(build::number(oid.into()));
            }
            Expr::CompoundIdentifier(parts) => {
                if let [alias, column] = parts.as_slice()
                    && let Some(oid) = self.aliases.iter().rev().find_map(|scope| scope.get(&folded(alias)))
                {
                    match folded(column).as_str() {
                        TABLE_OID => *expr = build::number((*oid).into()),
                        "xmin" => *expr = old_transaction(),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// The transaction that made a row of the catalog: one of long ago, `BootstrapTransactionId`.
fn old_transaction() -> Expr {
    let xid = DataType::Custom(ObjectName::from(vec![Ident::new("xid")]), Vec::new());
    build::cast(build::number(1), xid)
}

fn resolve_function(function: &mut Function) {
    strip_schema(&mut function.name);
    let Some(name) = word(&function.name.0) else { return };
    if let Some((_, ours)) = SYNONYMS.iter().find(|(theirs, _)| *theirs == name) {
        function.name = ObjectName::from(vec![Ident::new(*ours)]);
    }
}

/// `coalesce(list, '{}')`: over the catalog, which has no JSON, the text is that of a list.
fn empty_lists(function: &mut Function) {
    if word(&function.name.0).is_none_or(|name| name != "coalesce") {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    for argument in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument
            && build::literal(expr) == Some("{}")
        {
            *expr = build::array(Vec::new());
        }
    }
}

/// `generate_subscripts(list, 1)` in the output counts along with `unnest(list)`.
fn subscripts(function: &Function) -> Option<Expr> {
    if word(&function.name.0)? != "generate_subscripts" {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(of)) = list.args.first()? else { return None };
    let length = build::call("array_length", vec![of.clone()]);
    let last = build::cast(length, DataType::BigInt(None));
    let series = build::call("generate_series", vec![build::number(1), last]);
    // PostgreSQL counts in integers.
    Some(build::call("unnest", vec![build::cast(series, build::array_of(DataType::Integer(None)))]))
}

/// A bound of `generate_series` that counts elements; DataFusion's takes bigints.
fn widen_bound(argument: &mut FunctionArg) {
    if let FunctionArg::Unnamed(FunctionArgExpr::Expr(bound)) = argument
        && counts(bound)
    {
        let counted = std::mem::replace(bound, build::null());
        *bound = build::cast(counted, DataType::BigInt(None));
    }
}

/// `generate_series(1, 32) AS pos (n)` as a query of integers: DataFusion's are bigints.
fn count_in_integers(factor: &mut TableFactor) {
    let TableFactor::Table { alias, args: Some(arguments), with_ordinality: false, .. } = &*factor else {
        return;
    };
    let is_integer = |bound: &FunctionArg| match bound {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => match &value.value {
            Value::Number(digits, _) => digits.parse::<i32>().is_ok(),
            _ => false,
        },
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Cast { expr, .. })) => counts(expr),
        _ => false,
    };
    if !arguments.args.iter().all(is_integer) {
        return;
    }
    let mut alias = alias.clone().unwrap_or_else(|| build::alias(Ident::new("generate_series")));
    if alias.columns.is_empty() {
        alias.columns = build::columns(&[&folded(&alias.name)]);
    }
    let inner = std::mem::replace(factor, build::table(ObjectName(Vec::new()), alias.clone()));
    let number = build::cast(Expr::Identifier(Ident::new("value")), DataType::Integer(None));
    let from = TableWithJoins { relation: settled(inner), joins: Vec::new() };
    *factor = build::derived(build::select(vec![SelectItem::UnnamedExpr(number)], vec![from]), alias);
}

/// The call by itself, its bounds in parentheses: so it is left alone when it is come across again.
fn settled(mut factor: TableFactor) -> TableFactor {
    if let TableFactor::Table { alias, args: Some(arguments), .. } = &mut factor {
        *alias = None;
        for argument in &mut arguments.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(bound)) = argument {
                let inner = std::mem::replace(bound, build::null());
                *bound = Expr::Nested(Box::new(inner));
            }
        }
    }
    factor
}

/// Whether an expression is a number of elements.
fn counts(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    word(&function.name.0).is_some_and(|name| name.starts_with("array_") || name == "cardinality")
}

/// PostgreSQL counts elements in integers.
fn count_as_integer(function: &Function) -> Option<Expr> {
    let counts = matches!(word(&function.name.0)?.as_str(), "array_length" | "cardinality");
    counts.then(|| build::cast(Expr::Function(function.clone()), DataType::Integer(None)))
}

/// `array_lower(list, 1)`: every list begins at 1, and an empty one has no bounds.
fn lower_bound(function: &Function) -> Option<Expr> {
    if word(&function.name.0)? != "array_lower" {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(of)) = list.args.first()? else { return None };
    let length = build::cast(build::call("array_length", vec![of.clone()]), DataType::Integer(None));
    Some(build::call("least", vec![length, build::number(1)]))
}

/// Drops `pg_catalog.` from a function's name.
fn strip_schema(name: &mut ObjectName) {
    if let [schema, _] = name.0.as_slice()
        && schema.as_ident().is_some_and(|schema| folded(schema) == PG_CATALOG)
    {
        name.0.remove(0);
    }
}

/// `unnest(list) AS x` as DataFusion has it.
fn unnest(factor: &mut TableFactor, arguments: Vec<FunctionArg>) {
    let TableFactor::Table { alias, with_ordinality, .. } = factor else { return };
    let array_exprs = arguments
        .into_iter()
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect();
    *factor = TableFactor::UNNEST {
        alias: alias.take(),
        array_exprs,
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: *with_ordinality,
    };
}

/// The definition of a qualified catalog relation.
pub(super) fn catalog_relation(factor: &TableFactor) -> Option<&'static Definition> {
    let TableFactor::Table { name, args: None, .. } = factor else { return None };
    let [.., schema, table] = name.0.as_slice() else { return None };
    definition::find(&folded(schema.as_ident()?), &folded(table.as_ident()?))
}

/// Whether the factor is a catalog relation, with its schema or without.
pub(super) fn may_be_catalog(factor: &TableFactor) -> bool {
    let TableFactor::Table { name, args: None, .. } = factor else { return false };
    let bare = word(&name.0).is_some_and(|name| definition::find(PG_CATALOG, &name).is_some());
    bare || catalog_relation(factor).is_some()
}

/// Whether the name is of a schema of this module.
pub(super) fn is_catalog_schema(name: &str) -> bool {
    name == PG_CATALOG || name == INFORMATION_SCHEMA
}

fn alias_of(factor: &TableFactor) -> Option<(String, Oid)> {
    let definition = catalog_relation(factor)?;
    let TableFactor::Table { alias, .. } = factor else { return None };
    let name = alias.as_ref().map_or_else(|| definition.name.to_owned(), |alias| folded(&alias.name));
    Some((name, definition.oid))
}

/// An unquoted name in lower case.
pub(super) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// A name of one part.
pub(super) fn word(parts: &[ObjectNamePart]) -> Option<String> {
    match parts {
        [part] => part.as_ident().map(folded),
        _ => None,
    }
}

/// What a statement names, before anything is rewritten.
#[derive(Default)]
struct Names {
    common: HashSet<String>,
    relations: Vec<TableFactor>,
}

impl Names {
    fn is_common(&self, relation: &TableFactor) -> bool {
        let TableFactor::Table { name, .. } = relation else { return true };
        word(&name.0).is_some_and(|name| self.common.contains(&name))
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.common.extend(tables.map(|table| folded(&table.alias.name)));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if matches!(factor, TableFactor::Table { args: None, .. }) {
            self.relations.push(factor.clone());
        }
        ControlFlow::Continue(())
    }
}
