//! Opinions of an English text, by rule.
//!
//! Clauses end at punctuation and before but, however, although, though, while. In a clause a cue of the table
//! makes a request, a question or a report of failure; else each word of the sentiment lexicon is an opinion,
//! turned round by a negator at most three words before it. It is about the nearest aspect that the table of
//! heads knows, else about what stands before is, are, was or were, else about the word behind it.

use std::ops::Range;
use std::sync::LazyLock;

use super::cues::Cue;
use super::lexicon::{LEXICON, Mark};
use super::sentence::fold;
use super::terms::{Terms, pair, rows};
use super::{Heads, Kind, Opinion};

static CUES: LazyLock<Terms<Cue>> = LazyLock::new(|| {
    Terms::new(rows(include_str!("data/english_cues.tsv")).filter_map(|row| {
        let (term, name) = pair(row)?;
        Some((term, Cue::parse(name)?))
    }))
});

/// How far a negator reaches, in words.
const NEGATOR_REACH: usize = 3;

/// The longest clause, in words, so that the work per word is bounded.
const LONGEST: usize = 60;

const BE: [&str; 12] =
    ["is", "are", "was", "were", "isn't", "aren't", "wasn't", "weren't", "feels", "looks", "seems", "tastes"];

const STOP: [&str; 52] = [
    "the",
    "a",
    "an",
    "my",
    "your",
    "their",
    "our",
    "his",
    "her",
    "its",
    "this",
    "that",
    "these",
    "those",
    "it",
    "i",
    "we",
    "you",
    "they",
    "he",
    "she",
    "and",
    "or",
    "to",
    "of",
    "for",
    "in",
    "on",
    "at",
    "with",
    "so",
    "very",
    "too",
    "really",
    "is",
    "are",
    "was",
    "were",
    "be",
    "been",
    "not",
    "no",
    "but",
    "as",
    "when",
    "if",
    "there",
    "which",
    "all",
    "everything",
    "here",
    "have",
];

const CONTRASTS: [&str; 6] = ["but", "however", "although", "though", "while", "yet"];

struct Text {
    chars: Vec<char>,
    marks: Vec<Mark>,
    words: Vec<Range<usize>>,
}

pub(crate) fn read(text: &str, heads: &Heads) -> Vec<Opinion> {
    let chars: Vec<char> = text.chars().map(|c| if c == '’' { '\'' } else { fold(c) }).collect();
    let mut marks = Vec::new();
    LEXICON.mark(&chars, &mut marks);
    let words = split(&chars);
    let text = Text { chars, marks, words };
    let mut opinions = Vec::new();
    for (clause, asked) in clauses(&text) {
        read_clause(&text, clause, asked, heads, &mut opinions);
    }
    opinions
}

fn split(chars: &[char]) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (place, &c) in chars.iter().enumerate() {
        let joins = words.last().is_some_and(|word| word.end == place);
        let inside = c == '\'' && joins;
        if c.is_alphanumeric() || inside {
            match words.last_mut() {
                Some(word) if joins => word.end = place + 1,
                _ => words.push(place..place + 1),
            }
        }
    }
    words
}

/// The clauses as ranges of words, and whether a question mark ends each.
fn clauses(text: &Text) -> Vec<(Range<usize>, bool)> {
    let mut clauses = Vec::new();
    let mut start = 0;
    for (at, word) in text.words.iter().enumerate() {
        let next = text.words.get(at + 1).map_or(text.chars.len(), |next| next.start);
        let between = text.chars.get(word.end..next).unwrap_or_default();
        let stop = between.iter().find(|c| matches!(c, '.' | ',' | '!' | '?' | ';' | ':' | '(' | ')' | '\n'));
        let contrast =
            text.words.get(at + 1).is_some_and(|next| CONTRASTS.contains(&text.slice(next).as_str()));
        if stop.is_some() || contrast || at + 1 == text.words.len() || at + 1 - start == LONGEST {
            clauses.push((start..at + 1, stop == Some(&'?')));
            start = at + 1;
        }
    }
    clauses
}

impl Text {
    fn slice(&self, span: &Range<usize>) -> String {
        self.chars.get(span.clone()).unwrap_or_default().iter().collect()
    }

    /// The characters of a row of words.
    fn span(&self, words: &Range<usize>) -> Range<usize> {
        let start = self.words.get(words.start).map_or(0, |word| word.start);
        let end =
            words.end.checked_sub(1).and_then(|last| self.words.get(last)).map_or(start, |word| word.end);
        start..end.max(start)
    }
}

fn read_clause(text: &Text, clause: Range<usize>, asked: bool, heads: &Heads, opinions: &mut Vec<Opinion>) {
    let cues = find_cues(text, &clause);
    let request = cues
        .iter()
        .find(|(cue, words)| *cue == Cue::Wish || (*cue == Cue::Imperative && words.start == clause.start));
    if let Some((_, words)) = request {
        opinions.push(build(text, &clause, words, Kind::Request, 0, "en.request", heads));
        return;
    }
    let failure = cues.iter().find(|(cue, _)| matches!(cue, Cue::Failure | Cue::Unable | Cue::Absent));
    if let Some((cue, words)) = failure {
        let rule = match cue {
            Cue::Failure => "en.failure",
            Cue::Unable => "en.unable",
            _ => "en.absent",
        };
        let words =
            if *cue == Cue::Unable { words.start..clause.end.min(words.end + 4) } else { words.clone() };
        opinions.push(build(text, &clause, &words, Kind::Complaint, -1, rule, heads));
        return;
    }
    let question =
        cues.iter().find(|(cue, words)| *cue == Cue::Question && (asked || words.start == clause.start));
    if let Some((_, words)) = question.filter(|_| asked || clause.len() > 2) {
        opinions.push(build(text, &clause, words, Kind::Question, 0, "en.question", heads));
        return;
    }
    judgements(text, &clause, heads, opinions);
}

