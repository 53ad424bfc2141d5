//! Templates of numbers, such as `FM999G990D00`: what a template says, and numbers as text by it.

pub(super) mod functions;
mod read;
#[cfg(test)]
mod tests;
mod write;

use voxhouse_engine::{Error, Result};

pub(super) use read::{from_text, scale_of};
pub(super) use write::{Number, to_text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Nine,
    Zero,
    Point,
    Comma,
    Group,
    Currency,
    Minus,
    Plus,
    PlusMinus,
    Roman {
        upper: bool,
    },
    Ordinal {
        upper: bool,
    },
    Sign,
    Brackets,
    Shift,
    Scientific,
    Fill,
    Blank,
    /// Known, and without a meaning.
    Spelled,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Word(Word),
    Letter(char),
}

/// In upper or in lower case, not in both; longer words stand before those that they begin with.
const WORDS: &[(&str, Word)] = &[
    ("EEEE", Word::Scientific),
    ("FM", Word::Fill),
    ("MI", Word::Minus),
    ("PL", Word::Plus),
    ("PR", Word::Brackets),
    ("RN", Word::Roman { upper: true }),
    ("SG", Word::PlusMinus),
    ("SP", Word::Spelled),
    ("TH", Word::Ordinal { upper: true }),
    ("B", Word::Blank),
    ("D", Word::Point),
    ("G", Word::Group),
    ("L", Word::Currency),
    ("S", Word::Sign),
    ("V", Word::Shift),
    (",", Word::Comma),
    (".", Word::Point),
    ("0", Word::Zero),
    ("9", Word::Nine),
];

/// Where `S` puts the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Before,
    Behind,
}

/// A template that was read.
#[derive(Debug, Clone)]
pub(super) struct Template {
    items: Vec<Item>,
    /// Digits before the point, behind it, and behind `V`.
    before: usize,
    behind: usize,
    shifted: usize,
    /// The place of the first `0`, from 1, and of the last.
    zero_start: usize,
    zero_end: usize,
    sign: Option<Anchor>,
    /// The digits before `S`.
    before_sign: usize,
    has_zero: bool,
    has_point: bool,
    has_minus: bool,
    has_plus: bool,
    has_shift: bool,
    fills: bool,
    brackets: bool,
    roman: bool,
    scientific: bool,
    blank: bool,
}

impl Template {
    /// # Errors
    /// Syntax, for words that do not go together.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut template = Self::empty();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some((word, length)) = word_at(rest) {
                template.add(word)?;
                template.items.push(Item::Word(word));
                rest = &rest[length..];
            } else if let Some((quoted, after)) = super::quoted(rest) {
                template.items.extend(quoted.chars().map(Item::Letter));
                rest = after;
            } else {
                let escaped = rest.strip_prefix('\\').filter(|after| after.starts_with('"'));
                let letter = if escaped.is_some() { '"' } else { letter };
                template.items.push(Item::Letter(letter));
                rest = escaped.unwrap_or(rest).get(letter.len_utf8()..).unwrap_or_default();
            }
        }
        Ok(template)
    }

    fn empty() -> Self {
        Self {
            items: Vec::new(),
            before: 0,
            behind: 0,
            shifted: 0,
            zero_start: 0,
            zero_end: 0,
            sign: None,
            before_sign: 0,
            has_zero: false,
            has_point: false,
            has_minus: false,
            has_plus: false,
            has_shift: false,
            fills: false,
            brackets: false,
            roman: false,
            scientific: false,
            blank: false,
        }
    }

    fn add(&mut self, word: Word) -> Result<()> {
        let refuse = |is_wrong: bool, message: &str| match is_wrong {
            true => Err(Error::syntax(message)),
            false => Ok(()),
        };
        refuse(self.scientific && word != Word::Scientific, "\"EEEE\" must be the last pattern used")?;
        match word {
            Word::Nine => {
                refuse(self.brackets, "\"9\" must be ahead of \"PR\"")?;
                match (self.has_shift, self.has_point) {
                    (true, _) => self.shifted += 1,
                    (false, true) => self.behind += 1,
                    (false, false) => self.before += 1,
                }
            }
            Word::Zero => {
                refuse(self.brackets, "\"0\" must be ahead of \"PR\"")?;
                if !self.has_zero && !self.has_point {
                    (self.has_zero, self.zero_start) = (true, self.before + 1);
                }
                *(if self.has_point { &mut self.behind } else { &mut self.before }) += 1;
                self.zero_end = self.before + self.behind;
            }
            Word::Blank => self.blank |= self.before == 0 && self.behind == 0 && !self.has_zero,
            Word::Point => {
                refuse(self.has_point, "multiple decimal points")?;
                refuse(self.has_shift, "cannot use \"V\" and decimal point together")?;
                self.has_point = true;
            }
            Word::Shift => {
                refuse(self.has_point, "cannot use \"V\" and decimal point together")?;
                self.has_shift = true;
            }
            Word::Fill => self.fills = true,
            Word::Roman { .. } => self.roman = true,
            Word::Scientific => self.add_exponent()?,
            Word::Sign | Word::Minus | Word::Plus | Word::PlusMinus | Word::Brackets => {
                self.add_sign(word)?
            }
            Word::Comma | Word::Group | Word::Currency | Word::Ordinal { .. } | Word::Spelled => {}
        }
        Ok(())
    }

    fn add_sign(&mut self, word: Word) -> Result<()> {
        let beside = |name: &str| Error::syntax(format!("cannot use \"S\" and \"{name}\" together"));
        let others = self.has_plus || self.has_minus;
        match word {
            Word::Sign => {
                if self.sign.is_some() {
                    return Err(Error::syntax("cannot use \"S\" twice"));
                }
                if others || self.brackets {
                    return Err(beside("PL\"/\"MI\"/\"SG\"/\"PR"));
                }
                if self.has_point {
                    self.sign = Some(Anchor::Behind);
                } else {
                    (self.sign, self.before_sign) = (Some(Anchor::Before), self.before);
                }
            }
            Word::Brackets => {
                if others || self.sign.is_some() {
                    let message = "cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together";
                    return Err(Error::syntax(message));
                }
                self.brackets = true;
            }
            Word::Minus if self.sign.is_some() => return Err(beside("MI")),
            Word::Plus if self.sign.is_some() => return Err(beside("PL")),
            _ if self.sign.is_some() => return Err(beside("SG")),
            Word::Minus => self.has_minus = true,
            Word::Plus => self.has_plus = true,
            _ => (self.has_minus, self.has_plus) = (true, true),
        }
        Ok(())
    }

    fn add_exponent(&mut self) -> Result<()> {
        if self.scientific {
            return Err(Error::syntax("cannot use \"EEEE\" twice"));
        }
        let signed = self.sign.is_some() || self.brackets || self.has_minus || self.has_plus;
        if self.blank || self.fills || signed || self.roman || self.has_shift {
            return Err(Error::syntax("\"EEEE\" is incompatible with other formats")
                .with_detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
        }
        self.scientific = true;
        Ok(())
    }
}

fn word_at(text: &str) -> Option<(Word, usize)> {
    WORDS.iter().find_map(|(written, word)| {
        if text.starts_with(written) {
            return Some((*word, written.len()));
        }
        let is_lower = text.get(..written.len()).is_some_and(|start| start == written.to_ascii_lowercase());
        is_lower.then(|| (lower(*word), written.len()))
    })
}

fn lower(word: Word) -> Word {
    match word {
        Word::Roman { .. } => Word::Roman { upper: false },
        Word::Ordinal { .. } => Word::Ordinal { upper: false },
        other => other,
    }
}
