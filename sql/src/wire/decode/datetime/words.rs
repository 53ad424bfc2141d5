//! The words of dates and times.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Month(i64),
    Weekday,
    Am,
    Pm,
    BeforeChrist,
    /// Says nothing: `on`, `at`, `ad`.
    Filler,
    /// The `T` of ISO 8601.
    TimeFollows,
    JulianDay,
    /// Midnight in Greenwich.
    AllBalls,
    Now,
    /// So many days from today.
    Day(i64),
    Epoch,
    Infinity,
}

/// `text` is in lower case.
pub(super) fn word(text: &str) -> Option<Word> {
    Some(match text {
        "t" => Word::TimeFollows,
        "j" | "jd" | "julian" => Word::JulianDay,
        "am" => Word::Am,
        "pm" => Word::Pm,
        "bc" => Word::BeforeChrist,
        "ad" | "at" | "on" => Word::Filler,
        "allballs" => Word::AllBalls,
        "now" => Word::Now,
        "yesterday" => Word::Day(-1),
        "today" => Word::Day(0),
        "tomorrow" => Word::Day(1),
        "epoch" => Word::Epoch,
        "infinity" | "-infinity" => Word::Infinity,
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "weds" | "wednesday"
        | "thu" | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat" | "saturday" => Word::Weekday,
        other => Word::Month(month(other)?),
    })
}

fn month(text: &str) -> Option<i64> {
    Some(match text {
        "jan" | "january" => 1,
        "feb" | "february" => 2,
        "mar" | "march" => 3,
        "apr" | "april" => 4,
        "may" => 5,
        "jun" | "june" => 6,
        "jul" | "july" => 7,
        "aug" | "august" => 8,
        "sep" | "sept" | "september" => 9,
        "oct" | "october" => 10,
        "nov" | "november" => 11,
        "dec" | "december" => 12,
        _ => return None,
    })
}
