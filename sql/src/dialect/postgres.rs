//! PostgreSQL's dialect as sqlparser has it, but for three things. There a named argument may be named by any expression, so
//! the parser reads each argument of a function twice, and functions in functions take time that doubles with each level:
//! here an argument is named by a name or a string. There `a IS DISTINCT FROM b AND c` compares with `b AND c`. And there is
//! no `BETWEEN SYMMETRIC`.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};
use datafusion::sql::sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

static POSTGRES: PostgreSqlDialect = PostgreSqlDialect {};

#[derive(Debug)]
pub(super) struct Postgres;

/// What is as it is there.
macro_rules! as_there {
    ($($name:ident)*) => {
        $(fn $name(&self) -> bool {
            POSTGRES.$name()
        })*
    };
}

impl Dialect for Postgres {
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        POSTGRES.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        POSTGRES.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        POSTGRES.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        POSTGRES.is_identifier_part(ch)
    }

    fn is_reserved_for_identifier(&self, kw: Keyword) -> bool {
        POSTGRES.is_reserved_for_identifier(kw)
    }

    fn is_custom_operator_part(&self, ch: char) -> bool {
        POSTGRES.is_custom_operator_part(ch)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        POSTGRES.get_next_precedence(parser)
    }

    /// `INSERT … SELECT 'a' ON CONFLICT …`: ON is no heading.
    fn is_column_alias(&self, kw: &Keyword, parser: &mut Parser<'_>) -> bool {
        *kw != Keyword::ON && POSTGRES.is_column_alias(kw, parser)
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        left: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        distinct_from(parser, left, precedence).or_else(|| self.between_symmetric(parser, left))
    }

    fn prec_value(&self, prec: Precedence) -> u8 {
        POSTGRES.prec_value(prec)
    }

    as_there! {
        supports_unicode_string_literal
        supports_filter_during_aggregation
        supports_group_by_expr
        allow_extract_custom
        allow_extract_single_quotes
        supports_create_index_with_clause
        supports_explain_with_utility_options
        supports_listen_notify
        supports_factorial_operator
        supports_bitwise_shift_operators
        supports_comment_on
        supports_load_extension
        supports_named_fn_args_with_colon_operator
        supports_empty_projections
        supports_nested_comments
        supports_string_escape_constant
        supports_numeric_literal_underscores
        supports_array_typedef_with_brackets
        supports_geometric_types
        supports_set_names
        supports_alter_column_type_using
        supports_notnull_operator
        supports_interval_options
        supports_insert_table_alias
        supports_create_table_like_parenthesized
        supports_select_wildcard_with_alias
        supports_comma_separated_trim
        supports_xml_expressions
        supports_comment_optimizer_hint
    }
}

fn distinct_from(parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
    use Keyword::{DISTINCT, FROM, IS, NOT};
    let negated = if parser.parse_keywords(&[IS, DISTINCT, FROM]) {
        false
    } else if parser.parse_keywords(&[IS, NOT, DISTINCT, FROM]) {
        true
    } else {
        return None;
    };
    let left = Box::new(left.clone());
    Some(parser.parse_subexpr(precedence).map(|right| match negated {
        false => Expr::IsDistinctFrom(left, Box::new(right)),
        true => Expr::IsNotDistinctFrom(left, Box::new(right)),
    }))
}

impl Postgres {
    /// `a BETWEEN SYMMETRIC b AND c`: between the two, in whichever order they are.
    fn between_symmetric(&self, parser: &mut Parser<'_>, left: &Expr) -> Option<Result<Expr, ParserError>> {
        use Keyword::{ASYMMETRIC, BETWEEN, NOT, SYMMETRIC};
        let forms: [(&[Keyword], bool, bool); 4] = [
            (&[BETWEEN, SYMMETRIC], false, true),
            (&[NOT, BETWEEN, SYMMETRIC], true, true),
            (&[BETWEEN, ASYMMETRIC], false, false),
            (&[NOT, BETWEEN, ASYMMETRIC], true, false),
        ];
        let (_, negated, symmetric) = forms.into_iter().find(|(words, ..)| parser.parse_keywords(words))?;
        Some(self.bounds(parser).map(|(low, high)| {
            let between = |low: &Expr, high: &Expr| Expr::Between {
                expr: Box::new(left.clone()),
                negated,
                low: Box::new(low.clone()),
                high: Box::new(high.clone()),
            };
            if !symmetric {
                return between(&low, &high);
            }
            let op = if negated { BinaryOperator::And } else { BinaryOperator::Or };
            let (left, right) = (Box::new(between(&low, &high)), Box::new(between(&high, &low)));
            Expr::Nested(Box::new(Expr::BinaryOp { left, op, right }))
        }))
    }

    fn bounds(&self, parser: &mut Parser<'_>) -> Result<(Expr, Expr), ParserError> {
        let precedence = self.prec_value(Precedence::Between);
        let low = parser.parse_subexpr(precedence)?;
        parser.expect_keyword_is(Keyword::AND)?;
        Ok((low, parser.parse_subexpr(precedence)?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::dialect::parse;

    #[test]
    fn functions_in_functions_are_parsed_once() {
        let begun = Instant::now();
        parse(&format!("SELECT {}1{}", "abs(".repeat(40), ")".repeat(40))).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        for named in ["SELECT f(a => 1)", "SELECT f(a := 1, b := 2)", "SELECT json_object('a' : 1)"] {
            parse(named).unwrap();
        }
    }
}
