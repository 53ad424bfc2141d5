//! The patterns of SIMILAR TO: `%` and `_` of LIKE beside `|`, `*`, `+`, `?`, `{…}`, `(…)` and `[…]`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::kernel::Kernel;

pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let takes = vec![DataType::Utf8];
    let similar = Kernel { name: "similar_to_escape", takes, gives: DataType::Utf8, run: patterns };
    [similar.function()].into_iter()
}

fn patterns(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let [patterns] = columns else { return Err(Error::internal("similar_to_escape takes one argument")) };
    let regular = patterns
        .as_string::<i32>()
        .iter()
        .map(|pattern| pattern.map(|pattern| to_regular(pattern, Some('\\'))).transpose())
        .collect::<Result<StringArray>>()?;
    Ok(Arc::new(regular))
}

/// The regular expression for a whole text.
///
/// # Errors
/// Invalid escape sequence, for an escape with nothing behind it.
pub fn to_regular(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut regular = String::from("^(?s:");
    let mut letters = pattern.chars();
    let mut is_in_class = false;
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            let escaped = letters.next().ok_or_else(|| {
                Error::new(ErrorKind::InvalidEscapeSequence, "invalid escape sequence")
                    .with_hint("The escape character is the last of the pattern.")
            })?;
            push_plain(&mut regular, escaped);
            continue;
        }
        match letter {
            ']' if is_in_class => {
                is_in_class = false;
                regular.push(']');
            }
            '\\' => regular.push_str("\\\\"),
            '&' | '~' | '[' if is_in_class => push_plain(&mut regular, letter),
            other if is_in_class => regular.push(other),
            '[' => {
                is_in_class = true;
                regular.push('[');
            }
            '%' => regular.push_str(".*"),
            '_' => regular.push('.'),
            '(' => regular.push_str("(?:"),
            '|' | '*' | '+' | '?' | '{' | '}' | ')' => regular.push(letter),
            other => push_plain(&mut regular, other),
        }
    }
    regular.push_str(")$");
    Ok(regular)
}

fn push_plain(regular: &mut String, letter: char) {
    regular.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn is_similar(text: &str, pattern: &str) -> bool {
        Regex::new(&to_regular(pattern, Some('\\')).unwrap()).unwrap().is_match(text)
    }

    #[test]
    fn the_whole_text_has_to_match() {
        assert!(is_similar("abc", "a%"));
        assert!(is_similar("abc", "(a|x)bc"));
        assert!(!is_similar("abc", "b"));
        assert!(is_similar("abc", "%(b|d)%"));
        assert!(!is_similar("abc", "(b|c)%"));
        assert!(is_similar("a.c", "a.c"));
        assert!(!is_similar("abc", "a.c"));
        assert!(is_similar("a%", "a\\%"));
        assert!(!is_similar("ab", "a\\%"));
        assert!(is_similar("b1", "[a-c][0-9]+"));
        assert!(is_similar("你\n好", "你_好"));
    }

    #[test]
    fn an_escape_escapes_something() {
        assert!(to_regular("a\\", Some('\\')).is_err());
        assert!(to_regular("a#", Some('#')).is_err());
    }
}
