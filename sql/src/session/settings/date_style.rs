//! `DateStyle`: how dates are printed, and in which order day, month and year are read.

use voxhouse_engine::{Error, Result};

use crate::wire::style::{DateOrder, DateStyle};

/// The setting after `text` was applied to `current`; PostgreSQL's spelling.
pub(super) fn parse(text: &str, current: &str) -> Result<String> {
    let refuse = |detail: String| {
        Error::invalid_argument(format!("invalid value for parameter \"DateStyle\": \"{text}\""))
            .with_detail(detail)
    };
    let (mut style, mut order) = (None::<&str>, None::<&str>);
    let mut conflict = false;
    let mut note = |slot: &mut Option<&'static str>, found: &'static str| {
        conflict |= slot.replace(found).is_some_and(|before| before != found);
    };
    for word in text.split(',').map(str::trim) {
        let lower = word.to_lowercase();
        match lower.as_str() {
            "iso" => note(&mut style, "ISO"),
            "sql" => note(&mut style, "SQL"),
            "german" => note(&mut style, "German"),
            "default" => (style, order) = (style.or(Some("ISO")), order.or(Some("MDY"))),
            "ymd" => note(&mut order, "YMD"),
            "" => return Err(refuse("List syntax is invalid.".to_owned())),
            _ if lower.starts_with("postgres") => note(&mut style, "Postgres"),
            _ if lower == "dmy" || lower.starts_with("euro") => note(&mut order, "DMY"),
            _ if lower == "mdy" || lower == "us" || lower.starts_with("noneuro") => note(&mut order, "MDY"),
            _ => return Err(refuse(format!("Unrecognized key word: \"{word}\"."))),
        }
    }
    if conflict {
        return Err(refuse("Conflicting \"datestyle\" specifications.".to_owned()));
    }
    let (current_style, current_order) = current.split_once(", ").unwrap_or(("ISO", "MDY"));
    // German dates begin with the day, unless another order is asked for.
    let implied = if style == Some("German") { "DMY" } else { current_order };
    Ok(format!("{}, {}", style.unwrap_or(current_style), order.unwrap_or(implied)))
}

/// What a setting means.
pub(super) fn read(setting: &str) -> (DateStyle, DateOrder) {
    let (style, order) = setting.split_once(", ").unwrap_or((setting, ""));
    let style = match style {
        "SQL" => DateStyle::Sql,
        "Postgres" => DateStyle::Postgres,
        "German" => DateStyle::German,
        _ => DateStyle::Iso,
    };
    let order = match order {
        "DMY" => DateOrder::DayMonthYear,
        "YMD" => DateOrder::YearMonthDay,
        _ => DateOrder::MonthDayYear,
    };
    (style, order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_order_are_apart() {
        assert_eq!(parse("ISO", "ISO, DMY").unwrap(), "ISO, DMY");
        assert_eq!(parse("dmy", "ISO, MDY").unwrap(), "ISO, DMY");
        assert_eq!(parse("iso, ymd", "ISO, MDY").unwrap(), "ISO, YMD");
        assert_eq!(parse("European", "ISO, MDY").unwrap(), "ISO, DMY");
        assert_eq!(parse("foo", "ISO, MDY").unwrap_err().detail(), Some("Unrecognized key word: \"foo\"."));
        assert_eq!(parse("us, dmy", "ISO, MDY").unwrap_err().sqlstate(), "22023");
        assert_eq!(parse("SQL", "ISO, YMD").unwrap(), "SQL, YMD");
        assert_eq!(parse("german", "ISO, MDY").unwrap(), "German, DMY");
        assert_eq!(parse("German, US", "ISO, DMY").unwrap(), "German, MDY");
        assert_eq!(parse("default", "German, DMY").unwrap(), "ISO, MDY");
        assert_eq!(read("Postgres, YMD"), (DateStyle::Postgres, DateOrder::YearMonthDay));
    }
}
