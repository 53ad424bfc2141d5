//! Numbers to text, a place of the template at a time.

use voxhouse_engine::Result;

use super::{Anchor, Item, Template, Word};

/// A number in digits.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::query::templates) enum Number {
    /// `-?digits[.digits]`, and whether it is an integer, which has no digits to round.
    Exact(String),
    Whole(i64),
    /// A double, or a float and the digits that it keeps.
    Float(f64, usize),
}

/// How many characters a Roman number has at most.
const ROMAN_WIDTH: usize = 15;

pub(in crate::query::templates) fn to_text(template: &Template, number: &Number) -> Result<String> {
    let mut template = template.clone();
    if template.roman {
        return Ok(of_roman(&template, number));
    }
    if template.scientific {
        return Ok(scientific(&template, number));
    }
    let digits = digits(&mut template, number);
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest.to_owned()),
        None => (false, digits),
    };
    let whole = digits.find('.').unwrap_or(digits.len());
    let digits = match whole > template.before {
        true => format!("{}.{}", "#".repeat(template.before), "#".repeat(template.behind)),
        false => digits,
    };
    let spaces = template.before.saturating_sub(whole);
    Ok(Writer::new(&template, digits, is_negative, spaces).written())
}

/// The number with as many digits behind the point as the template has; a template with `V` then has more before it.
fn digits(template: &mut Template, number: &Number) -> String {
    let shifted = template.shifted;
    let digits = match number {
        Number::Exact(text) => rounded(&moved(text, shifted), template.behind),
        Number::Whole(value) => {
            let whole = format!("{value}{}", if *value == 0 { String::new() } else { "0".repeat(shifted) });
            match template.behind {
                0 => whole,
                behind => format!("{whole}.{}", "0".repeat(behind)),
            }
        }
        Number::Float(value, kept) => {
            let value = value * 10_f64.powi(i32::try_from(shifted).unwrap_or(i32::MAX));
            let whole = float_text(value.abs(), 0).len();
            if whole >= *kept {
                template.behind = 0;
            } else if whole + template.behind > *kept {
                template.behind = kept - whole;
            }
            float_text(value, template.behind)
        }
    };
    template.before += shifted;
    digits
}

fn float_text(value: f64, behind: usize) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    match value.is_infinite() {
        true => if value < 0.0 { "-Infinity" } else { "Infinity" }.to_owned(),
        false => format!("{value:.behind$}"),
    }
}

