//! Telephone numbers in E.164.

use crate::privacy::{dialled, digit};

/// Calling codes of countries by ISO 3166-1 alpha-2.
const COUNTRIES: [(&str, &str); 40] = [
    ("CN", "86"),
    ("HK", "852"),
    ("MO", "853"),
    ("TW", "886"),
    ("US", "1"),
    ("CA", "1"),
    ("GB", "44"),
    ("JP", "81"),
    ("KR", "82"),
    ("SG", "65"),
    ("MY", "60"),
    ("TH", "66"),
    ("VN", "84"),
    ("ID", "62"),
    ("PH", "63"),
    ("IN", "91"),
    ("AU", "61"),
    ("NZ", "64"),
    ("DE", "49"),
    ("FR", "33"),
    ("IT", "39"),
    ("ES", "34"),
    ("PT", "351"),
    ("NL", "31"),
    ("BE", "32"),
    ("CH", "41"),
    ("AT", "43"),
    ("SE", "46"),
    ("NO", "47"),
    ("DK", "45"),
    ("FI", "358"),
    ("PL", "48"),
    ("RU", "7"),
    ("TR", "90"),
    ("AE", "971"),
    ("SA", "966"),
    ("ZA", "27"),
    ("EG", "20"),
    ("BR", "55"),
    ("MX", "52"),
];

/// The number in E.164 (`+8613800138000`), `None` if `text` is not one telephone number.
///
/// Numbers with `+`, `00` (011 from North America) or, for a Chinese mobile, plain `86` say their country; others
/// are numbers of `country` (ISO 3166-1 alpha-2, China unless given; `None` too for a country that is not
/// known). Full-width digits, Chinese numerals, spaces, dashes, dots and brackets are understood. An extension
/// (`转`, `ext`, `x`) is dropped.
pub(crate) fn phone_normalize(text: &str, country: Option<&str>) -> Option<String> {
    let home = match country {
        None => "86",
        Some(code) => {
            COUNTRIES.iter().find(|(iso, _)| code.trim().eq_ignore_ascii_case(iso)).map(|(_, code)| *code)?
        }
    };
    let (digits, plus) = read(text)?;
    dialled(&digits, plus, home).map(|number| number.e164)
}

/// The digits of `text`, and whether a plus sign stands before them.
fn read(text: &str) -> Option<(String, bool)> {
    let (mut digits, mut plus) = (String::new(), false);
    for c in without_label(without_extension(text)).chars() {
        match c {
            '+' | '＋' if digits.is_empty() && !plus => plus = true,
            ' ' | '-' | '.' | '(' | ')' | '/' | '（' | '）' | '－' | '–' | '—' | '\u{3000}' | '\u{a0}'
            | '·' | '\t' => {}
            _ => digits.push(char::from(b'0' + digit(c)?)),
        }
    }
    // +44 (0)20 …: the trunk prefix in brackets is for callers at home.
    if plus && text.contains("(0)") {
        let place = digits.find('0').filter(|place| *place <= 3)?;
        digits.remove(place);
    }
    (7..=18).contains(&digits.len()).then_some((digits, plus))
}

fn without_extension(text: &str) -> &str {
    let marks = ["转", "轉", "ext", "Ext", "EXT", " x", "#", "分机"];
    marks
        .iter()
        .filter_map(|mark| text.find(mark))
        .min()
        .map_or(text, |place| text.get(..place).unwrap_or(text))
        .trim()
}

fn without_label(text: &str) -> &str {
    let labels = [
        "电话", "手机", "联系", "号码", "号", "tel", "Tel", "TEL", "phone", "Phone", "mobile", "Mobile", ":",
        "：", ".",
    ];
    let mut rest = text;
    while let Some(behind) = labels.iter().find_map(|label| rest.strip_prefix(label)) {
        rest = behind.trim_start();
    }
    rest
}
