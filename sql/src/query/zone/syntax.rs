//! What PostgreSQL's grammar says of times and DataFusion's planner does not: `AT TIME ZONE`, `LOCALTIMESTAMP`,
//! `date_trunc` in a zone.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Statement, TimezoneInfo, VisitMut, VisitorMut,
};

/// Rewrites a statement in place.
pub fn rewrite(statement: &mut Statement) {
    let _ = statement.visit(&mut Rewriter);
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let new = match expression {
            Expr::AtTimeZone { timestamp, time_zone } => {
                Some(call("timezone", vec![(**time_zone).clone(), (**timestamp).clone()]))
            }
            Expr::Function(function) => of_function(function),
            Expr::Identifier(name) if name.quote_style.is_none() => of_word(&name.value),
            _ => None,
        };
        if let Some(new) = new {
            *expression = new;
        }
        ControlFlow::Continue(())
    }
}

fn of_function(function: &Function) -> Option<Expr> {
    let [name] = function.name.0.as_slice() else { return None };
    let name = name.as_ident()?.value.to_lowercase();
    let arguments = match &function.args {
        FunctionArguments::None => return of_word(&name),
        FunctionArguments::List(list) => &list.args,
        FunctionArguments::Subquery(_) => return None,
    };
    if name == "localtimestamp" || name == "localtime" {
        return of_word(&name);
    }
    let plain = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
        _ => None,
    };
    match (name.as_str(), arguments.as_slice()) {
        // The text is of a wall clock, which a cast puts into the session's zone.
        ("to_timestamp", [text, template]) => {
            Some(instant(call("to_clock", vec![plain(text)?, plain(template)?])))
        }
        ("to_timestamp", [seconds]) if !is_text(seconds) => {
            Some(call("__epoch_instant", vec![plain(seconds)?]))
        }
        // In the zone's own clock, and back.
        ("date_trunc", [unit, time, zone]) => {
            let (unit, time, zone) = (plain(unit)?, plain(time)?, plain(zone)?);
            let local = call("timezone", vec![zone.clone(), instant(time)]);
            Some(call("timezone", vec![zone, call("date_trunc", vec![unit, local])]))
        }
        _ => None,
    }
}

fn is_text(argument: &FunctionArg) -> bool {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => {
            crate::dialect::build::literal(expression).is_some()
        }
        _ => false,
    }
}

fn of_word(name: &str) -> Option<Expr> {
    let data_type = match name.to_lowercase().as_str() {
        "localtimestamp" => DataType::Timestamp(None, TimezoneInfo::None),
        "localtime" => DataType::Time(None, TimezoneInfo::None),
        _ => return None,
    };
    Some(cast(call("now", Vec::new()), data_type))
}

fn instant(time: Expr) -> Expr {
    cast(time, DataType::Timestamp(None, TimezoneInfo::WithTimeZone))
}

fn cast(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expression), data_type, array: false, format: None }
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let arguments =
        arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
