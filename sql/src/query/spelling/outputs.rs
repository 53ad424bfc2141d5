//! `SELECT interval '1 day', interval '24 hours' * 1`: DataFusion names an output after what it computes, and refuses two of
//! one name. Where that happens, they get names of their own.

use std::ops::ControlFlow;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::ast::{Ident, Select, SelectItem, Statement, VisitMut, VisitorMut};

/// Whether this is why a statement could not be planned.
pub fn outputs_collide(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::Plan(message) => message.contains("require unique expression names"),
        DataFusionError::SchemaError(schema, _) => {
            matches!(schema.as_ref(), SchemaError::DuplicateUnqualifiedField { .. })
        }
        _ => false,
    }
}

/// Names every output that has no name. What clients see comes from the text of the query.
pub fn name_outputs(statement: &mut Statement) {
    let _ = statement.visit(&mut Namer { given: 0 });
}

struct Namer {
    given: usize,
}

impl VisitorMut for Namer {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            self.given += 1;
            let alias = Ident::with_quote('"', format!("?output{}?", self.given));
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
        ControlFlow::Continue(())
    }
}
