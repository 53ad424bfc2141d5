//! Numbers as people write them, `1.234,50`, in the form that SQL reads: `1234.50`. Digits are moved, never
//! computed.

use std::borrow::Cow;

/// How the numbers of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberForm {
    pub(super) decimal: char,
    pub(super) thousands: Option<char>,
}

impl NumberForm {
    /// The number in SQL's form; none if `text` is not a number of this form. Groups have three digits.
    pub(super) fn plain<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let text = text.trim();
        let (sign, digits) = match text.strip_prefix(['+', '-', '\u{2212}']) {
            Some(digits) => (if text.starts_with('+') { "" } else { "-" }, digits.trim_start()),
            None => ("", text),
        };
        let (whole, fraction) = match digits.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        if fraction.is_some_and(|fraction| !all_digits(fraction)) {
            return None;
        }
        let whole = self.without_groups(whole, fraction.is_some_and(|fraction| !fraction.is_empty()))?;
        let fraction = fraction.filter(|fraction| !fraction.is_empty());
        let plain = match fraction {
            Some(fraction) => format!("{sign}{}.{fraction}", if whole.is_empty() { "0" } else { &whole }),
            None => format!("{sign}{whole}"),
        };
        Some(if plain == text { Cow::Borrowed(text) } else { Cow::Owned(plain) })
    }

    fn without_groups<'a>(&self, whole: &'a str, may_be_empty: bool) -> Option<Cow<'a, str>> {
        if whole.is_empty() {
            return may_be_empty.then_some(Cow::Borrowed(""));
        }
        if all_digits(whole) {
            return Some(Cow::Borrowed(whole));
        }
        let thousands = self.thousands?;
        let mut groups = whole.split(|letter| same_mark(letter, thousands));
        let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && all_digits(first))?;
        let mut digits = first.to_owned();
        for group in groups {
            if group.len() != 3 || !all_digits(group) {
                return None;
            }
            digits.push_str(group);
        }
        Some(Cow::Owned(digits))
    }
}

/// A space between thousands is often one that does not break the line, an apostrophe a curly one.
fn same_mark(letter: char, mark: char) -> bool {
    match mark {
        ' ' => matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
        '\'' => matches!(letter, '\'' | '\u{2019}'),
        _ => letter == mark,
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::NumberForm;

    #[test]
    fn digits_survive_and_marks_go() {
        let german = NumberForm { decimal: ',', thousands: Some('.') };
        let french = NumberForm { decimal: ',', thousands: Some(' ') };
        let english = NumberForm { decimal: '.', thousands: Some(',') };
        for (form, text, expected) in [
            (german, "1.234,50", Some("1234.50")),
            (german, "-1.234.567,8", Some("-1234567.8")),
            (german, "1234,5", Some("1234.5")),
            (german, "0,000000000000000000001", Some("0.000000000000000000001")),
            (german, ",5", Some("0.5")),
            (german, "5,", Some("5")),
            (german, " 007 ", Some("007")),
            (german, "12.34,5", None),
            (german, "1.2345", None),
            (german, "1,2,3", None),
            (german, "1,2.3", None),
            (german, "", None),
            (german, "-", None),
            (german, ",", None),
            (german, "12 EUR", None),
            (french, "1\u{202f}234\u{a0}567,89", Some("1234567.89")),
            (french, "\u{2212}5", Some("-5")),
            (english, "12,345,678,901,234,567,890.12", Some("12345678901234567890.12")),
            (english, "+3", Some("3")),
            (NumberForm { decimal: ',', thousands: None }, "1.234,5", None),
        ] {
            assert_eq!(form.plain(text).as_deref(), expected, "{text}");
        }
    }
}
