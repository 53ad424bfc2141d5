//! `regexp_matches` as a list of its rows, for [`crate::query::spelling`] to unnest.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use regex::Regex;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::kernel::Kernel;

pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let texts = DataType::new_list(DataType::Utf8, true);
    let takes = vec![DataType::Utf8, DataType::Utf8, DataType::Utf8];
    let rows = DataType::new_list(texts, true);
    let matches = Kernel { name: "regexp_matches_list", takes, gives: rows, run: matches_of };
    [matches.function()].into_iter()
}

/// Text, pattern and flags: a list of what the groups of each match hold, or of the match where there are no groups.
fn matches_of(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let [texts, patterns, flags] = columns else {
        return Err(Error::internal("regexp_matches takes two or three arguments"));
    };
    let [texts, patterns, flags] = [texts, patterns, flags].map(|column| column.as_string::<i32>());
    let mut rows = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    let mut known: Option<(String, Regex)> = None;
    for row in 0..texts.len() {
        if [texts, patterns, flags].iter().any(|column| column.is_null(row)) {
            rows.append(true);
            continue;
        }
        let (written, is_global) = with_flags(patterns.value(row), flags.value(row))?;
        if known.as_ref().is_none_or(|(known, _)| *known != written) {
            known = Some((written.clone(), compile(&written)?));
        }
        if let Some((_, pattern)) = &known {
            put_matches(&mut rows, pattern, row_text(texts, row), is_global);
        }
        rows.append(true);
    }
    Ok(Arc::new(rows.finish()))
}

fn row_text(texts: &StringArray, row: usize) -> &str {
    texts.value(row)
}

fn put_matches(
    rows: &mut ListBuilder<ListBuilder<StringBuilder>>,
    pattern: &Regex,
    text: &str,
    is_global: bool,
) {
    let limit = if is_global { usize::MAX } else { 1 };
    for found in pattern.captures_iter(text).take(limit) {
        let first = usize::from(found.len() > 1);
        for group in found.iter().skip(first) {
            rows.values().values().append_option(group.map(|group| group.as_str()));
        }
        rows.values().append(true);
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        Error::new(ErrorKind::InvalidRegularExpression, format!("invalid regular expression: {error}"))
    })
}

/// A pattern with PostgreSQL's flags in front, and whether all matches are asked for.
fn with_flags(pattern: &str, flags: &str) -> Result<(String, bool)> {
    let (mut written, mut is_global) = (String::new(), false);
    for flag in flags.chars() {
        match flag {
            'g' => is_global = true,
            'i' | 's' | 'x' => written.push(flag),
            'n' | 'm' => written.push('m'),
            'c' => {}
            other => {
                let message = format!("invalid regular expression option: \"{other}\"");
                return Err(Error::invalid_argument(message));
            }
        }
    }
    let written = if written.is_empty() { pattern.to_owned() } else { format!("(?{written}){pattern}") };
    Ok((written, is_global))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, pattern: &str, flags: &str) -> String {
        let column = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let lists = matches_of(&[column(text), column(pattern), column(flags)]).unwrap();
        arrow::util::display::array_value_to_string(&lists, 0).unwrap()
    }

    #[test]
    fn a_row_is_what_the_groups_hold() {
        assert_eq!(matches("foobarbequebaz", "(bar)(beque)", ""), "[[bar, beque]]");
        assert_eq!(matches("ab ab", "a.", "g"), "[[ab], [ab]]");
        assert_eq!(matches("ab", "x", ""), "[]");
        assert_eq!(matches("AB", "a(c)?", "i"), "[[]]");
    }
}
