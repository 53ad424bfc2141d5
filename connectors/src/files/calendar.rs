//! Days and seconds as text in the form PostgreSQL reads.

/// Days from 1970-01-01 to 1899-12-30, where Excel's count begins.
pub(super) const EXCEL_EPOCH_DAYS: i64 = -25_569;

/// Beyond these years no calendar of a business goes, and PostgreSQL's text has four digits.
const YEARS: std::ops::RangeInclusive<i64> = 1..=9999;

/// The day as `2024-01-31`, counted from 1970-01-01 (Howard Hinnant's algorithm); none outside of four-digit
/// years.
pub(super) fn date(days: i64) -> Option<String> {
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    YEARS.contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// The time of a day as `13:05:09`, with as many digits behind the second as it has.
pub(super) fn time(millis_of_day: i64) -> String {
    let (seconds, millis) = (millis_of_day / 1000, millis_of_day % 1000);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if millis == 0 { text } else { format!("{text}.{millis:03}") }
}

/// The moment as `2024-01-31T13:05:09Z`, counted in milliseconds from 1970.
pub(super) fn moment(millis: i64) -> Option<String> {
    const DAY: i64 = 86_400_000;
    Some(format!("{}T{}Z", date(millis.div_euclid(DAY))?, time(millis.rem_euclid(DAY))))
}

pub(super) fn days_of_month(year: u32, month: u32) -> u32 {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::{EXCEL_EPOCH_DAYS, date, moment};

    #[test]
    fn days_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (2_932_896, "9999-12-31"),
            (EXCEL_EPOCH_DAYS + 45_296, "2024-01-05"),
        ] {
            assert_eq!(date(days).as_deref(), Some(text));
        }
        assert_eq!((date(2_932_897), date(i64::MAX), date(-800_000)), (None, None, None));
        assert_eq!(moment(1_704_449_109_120).as_deref(), Some("2024-01-05T10:05:09.120Z"));
        assert_eq!(moment(-1).as_deref(), Some("1969-12-31T23:59:59.999Z"));
    }
}