fn find_cues(text: &Text, clause: &Range<usize>) -> Vec<(Cue, Range<usize>)> {
    let end = text.span(clause).end;
    let chars = text.chars.get(..end).unwrap_or_default();
    let mut cues = Vec::new();
    let mut at = clause.start;
    while at < clause.end {
        let hit = text.words.get(at).and_then(|word| Some((word.start, CUES.find(chars, word.start)?)));
        let Some((start, (cue, length))) = hit else {
            at += 1;
            continue;
        };
        let behind = text.words.partition_point(|word| word.start < start + length).max(at + 1);
        if cue != Cue::Nothing {
            cues.push((cue, at..behind));
        }
        at = behind;
    }
    cues
}

/// An opinion for each word of the lexicon in the clause.
fn judgements(text: &Text, clause: &Range<usize>, heads: &Heads, opinions: &mut Vec<Opinion>) {
    let mark = |at: usize| {
        text.words.get(at).and_then(|word| text.marks.get(word.start)).copied().unwrap_or_default()
    };
    for at in clause.clone() {
        let Mark::Polarity { tenths, first: true } = mark(at) else { continue };
        if tenths == 0 {
            continue;
        }
        let reach = at.saturating_sub(NEGATOR_REACH).max(clause.start)..at;
        let negators =
            reach.clone().filter(|&before| matches!(mark(before), Mark::Negator { first: true })).count();
        let modified = reach
            .rev()
            .take_while(|&before| matches!(mark(before), Mark::Negator { .. } | Mark::Degree { .. }));
        let start = modified.last().unwrap_or(at);
        let mut end = at + 1;
        while end < clause.end && matches!(mark(end), Mark::Polarity { first: false, .. }) {
            end += 1;
        }
        let polarity = if (tenths > 0) == (negators % 2 == 0) { 1 } else { -1 };
        opinions.push(build(text, clause, &(start..end), Kind::of(polarity), polarity, "en.lexicon", heads));
    }
}

fn build(
    text: &Text,
    clause: &Range<usize>,
    words: &Range<usize>,
    kind: Kind,
    polarity: i8,
    rule: &'static str,
    heads: &Heads,
) -> Opinion {
    let opinion = text.span(words);
    let aspect = aspect(text, clause, words, kind, heads);
    let aspect_head = if let Some(aspect) = &aspect {
        heads.of(&text.slice(aspect))
    } else {
        let chars = text.chars.get(opinion.clone()).unwrap_or_default();
        heads.implied(chars).unwrap_or_default().to_string()
    };
    let (start, end) = match &aspect {
        Some(aspect) => (aspect.start.min(opinion.start), aspect.end.max(opinion.end)),
        None => (opinion.start, opinion.end),
    };
    let intensity = intensity(text, &opinion, kind);
    Opinion {
        aspect,
        aspect_head,
        opinion,
        polarity,
        intensity,
        kind,
        start,
        end,
        evidence: text.span(clause),
        rule,
    }
}

fn aspect(
    text: &Text,
    clause: &Range<usize>,
    opinion: &Range<usize>,
    kind: Kind,
    heads: &Heads,
) -> Option<Range<usize>> {
    let outside = |at: &usize| !opinion.contains(at);
    let word = |at: usize| text.words.get(at).map(|word| text.slice(word)).unwrap_or_default();
    let known = clause.clone().filter(outside).filter(|&at| heads.knows(&word(at)));
    let nearest = known.min_by_key(|&at| (opinion.start.abs_diff(at), at));
    if let Some(at) = nearest {
        let pair = at.max(clause.start + 1) - 1..at + 1;
        let both = text.slice(&text.span(&pair));
        let words =
            if pair.len() == 2 && outside(&pair.start) && heads.knows(&both) { pair } else { at..at + 1 };
        return Some(text.span(&words));
    }
    let be = (clause.start + 1..opinion.start).find(|&at| BE.contains(&word(at).as_str()));
    let plain = |at: usize| !STOP.contains(&word(at).as_str()) && word(at).chars().any(char::is_alphabetic);
    if let Some(at) = be.map(|be| be - 1).filter(|&at| plain(at)) {
        return Some(text.span(&(at..at + 1)));
    }
    let next = opinion.end;
    let follows = kind != Kind::Question && next < clause.end && plain(next);
    follows.then(|| text.span(&(next..next + 1)))
}

/// As for Chinese: the lexicon's polarity, scaled by degree.
fn intensity(text: &Text, opinion: &Range<usize>, kind: Kind) -> f64 {
    let marks = text.marks.get(opinion.clone()).unwrap_or_default();
    let strongest = marks.iter().filter_map(|mark| match mark {
        Mark::Polarity { tenths, .. } if *tenths != 0 => Some(f64::from(tenths.unsigned_abs()) / 10.0),
        _ => None,
    });
    let degree = marks.iter().find_map(|mark| match mark {
        Mark::Degree { tenths, first: true } => Some(f64::from(*tenths) / 10.0),
        _ => None,
    });
    let base = match kind {
        Kind::Question | Kind::Remark => 0.0,
        Kind::Request => 0.3,
        Kind::Praise | Kind::Complaint => strongest.fold(0.0, f64::max),
    };
    let base = if base == 0.0 && kind == Kind::Complaint { 0.6 } else { base };
    (base * degree.unwrap_or(1.0)).clamp(0.0, 1.0)
}
