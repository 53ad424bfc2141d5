//! Time zones by the names that PostgreSQL takes.
//!
//! A number is hours east of Greenwich, as ISO 8601 counts. A name with a number, such as `UTC+8`, is a POSIX
//! zone, and POSIX counts the hours west: `UTC+8` is eight hours *behind* UTC. `+08:00` is a POSIX zone too.

use chrono_tz::Tz;

/// The zone and the name by which it is shown.
pub fn parse(text: &str) -> Option<(Tz, String)> {
    let wanted = text.trim();
    if let Some(zone) = named(wanted) {
        return Some((zone, zone.name().to_owned()));
    }
    if let Ok(hours) = wanted.parse::<f64>() {
        return east_of_greenwich(hours).map(|zone| (zone, posix_name(hours as i32)));
    }
    let zone = east_of_greenwich(-posix_hours_west(wanted)?)?;
    let folded = named(letters(wanted)).map(|zone| zone.name());
    // A known abbreviation is shown in its own case.
    let shown = folded.map_or_else(|| wanted.to_owned(), |name| wanted.replacen(letters(wanted), name, 1));
    Some((zone, shown))
}

/// Abbreviations that stand for an offset, whatever the season, with their hours east; PostgreSQL's default set.
const ABBREVIATIONS: [(&str, f64); 30] = [
    ("aedt", 11.0),
    ("aest", 10.0),
    ("akdt", -8.0),
    ("akst", -9.0),
    ("awst", 8.0),
    ("bst", 1.0),
    ("cdt", -5.0),
    ("cest", 2.0),
    ("cet", 1.0),
    ("cst", -6.0),
    ("edt", -4.0),
    ("eest", 3.0),
    ("eet", 2.0),
    ("est", -5.0),
    ("gmt", 0.0),
    ("hst", -10.0),
    ("jst", 9.0),
    ("kst", 9.0),
    ("mdt", -6.0),
    ("msk", 3.0),
    ("mst", -7.0),
    ("nzdt", 13.0),
    ("nzst", 12.0),
    ("pdt", -7.0),
    ("pst", -8.0),
    ("sgt", 8.0),
    ("utc", 0.0),
    ("west", 1.0),
    ("wet", 0.0),
    ("z", 0.0),
];

/// The zone of `AT TIME ZONE`, where every number counts west and abbreviations are known.
pub fn of_expression(text: &str) -> Option<Tz> {
    let wanted = text.trim();
    let lower = wanted.to_lowercase();
    if let Some((_, hours)) = ABBREVIATIONS.iter().find(|(name, _)| *name == lower) {
        return east_of_greenwich(*hours);
    }
    named(wanted).or_else(|| east_of_greenwich(-posix_hours_west(wanted)?))
}

/// A zone of the time zone database, in any case.
pub(super) fn named(text: &str) -> Option<Tz> {
    text.parse().ok().or_else(|| {
        chrono_tz::TZ_VARIANTS.iter().copied().find(|zone| zone.name().eq_ignore_ascii_case(text))
    })
}

/// `Etc/GMT-8` is eight hours east: these names count as POSIX does.
fn east_of_greenwich(hours: f64) -> Option<Tz> {
    if hours.fract() != 0.0 || !(-12.0..=14.0).contains(&hours) {
        return None;
    }
    let hours = hours as i32;
    if hours == 0 {
        return Some(Tz::Etc__UTC);
    }
    format!("Etc/GMT{}{}", if hours < 0 { '+' } else { '-' }, hours.abs()).parse().ok()
}

/// `<+08>-08`, as PostgreSQL calls the zone of a number of hours.
fn posix_name(hours: i32) -> String {
    format!("<{hours:+03}>{:+03}", -hours)
}

fn letters(text: &str) -> &str {
    text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// The hours of `UTC+8`, `FOO-5`, `<+08>-8`, `+08:00`: a name that may be missing, and an offset west.
fn posix_hours_west(text: &str) -> Option<f64> {
    let offset = match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.1,
        None => {
            let name = letters(text);
            if !name.is_empty() && name.len() < 3 {
                return None;
            }
            &text[name.len()..]
        }
    };
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("-", digits) => (-1.0, digits),
        ("+", digits) => (1.0, digits),
        _ => (1.0, offset),
    };
    let mut parts = digits.split(':');
    let part = |text: Option<&str>| match text {
        None => Some(0.0),
        Some(digits)
            if (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            digits.parse::<f64>().ok()
        }
        Some(_) => None,
    };
    let hours = part(Some(parts.next()?))?;
    let (minutes, seconds) = (part(parts.next())?, part(parts.next())?);
    if parts.next().is_some() {
        return None;
    }
    Some(sign * (hours + minutes / 60.0 + seconds / 3_600.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<(String, String)> {
        parse(text).map(|(zone, shown)| (zone.name().to_owned(), shown))
    }

    fn is(text: &str, zone: &str, name: &str) {
        assert_eq!(shown(text), Some((zone.to_owned(), name.to_owned())), "{text}");
    }

    #[test]
    fn numbers_count_east_and_names_count_west() {
        is("8", "Etc/GMT-8", "<+08>-08");
        is("+08", "Etc/GMT-8", "<+08>-08");
        is("-3", "Etc/GMT+3", "<-03>+03");
        is("UTC+8", "Etc/GMT+8", "UTC+8");
        is("utc+8", "Etc/GMT+8", "UTC+8");
        is("+08:00", "Etc/GMT+8", "+08:00");
        is("<+08>-8", "Etc/GMT-8", "<+08>-8");
        is("asia/shanghai", "Asia/Shanghai", "Asia/Shanghai");
        is("PST8PDT", "PST8PDT", "PST8PDT");
    }

    #[test]
    fn expressions_count_west_and_know_abbreviations() {
        let name = |text: &str| of_expression(text).map(|zone| zone.name());
        assert_eq!(
            (name("+08"), name("8"), name("UTC+8")),
            (Some("Etc/GMT+8"), Some("Etc/GMT+8"), Some("Etc/GMT+8"))
        );
        assert_eq!((name("PST"), name("cet")), (Some("Etc/GMT+8"), Some("Etc/GMT-1")));
        assert_eq!((name("asia/shanghai"), name("Atlantis")), (Some("Asia/Shanghai"), None));
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        // Half an hour and rules of one's own would need more than the zones of the database.
        for text in
            ["Atlantis", "", "200", "PST", "FOO-5:30", "8.5", "AAA3BBB", "UTC+8+", "<+08", "NaN", "A8"]
        {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
