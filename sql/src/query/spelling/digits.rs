//! Numbers with an exponent: `1.5e-3` is the numeric 0.0015, as in PostgreSQL. What no numeric of ours can hold, such as
//! `1e308`, is a double.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, ExactNumberInfo, Expr, Value, ValueWithSpan};

/// Digits that a numeric can have.
const MAX_DIGITS: usize = 76;

pub(super) fn write_out(expr: &mut Expr) {
    let Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) = &*expr else { return };
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return };
    *expr = match written_out(digits, exponent) {
        Some(number) => Expr::value(Value::Number(number, false)),
        None => Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(Expr::value(Value::SingleQuotedString(text.clone()))),
            data_type: DataType::Double(ExactNumberInfo::None),
            array: false,
            format: None,
        },
    };
}

/// The number without an exponent. With a point in any case: without one it would be an integer.
fn written_out(digits: &str, exponent: &str) -> Option<String> {
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let all = format!("{whole}{fraction}");
    let length = i64::try_from(all.len()).ok()?;
    let written = if point <= 0 {
        format!("0.{}{all}", "0".repeat(usize::try_from(-point).ok().filter(|zeros| *zeros < MAX_DIGITS)?))
    } else if point >= length {
        format!(
            "{all}{}.",
            "0".repeat(usize::try_from(point - length).ok().filter(|zeros| *zeros < MAX_DIGITS)?)
        )
    } else {
        let (whole, fraction) = all.split_at(usize::try_from(point).ok()?);
        format!("{whole}.{fraction}")
    };
    (written.len() <= MAX_DIGITS).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::written_out;

    #[test]
    fn exponents_are_written_out() {
        assert_eq!(written_out("1", "10").unwrap(), "10000000000.");
        assert_eq!(written_out("1.5", "-3").unwrap(), "0.0015");
        assert_eq!(written_out("12.345", "1").unwrap(), "123.45");
        assert_eq!(written_out("12.345", "+2").unwrap(), "1234.5");
        assert_eq!(written_out(".5", "0").unwrap(), "0.5");
        assert_eq!(written_out("1", "308"), None);
        assert_eq!(written_out("1", "-308"), None);
        assert_eq!(written_out("1", "99999999999999999999"), None);
    }
}
