//! `to_char`, `to_timestamp` and `to_date`: times by PostgreSQL's templates, such as `YYYY-MM-DD HH24:MI`. Numbers have
//! templates of their own, in `numbers`.

mod epoch;
mod functions;
mod intervals;
mod numbers;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use functions::functions;

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Field(Field),
    /// Letters that stand for themselves, and what separates fields.
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Field {
    name: Part,
    letters: Letters,
    /// `FM`: neither zeros before nor blanks behind.
    fills: bool,
    /// `TH`: `1st`, `2nd`.
    ordinal: Option<Letters>,
}

/// How the words of a field are written; taken from how the template writes it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Letters {
    Upper,
    Lower,
    Capitalized,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// Digits of the year, counted from its end; four are all.
    Year(u8),
    YearWithComma,
    IsoYear(u8),
    Century,
    Quarter,
    Month,
    MonthName,
    MonthShort,
    Day,
    DayOfYear,
    IsoDayOfYear,
    /// 1 is Sunday.
    DayOfWeek,
    /// 1 is Monday.
    IsoDayOfWeek,
    DayName,
    DayShort,
    WeekOfYear,
    WeekOfMonth,
    IsoWeek,
    JulianDay,
    Hour24,
    Hour12,
    Minute,
    Second,
    SecondOfDay,
    /// Digits of the fraction of a second.
    Fraction(u8),
    HalfDay {
        dotted: bool,
    },
    Era {
        dotted: bool,
    },
    /// The month as a Roman number.
    RomanMonth,
    /// The abbreviation of the zone, and its offset whole and in parts.
    ZoneName,
    ZoneOffset,
    ZoneHours,
    ZoneMinutes,
}

/// Longer words stand before those that they begin with.
const FIELDS: &[(&str, Part)] = &[
    ("A.D.", Part::Era { dotted: true }),
    ("A.M.", Part::HalfDay { dotted: true }),
    ("AD", Part::Era { dotted: false }),
    ("AM", Part::HalfDay { dotted: false }),
    ("B.C.", Part::Era { dotted: true }),
    ("BC", Part::Era { dotted: false }),
    ("CC", Part::Century),
    ("DAY", Part::DayName),
    ("DDD", Part::DayOfYear),
    ("DD", Part::Day),
    ("DY", Part::DayShort),
    ("D", Part::DayOfWeek),
    ("FF1", Part::Fraction(1)),
    ("FF2", Part::Fraction(2)),
    ("FF3", Part::Fraction(3)),
    ("FF4", Part::Fraction(4)),
    ("FF5", Part::Fraction(5)),
    ("FF6", Part::Fraction(6)),
    ("HH24", Part::Hour24),
    ("HH12", Part::Hour12),
    ("HH", Part::Hour12),
    ("IDDD", Part::IsoDayOfYear),
    ("ID", Part::IsoDayOfWeek),
    ("IW", Part::IsoWeek),
    ("IYYY", Part::IsoYear(4)),
    ("IYY", Part::IsoYear(3)),
    ("IY", Part::IsoYear(2)),
    ("I", Part::IsoYear(1)),
    ("J", Part::JulianDay),
    ("MI", Part::Minute),
    ("MM", Part::Month),
    ("MONTH", Part::MonthName),
    ("MON", Part::MonthShort),
    ("MS", Part::Fraction(3)),
    ("OF", Part::ZoneOffset),
    ("P.M.", Part::HalfDay { dotted: true }),
    ("PM", Part::HalfDay { dotted: false }),
    ("Q", Part::Quarter),
    ("RM", Part::RomanMonth),
    ("SSSSS", Part::SecondOfDay),
    ("SSSS", Part::SecondOfDay),
    ("SS", Part::Second),
    ("TZH", Part::ZoneHours),
    ("TZM", Part::ZoneMinutes),
    ("TZ", Part::ZoneName),
    ("US", Part::Fraction(6)),
    ("WW", Part::WeekOfYear),
    ("W", Part::WeekOfMonth),
    ("Y,YYY", Part::YearWithComma),
    ("YYYY", Part::Year(4)),
    ("YYY", Part::Year(3)),
    ("YY", Part::Year(2)),
    ("Y", Part::Year(1)),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// From Monday, as ISO 8601 counts.
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn parse(template: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut rest = template;
    let mut fills = true;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = without(rest, "FM") {
            (fills, rest) = (false, after);
        } else if let Some(after) = without(rest, "FX") {
            rest = after;
        } else if let Some((text, after)) = quoted(rest) {
            push_text(&mut items, &text);
            rest = after;
        } else if let Some((word, name)) = FIELDS.iter().find(|(word, _)| without(rest, word).is_some()) {
            let letters = letters_of(&rest[..word.len()]);
            rest = &rest[word.len()..];
            let ordinal = without(rest, "TH").map(|after| {
                let letters = letters_of(&rest[..2]);
                rest = after;
                letters
            });
            items.push(Item::Field(Field { name: *name, letters, fills, ordinal }));
            fills = true;
        } else {
            push_text(&mut items, letter.encode_utf8(&mut [0; 4]));
            rest = &rest[letter.len_utf8()..];
        }
    }
    items
}

/// What follows a word, in whatever letters.
fn without<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|_| &text[word.len()..])
}

/// Text in double quotes, in which a backslash takes the next letter as it is.
fn quoted(rest: &str) -> Option<(String, &str)> {
    let mut letters = rest.strip_prefix('"')?.char_indices();
    let mut text = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((text, &rest[at + 2..])),
            '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
            letter => text.push(letter),
        }
    }
    Some((text, ""))
}

fn push_text(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Text(before)) => before.push_str(text),
        _ => items.push(Item::Text(text.to_owned())),
    }
}

fn letters_of(word: &str) -> Letters {
    let mut letters = word.chars().filter(char::is_ascii_alphabetic);
    match (letters.next(), letters.next()) {
        (Some(first), _) if first.is_ascii_lowercase() => Letters::Lower,
        (_, Some(second)) if second.is_ascii_lowercase() => Letters::Capitalized,
        _ => Letters::Upper,
    }
}
