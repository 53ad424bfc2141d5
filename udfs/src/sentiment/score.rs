//! The kernel: from a text to a number.

use super::lexicon::{Lexicon, Role};
use crate::tokenize::is_spaced;

/// What is left of praise that is negated, of criticism that is negated, and of either negated twice.
const NEGATED_PRAISE: f64 = -0.8;
const NEGATED_CRITICISM: f64 = -0.5;
const NEGATED_TWICE: f64 = 0.6;

/// Weights before and after a contrast.
const BEFORE_CONTRAST: f64 = 0.5;
const AFTER_CONTRAST: f64 = 1.3;

/// How far a degree word reaches, in words or characters.
const DEGREE_REACH: usize = 3;

/// Praise in a question.
const ASKED: f64 = 0.5;

pub(super) struct Scorer<'a> {
    lexicon: &'a Lexicon,
    lower: String,
    found: Vec<f64>,
}

impl<'a> Scorer<'a> {
    pub(super) fn new(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, lower: String::new(), found: Vec::new() }
    }

    /// Sentiment of `text` in −1..1.
    pub(super) fn score(&mut self, text: &str) -> f64 {
        self.lower.clear();
        self.lower.extend(text.chars().map(plain));
        self.found.clear();
        let mut reading =
            Reading { found: &mut self.found, sentence: 0, sentence_weight: 1.0, clause: Clause::default() };
        reading.read(self.lexicon, &self.lower);
        let sum = self.found.iter().fold(0.0, |sum, value| sum + value);
        sum / (sum * sum + 1.0).sqrt()
    }
}

/// Lower-case ASCII, half-width, with one kind of apostrophe.
fn plain(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '’' | '‘' => '\'',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c).to_ascii_lowercase(),
        other => other,
    }
}

/// Polarities found so far and what bears on the next one.
struct Reading<'a> {
    found: &'a mut Vec<f64>,
    /// Where the polarities of this sentence begin in `found`.
    sentence: usize,
    sentence_weight: f64,
    clause: Clause,
}

#[derive(Debug, Clone, Copy, Default)]
struct Clause {
    wish: bool,
    /// Negators in force, and how many more words or characters they reach.
    negations: usize,
    reach: usize,
    /// The degree in force, and how far it reaches.
    degree: Option<(f64, usize)>,
    /// Negators of the polarity just before, if nothing came between.
    just_negated: Option<usize>,
    /// Whether the entry just before was a polarity.
    just_found: bool,
}

impl Reading<'_> {
    fn read(&mut self, lexicon: &Lexicon, text: &str) {
        let mut place = 0;
        let mut before = ' ';
        while let Some(next) = text[place..].chars().next() {
            let rest = &text[place..];
            if rest.starts_with("http://") || rest.starts_with("https://") {
                place += rest.find(|c: char| !c.is_ascii_graphic()).unwrap_or(rest.len());
                continue;
            }
            if let Some((role, length)) = lexicon.find(rest) {
                self.apply(role);
                place += length;
                before = 'x';
                continue;
            }
            if is_spaced(next) {
                place += rest.len() - rest.trim_start_matches(|c| is_spaced(c) || c == '\'').len();
                self.pass();
            } else {
                let behind = &rest[next.len_utf8()..];
                self.pass_character(next, before, behind.chars().next());
                place += next.len_utf8();
            }
            before = next;
        }
        self.end_sentence();
    }

    fn pass_character(&mut self, c: char, before: char, after: Option<char>) {
        match c {
            '?' => {
                for value in &mut self.found[self.sentence..] {
                    if *value > 0.0 {
                        *value *= ASKED;
                    }
                }
                self.end_sentence();
            }
            '。' | '!' | '\n' | ';' => self.end_sentence(),
            '.' if before.is_ascii_digit() && after.is_some_and(|c| c.is_ascii_digit()) => {}
            '.' => self.end_sentence(),
            ',' | ':' | '~' | '…' | '(' | ')' | '【' | '】' => self.clause = Clause::default(),
            // Between Chinese characters a space stands for a comma.
            ' ' if !before.is_ascii() && after.is_some_and(|c| !c.is_ascii()) => {
                self.clause = Clause::default()
            }
            '、' => self.apply(Role::And),
            _ if c.is_alphanumeric() => self.pass(),
            _ => {}
        }
    }

    /// A word or character that is no entry.
    fn pass(&mut self) {
        let clause = &mut self.clause;
        clause.just_found = false;
        clause.just_negated = None;
        if clause.reach == 0 {
            clause.negations = 0;
        }
        clause.reach = clause.reach.saturating_sub(1);
        clause.degree = clause.degree.and_then(|(scale, reach)| Some((scale, reach.checked_sub(1)?)));
    }

    fn apply(&mut self, role: Role) {
        match role {
            Role::Polarity(0.0) => self.pass(),
            Role::Polarity(polarity) => return self.find(polarity),
            Role::Negator(reach) => {
                self.clause.negations += 1;
                self.clause.reach = reach;
            }
            Role::Degree(scale) => {
                let scale = self.clause.degree.map_or(scale, |(before, _)| (before * scale).clamp(0.4, 1.8));
                self.clause.degree = Some((scale, DEGREE_REACH));
            }
            Role::Contrast => {
                for value in &mut self.found[self.sentence..] {
                    *value *= BEFORE_CONTRAST;
                }
                // What was weakened once stays as it is.
                self.sentence = self.found.len();
                self.sentence_weight = AFTER_CONTRAST;
                self.clause = Clause::default();
            }
            Role::Wish => self.clause.wish = true,
            Role::More => self.want_more(),
            Role::And => {
                if let Some(negations) = self.clause.just_negated {
                    self.clause.negations = negations;
                    self.clause.reach = 1;
                }
            }
        }
        self.clause.just_found = false;
        self.clause.just_negated = None;
    }

    fn find(&mut self, polarity: f64) {
        let clause = &mut self.clause;
        let factor = match clause.negations {
            0 => 1.0,
            odd if odd % 2 == 1 && polarity > 0.0 => NEGATED_PRAISE,
            odd if odd % 2 == 1 => NEGATED_CRITICISM,
            _ => NEGATED_TWICE,
        };
        let degree = clause.degree.map_or(1.0, |(scale, _)| scale);
        let mut value = polarity * factor * degree * self.sentence_weight;
        if clause.wish {
            value = value.min(0.0);
        }
        self.found.push(value);
        let negations = (clause.negations > 0).then_some(clause.negations);
        *clause =
            Clause { wish: clause.wish, just_found: true, just_negated: negations, ..Clause::default() };
    }

    /// 顺畅一些 asks for what there is too little of; 慢一点 is a milder 慢.
    fn want_more(&mut self) {
        if !self.clause.just_found {
            return self.pass();
        }
        if let Some(last) = self.found.last_mut() {
            *last = if *last > 0.0 { 0.0 } else { *last * 0.7 };
        }
    }

    fn end_sentence(&mut self) {
        self.clause = Clause::default();
        self.sentence = self.found.len();
        self.sentence_weight = 1.0;
    }
}
