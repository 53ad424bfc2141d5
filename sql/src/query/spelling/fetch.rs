//! `FETCH FIRST 10 ROWS ONLY` is LIMIT.

use datafusion::sql::sqlparser::ast::{Fetch, LimitClause, Query};

use crate::dialect::build;

/// WITH TIES and percentages stay, and are refused by the planner.
pub(super) fn as_limit(query: &mut Query) {
    let Some(Fetch { with_ties: false, percent: false, quantity }) = &query.fetch else { return };
    let wanted = Some(quantity.clone().unwrap_or_else(|| build::number(1)));
    let clause = match query.limit_clause.take() {
        None => LimitClause::LimitOffset { limit: wanted, offset: None, limit_by: Vec::new() },
        Some(LimitClause::LimitOffset { limit: None, offset, limit_by }) => {
            LimitClause::LimitOffset { limit: wanted, offset, limit_by }
        }
        other => {
            query.limit_clause = other;
            return;
        }
    };
    query.limit_clause = Some(clause);
    query.fetch = None;
}