/// The point some places to the right.
fn moved(text: &str, places: usize) -> String {
    if places == 0 || !text.ends_with(|letter: char| letter.is_ascii_digit()) {
        return text.to_owned();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let padded = format!("{fraction:0<places$}");
    let (more, rest) = padded.split_at(places);
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let whole = format!("{whole}{more}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// Half away from zero. What is zero then has no sign.
fn rounded(text: &str, behind: usize) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    if !unsigned.ends_with(|letter: char| letter.is_ascii_digit()) {
        return text.to_owned();
    }
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut digits: Vec<u8> =
        whole.bytes().chain(format!("{fraction:0<behind$}").bytes().take(behind)).collect();
    if fraction.as_bytes().get(behind).is_some_and(|next| *next >= b'5') {
        add_one(&mut digits);
    }
    let sign = if digits.iter().all(|digit| *digit == b'0') { "" } else { sign };
    let text: String = digits.into_iter().map(char::from).collect();
    let (whole, fraction) = text.split_at(text.len() - behind);
    if behind == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn add_one(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

fn scientific(template: &Template, number: &Number) -> String {
    let behind = template.behind;
    let text = match number {
        Number::Whole(value) if i32::try_from(*value).is_ok() => {
            return scientific(template, &Number::Float(*value as f64, 15));
        }
        Number::Whole(value) => exponent_of(&value.to_string(), behind),
        Number::Exact(text) if text.ends_with(|letter: char| letter.is_ascii_digit()) => {
            exponent_of(text, behind)
        }
        Number::Float(value, _) if value.is_finite() => {
            let text = format!("{value:.behind$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            with_exponent(mantissa, exponent.parse().unwrap_or_default())
        }
        _ => {
            let point = template.before + 1;
            let places = (1..template.before + behind + 6).map(|at| if at == point { '.' } else { '#' });
            return std::iter::once(' ').chain(places).collect();
        }
    };
    if text.starts_with('-') { text } else { format!(" {text}") }
}

fn with_exponent(mantissa: &str, exponent: i64) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn exponent_of(text: &str, behind: usize) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    if leading == all.len() {
        return with_exponent(&rounded("0", behind), 0);
    }
    let exponent = whole.len() as i64 - leading as i64 - 1;
    let significant = &all[leading..];
    // A mantissa that is rounded up to ten stays so, as in PostgreSQL.
    let mantissa = rounded(&format!("{}.{}", &significant[..1], &significant[1..]), behind);
    with_exponent(&format!("{sign}{mantissa}"), exponent)
}

fn of_roman(template: &Template, number: &Number) -> String {
    let value: Option<i64> = match number {
        Number::Whole(value) => Some(*value),
        Number::Exact(text) => rounded(text, 0).parse().ok(),
        Number::Float(value, _) => Some(value.round_ties_even() as i64),
    };
    let roman = match value {
        Some(value @ 1..4000) => roman(value),
        _ => "#".repeat(ROMAN_WIDTH),
    };
    let mut text = String::new();
    for item in &template.items {
        match item {
            Item::Letter(letter) => text.push(*letter),
            Item::Word(Word::Roman { upper }) => {
                let roman = if *upper { roman.clone() } else { roman.to_lowercase() };
                let width = if template.fills { 0 } else { ROMAN_WIDTH };
                text.push_str(&format!("{roman:>width$}"));
            }
            Item::Word(Word::Comma | Word::Group | Word::Currency | Word::Minus | Word::Plus)
                if !template.fills =>
            {
                text.push(' ');
            }
            Item::Word(Word::Currency) => text.push(' '),
            Item::Word(_) => {}
        }
    }
    text
}

fn roman(mut value: i64) -> String {
    const LETTERS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut text = String::new();
    for (size, letters) in LETTERS {
        while value >= size {
            text.push_str(letters);
            value -= size;
        }
    }
    text
}

/// Goes through a template and the digits of a number side by side.
struct Writer<'a> {
    template: &'a Template,
    digits: String,
    is_negative: bool,
    /// Places before the first digit.
    spaces: usize,
    sign: Option<Anchor>,
    brackets: bool,
    sign_written: bool,
    /// Behind this digit there are only zeros, which are not shown.
    last_relevant: Option<usize>,
    /// Places that have digits.
    count: usize,
    /// The place of the template, and the next digit.
    place: usize,
    next: usize,
    /// Whether a digit was the last that was written.
    in_number: bool,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(template: &'a Template, digits: String, is_negative: bool, spaces: usize) -> Self {
        let mut writer = Self {
            template,
            digits,
            is_negative,
            spaces,
            sign: template.sign,
            brackets: template.brackets,
            sign_written: false,
            last_relevant: None,
            count: template.behind + template.before,
            place: 0,
            next: 0,
            in_number: false,
            out: String::new(),
        };
        writer.settle_sign();
        writer.settle_zeros();
        writer
    }

    fn settle_sign(&mut self) {
        let template = self.template;
        if template.has_plus || template.has_minus {
            self.sign_written = !template.has_plus || template.has_minus;
            return;
        }
        if !self.is_negative && template.fills {
            self.brackets = false;
        }
        self.sign_written = !self.is_negative && template.fills && template.sign.is_none();
        if self.sign == Some(Anchor::Before) && template.before == template.before_sign + template.shifted {
            self.sign = Some(Anchor::Behind);
        }
    }

    fn settle_zeros(&mut self) {
        if !(self.template.fills && self.template.has_point) {
            return;
        }
        let Some(point) = self.digits.find('.') else { return };
        let shown = self.digits.trim_end_matches('0').len();
        let mut last = shown.saturating_sub(1).max(point);
        // Zeros that the template asks for stay.
        if self.template.zero_end > self.spaces {
            last = last.max((self.digits.len() - 1).min(self.template.zero_end - self.spaces));
        }
        self.last_relevant = Some(last);
    }

    fn digit(&self, at: usize) -> Option<u8> {
        self.digits.as_bytes().get(at).copied()
    }

    fn ends_at_point(&self) -> bool {
        self.last_relevant.is_some_and(|last| self.digit(last) == Some(b'.'))
    }

    /// Of `0.1` by `9.9`, the zero is not shown.
    fn is_hidden_zero(&self) -> bool {
        !self.template.has_zero && self.next == 0 && self.digit(0) == Some(b'0') && self.template.behind != 0
    }

    fn written(mut self) -> String {
        let template = self.template;
        for item in &template.items {
            match item {
                Item::Letter(letter) => self.out.push(*letter),
                Item::Word(word) => self.word(*word),
            }
        }
        self.out
    }

    fn word(&mut self, word: Word) {
        let fills = self.template.fills;
        let either = |is_shown: bool, shown: &'static str| match (is_shown, fills) {
            (true, _) => shown,
            (false, true) => "",
            (false, false) => " ",
        };
        let text = match word {
            Word::Nine | Word::Zero | Word::Point => return self.digit_place(word == Word::Zero),
            Word::Comma | Word::Group => either(self.in_number, ","),
            Word::Currency => CURRENCY,
            Word::Minus => either(self.is_negative, "-"),
            Word::Plus => either(!self.is_negative, "+"),
            Word::PlusMinus => {
                if self.is_negative {
                    "-"
                } else {
                    "+"
                }
            }
            Word::Ordinal { upper } => self.ordinal(upper),
            _ => "",
        };
        self.out.push_str(text);
    }

    fn ordinal(&self, upper: bool) -> &'static str {
        if self.digits.starts_with('#') || self.is_negative || self.template.has_point {
            return "";
        }
        match (super::super::write::ordinal(&self.digits), upper) {
            ("st", true) => "ST",
            ("nd", true) => "ND",
            ("rd", true) => "RD",
            (_, true) => "TH",
            (suffix, false) => suffix,
        }
    }

    /// A digit or the point.
    fn digit_place(&mut self, is_zero: bool) {
        self.in_number = false;
        self.put_sign();
        let zero_start = self.template.zero_start.saturating_sub(1);
        let in_zeros = self.template.has_zero && zero_start <= self.place;
        if self.place < self.spaces && !in_zeros {
            if !self.template.fills {
                self.out.push(' ');
            }
        } else if self.place < self.spaces {
            self.out.push('0');
            self.in_number = true;
        } else {
            self.put_digit(is_zero);
            if self.next < self.digits.len() {
                self.next += 1;
            }
        }
        self.put_sign_behind();
        self.place += 1;
    }

    fn put_sign(&mut self) {
        let zero_start = self.template.zero_start.saturating_sub(1);
        let is_due = self.place >= self.spaces || self.template.has_zero && zero_start == self.place;
        if self.sign_written || !is_due || self.is_hidden_zero() && !self.ends_at_point() {
            return;
        }
        let text = match (self.sign, self.brackets, self.is_negative) {
            (Some(Anchor::Behind), _, _) => return,
            (Some(Anchor::Before), _, false) => "+",
            (None, true, true) => "<",
            (None, false, false) if self.template.fills => "",
            (None, _, false) => " ",
            (_, _, true) => "-",
        };
        self.out.push_str(text);
        self.sign_written = true;
    }

    fn put_digit(&mut self, is_zero: bool) {
        let Some(digit) = self.digit(self.next) else { return };
        if digit == b'.' {
            if !self.ends_at_point() || self.template.fills {
                self.out.push('.');
            }
        } else if self.last_relevant.is_some_and(|last| self.next > last) && !is_zero {
            // Zeros at the end.
        } else if self.is_hidden_zero() {
            match (self.template.fills, self.ends_at_point()) {
                (false, _) => self.out.push(' '),
                (true, true) => self.out.push('0'),
                (true, false) => {}
            }
        } else {
            self.out.push(char::from(digit));
            self.in_number = true;
        }
    }

    /// Behind the last digit.
    fn put_sign_behind(&mut self) {
        // Where a sign was due before the first digit, a place is one more.
        let more = [self.needs_place(), self.spaces > 0, self.template.has_point];
        let mut end = self.count + more.into_iter().filter(|more| *more).count();
        // One more than the place.
        if self.last_relevant == Some(self.next) {
            end = self.place + 1;
        }
        if self.place + 2 != end {
            return;
        }
        if self.sign_written && self.brackets {
            self.out.push(if self.is_negative { '>' } else { ' ' });
        } else if self.sign == Some(Anchor::Behind) {
            self.out.push(if self.is_negative { '-' } else { '+' });
        }
    }

    fn needs_place(&self) -> bool {
        let template = self.template;
        let written_at_start = match template.has_plus || template.has_minus {
            true => !template.has_plus || template.has_minus,
            false => !self.is_negative && template.fills && template.sign.is_none(),
        };
        !written_at_start && self.spaces == 0
    }
}

/// What `L` stands for where the locale has no currency.
const CURRENCY: &str = " ";
