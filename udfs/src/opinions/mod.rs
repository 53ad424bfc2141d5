//! Opinions: who praises or complains about what, who asks for what.
//!
//! A Chinese text is cut into sentences and clauses. Rules (`patterns`, `requests`; tables in `data/`) find
//! requests, questions and reports of failure. A trained tagger finds aspects and opinions in the rest, a
//! logistic model pairs them, a linear model says praise or criticism. Where neither finds anything the
//! sentiment lexicon does. English texts are read by rules alone. Texts in other scripts have no opinions.
//!
//! Every opinion says which rule or model version made it and where its words stand, in characters of the
//! text. The same text gives the same opinions as long as the model, the tables and the dictionary of the
//! segmenter stay the same. Time is linear in the length of the text.

use std::ops::Range;

use jieba_rs::Jieba;

pub(crate) mod chinese;
pub(crate) mod cues;
pub(crate) mod english;
pub(crate) mod features;
pub(crate) mod heads;
pub(crate) mod lexicon;
pub(crate) mod model;
pub(crate) mod pairing;
pub(crate) mod patterns;
pub(crate) mod phrases;
pub(crate) mod polarity;
pub(crate) mod refine;
pub(crate) mod requests;
pub(crate) mod sentence;
pub(crate) mod tagger;
pub(crate) mod tags;
pub(crate) mod terms;

pub(crate) use heads::Heads;
pub(crate) use model::Model;

/// What the trained model calls itself.
pub(crate) const MODEL_VERSION: &str = "zh.model.1";

/// What an opinion does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Praise,
    Complaint,
    Request,
    Question,
    /// Says something of an aspect that is neither praise nor criticism.
    Remark,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Praise => "praise",
            Kind::Complaint => "complaint",
            Kind::Request => "request",
            Kind::Question => "question",
            Kind::Remark => "remark",
        }
    }

    /// The kind of a statement of that polarity.
    fn of(polarity: i8) -> Self {
        match polarity {
            1.. => Kind::Praise,
            0 => Kind::Remark,
            _ => Kind::Complaint,
        }
    }
}

/// One opinion. All places are characters of the text, ends exclusive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Opinion {
    /// What it is about, where the text names it.
    pub(crate) aspect: Option<Range<usize>>,
    /// The normalised aspect; that which the opinion implies (贵: 价格) where the text names none; empty where
    /// nothing is known.
    pub(crate) aspect_head: String,
    /// The words that judge or ask.
    pub(crate) opinion: Range<usize>,
    /// −1, 0 or 1. A request is −1 where it says that there is too little of something, else 0; a question 0.
    pub(crate) polarity: i8,
    /// 0..1; degree and frequency words scale it. 0 for questions and remarks.
    pub(crate) intensity: f64,
    pub(crate) kind: Kind,
    /// From the first to the last character of aspect and opinion.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The clauses that hold aspect and opinion.
    pub(crate) evidence: Range<usize>,
    /// The rule or the model version that found it.
    pub(crate) rule: &'static str,
}

/// The opinions of a text in the order of their places. Empty for a text without Chinese or English words.
pub(crate) fn opinions(text: &str, jieba: &Jieba) -> Vec<Opinion> {
    let mut reader = chinese::Reader::new(Model::shipped(), Heads::shipped());
    read(text, jieba, &mut reader)
}

/// As [`opinions`], with a reader that is kept from text to text.
pub(crate) fn read(text: &str, jieba: &Jieba, reader: &mut chinese::Reader<'_>) -> Vec<Opinion> {
    match language(text) {
        Language::Chinese => reader.read(text, jieba),
        Language::English => english::read(text, reader.heads()),
        Language::Other => Vec::new(),
    }
}

enum Language {
    Chinese,
    English,
    Other,
}

/// By script: Chinese where there are ideographs and hardly any kana or hangul, English where there is
/// nothing but Latin letters, most of them plain.
fn language(text: &str) -> Language {
    let (mut han, mut foreign, mut latin) = (0usize, 0usize, 0usize);
    for c in text.chars().map(sentence::fold) {
        match c {
            'a'..='z' => latin += 1,
            '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' => foreign += 1,
            _ if sentence::is_han(c) => han += 1,
            _ if c.is_alphabetic() => foreign += 1,
            _ => {}
        }
    }
    if han > 0 && foreign * 4 <= han {
        Language::Chinese
    } else if han == 0 && latin >= 2 && foreign * 10 <= latin {
        Language::English
    } else {
        Language::Other
    }
}

/// A refused argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// One line in lower case, without full stop.
    pub(crate) message: String,
    /// A sentence that says what to do.
    pub(crate) hint: Option<String>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

#[cfg(test)]
mod tests;
