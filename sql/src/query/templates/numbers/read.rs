//! Text to numbers, a place of the template at a time.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::{Item, Template, Word};

/// The digits behind the point that a number read by this template has at most.
pub(in crate::query::templates) fn scale_of(template: &Template) -> usize {
    template.behind + template.shifted
}

/// The number as `-?digits[.digits]`.
///
/// # Errors
/// Not supported, for Roman and scientific numbers; invalid text, if there are no digits.
pub(in crate::query::templates) fn from_text(template: &Template, text: &str) -> Result<String> {
    for (is_there, word) in [(template.scientific, "EEEE"), (template.roman, "RN")] {
        if is_there {
            return Err(Error::not_supported(format!("\"{word}\" not supported for input")));
        }
    }
    let mut reader = Reader::new(template, text);
    reader.read();
    let read = reader.finish();
    if !read.bytes().any(|byte| byte.is_ascii_digit()) {
        let message = format!("invalid input syntax for type numeric: \"{read}\"");
        return Err(Error::new(ErrorKind::InvalidText, message));
    }
    Ok(shifted(&read, template.shifted))
}

/// The point some places to the left.
fn shifted(read: &str, places: usize) -> String {
    let sign = if read.starts_with('-') { "-" } else { "" };
    let digits = read.trim_start_matches([' ', '+', '-']);
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

struct Reader<'a> {
    template: &'a Template,
    letters: Vec<char>,
    at: usize,
    sign: Option<char>,
    digits: String,
    before: usize,
    behind: usize,
    has_point: bool,
}

impl<'a> Reader<'a> {
    fn new(template: &'a Template, text: &str) -> Self {
        Self {
            template,
            letters: text.chars().collect(),
            at: 0,
            sign: None,
            digits: String::new(),
            before: 0,
            behind: 0,
            has_point: false,
        }
    }

    fn finish(self) -> String {
        let digits = self.digits.strip_suffix('.').unwrap_or(&self.digits);
        format!("{}{digits}", self.sign.unwrap_or(' '))
    }

    fn next(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn read(&mut self) {
        for item in &self.template.items {
            if self.at >= self.letters.len() {
                return;
            }
            match item {
                // A letter takes the place of another.
                Item::Letter(_) => self.at += 1,
                Item::Word(word) => self.word(*word),
            }
        }
    }

    fn word(&mut self, word: Word) {
        match word {
            Word::Nine | Word::Zero | Word::Point => {
                self.digit_place(word != Word::Point);
                self.at += 1;
            }
            Word::Comma | Word::Group if self.template.fills => {}
            Word::Comma | Word::Group => self.at += usize::from(self.next() == Some(',')),
            Word::Currency => self.pass_over(1),
            Word::Minus => self.signed(&['-']),
            Word::Plus => self.signed(&['+']),
            Word::PlusMinus => self.signed(&['-', '+']),
            Word::Ordinal { .. } => self.pass_over(2),
            _ => {}
        }
    }

    fn signed(&mut self, signs: &[char]) {
        match self.next().filter(|next| signs.contains(next)) {
            Some(sign) => {
                self.sign = Some(sign);
                self.at += 1;
            }
            None => self.pass_over(1),
        }
    }

    /// Passes over letters that belong to no number.
    fn pass_over(&mut self, count: usize) {
        for _ in 0..count {
            match self.next() {
                Some(letter) if !"0123456789.,+-".contains(letter) => self.at += 1,
                _ => return,
            }
        }
    }

    fn digit_place(&mut self, is_digit: bool) {
        self.at += usize::from(self.next() == Some(' '));
        if is_digit && self.sign.is_none() && self.before + self.behind == 0 {
            self.sign_before();
        }
        let Some(next) = self.next() else { return };
        let mut is_read = false;
        if next.is_ascii_digit() {
            if self.has_point && self.behind == self.template.behind {
                return;
            }
            self.digits.push(next);
            *(if self.has_point { &mut self.behind } else { &mut self.before }) += 1;
            is_read = true;
        } else if next == '.' && self.template.has_point && !self.has_point {
            self.digits.push('.');
            (self.has_point, is_read) = (true, true);
        }
        if self.sign.is_none() && self.before + self.behind > 0 {
            self.sign_behind(is_read);
        }
    }

    fn sign_before(&mut self) {
        let sign = match self.next() {
            Some('-') => '-',
            Some('<') if self.template.brackets => '-',
            Some('+') => '+',
            _ => return,
        };
        self.sign = Some(sign);
        self.at += 1;
    }

    /// A sign behind the last digit: where it stands exactly, the template does not say.
    fn sign_behind(&mut self, is_read: bool) {
        let template = self.template;
        let is_sign = |letter: &&char| matches!(letter, '-' | '+');
        if template.sign.is_some() && is_read {
            if let Some(sign) = self.letters.get(self.at + 1).filter(is_sign) {
                self.sign = Some(*sign);
                self.at += 1;
            }
        } else if !is_read && template.sign.is_none() && !template.has_plus && !template.has_minus {
            self.sign = self.letters.get(self.at).filter(is_sign).copied();
        }
    }
}
