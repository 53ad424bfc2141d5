//! `DateStyle`: how dates are printed, and in which order day, month and year are read.

use voxhouse_engine::{Error, Result};

const STYLES: [&str; 4] = ["ISO", "SQL", "Postgres", "German"];

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
            "german" => {
                note(&mut style, "German");
                order = order.or(Some("DMY"));
            }
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
    let style = style.or(STYLES.into_iter().find(|known| *known == current_style)).unwrap_or("ISO");
    if style != "ISO" {
        return Err(Error::not_supported(format!("DateStyle \"{style}\" is not supported"))
            .with_hint("Dates are printed as ISO 8601; DMY, MDY or YMD can be chosen for reading them."));
    }
    Ok(format!("{style}, {}", order.unwrap_or(current_order)))
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
        assert_eq!(parse("SQL", "ISO, MDY").unwrap_err().sqlstate(), "0A000");
    }
}
