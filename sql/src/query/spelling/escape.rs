//! `LIKE … ESCAPE`: patterns in which another character than the backslash makes the next one plain.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{Expr, Value, ValueWithSpan};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::call;

/// PostgreSQL's `like_escape(pattern, escape)`: the pattern as it is written with backslashes.
pub(super) fn like_escape() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(LikeEscape { signature: Signature::string(2, Volatility::Immutable) }))
}

pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expr else {
        return Ok(());
    };
    let Some(escape) = escape_char.take() else { return Ok(()) };
    let Value::SingleQuotedString(escape) = escape.value else {
        return Err(Error::not_supported("ESCAPE takes a literal of one character"));
    };
    if escape == "\\" {
        return Ok(());
    }
    **pattern = match pattern.as_ref() {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => {
            Expr::value(Value::SingleQuotedString(with_backslashes(text, &escape)?))
        }
        other => {
            let escape = Expr::value(Value::SingleQuotedString(escape));
            call("like_escape", vec![other.clone(), escape])
        }
    };
    Ok(())
}

fn with_backslashes(pattern: &str, escape: &str) -> Result<String> {
    let mut letters = escape.chars();
    let (escape, None) = (letters.next(), letters.next()) else {
        return Err(Error::new(ErrorKind::InvalidEscapeSequence, "invalid escape string")
            .with_hint("Escape string must be empty or one character."));
    };
    let mut written = String::with_capacity(pattern.len());
    let mut pattern = pattern.chars();
    while let Some(letter) = pattern.next() {
        match letter {
            letter if Some(letter) == escape => {
                written.push('\\');
                written.extend(pattern.next());
            }
            '\\' => written.push_str("\\\\"),
            letter => written.push(letter),
        }
    }
    Ok(written)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LikeEscape {
    signature: Signature,
}

impl ScalarUDFImpl for LikeEscape {
    fn name(&self) -> &str {
        "like_escape"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [patterns, escapes] = take_function_args(self.name(), arrays)?;
        let (patterns, escapes) = (cast(&patterns, &DataType::Utf8)?, cast(&escapes, &DataType::Utf8)?);
        let pairs = patterns.as_string::<i32>().iter().zip(escapes.as_string::<i32>());
        let written = pairs.map(|pair| match pair {
            (Some(pattern), Some(escape)) => with_backslashes(pattern, escape).map(Some),
            _ => Ok(None),
        });
        let written: ArrayRef = Arc::new(written.collect::<Result<StringArray>>()?);
        Ok(ColumnarValue::Array(written))
    }
}

#[cfg(test)]
mod tests {
    use super::with_backslashes;

    #[test]
    fn patterns_are_written_with_backslashes() {
        let written = |pattern, escape| with_backslashes(pattern, escape).unwrap();
        assert_eq!(written("pg/_%", "/"), "pg\\_%");
        assert_eq!(written("a//b", "/"), "a\\/b");
        assert_eq!(written("c:\\x", "#"), "c:\\\\x");
        assert_eq!(written("100\\%", ""), "100\\\\%");
        assert_eq!(written("百分之#%", "#"), "百分之\\%");
        assert!(with_backslashes("a", "ab").is_err());
    }
}
