//! The words that say most about a text: `keywords`.
//!
//! Weight = occurrences in the text × −ln p, where p is the word's share of the corpus behind the
//! segmentation dictionary (Sparck Jones 1972, with the dictionary in the place of a document collection).
//! A word the dictionary does not have weighs [`UNKNOWN_WEIGHT`] an occurrence, about as much as a rare
//! word, so that a typing error does not come first. Stop words (`data/stop_words.txt`), single Chinese
//! characters, single letters and bare numbers are left out. Equal weights keep the order of the text.
//!
//! NULL gives NULL, a text without such words an empty array, `k` below 1 an error.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use jieba_rs::Jieba;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, integer, text};
use crate::tokenize::{Mode, for_each_token, is_spaced, list_of_text};

const KEYWORDS: Definition = Definition {
    name: "keywords",
    arguments: "text [, k]",
    returns: "text[]",
    volatility: Volatility::Stable,
    description: "The k words (5 unless given) that say most about a text: frequent in it and rare in the \
                  language, the weightiest first.",
    example: "SELECT keywords('快递包装破损，客服说快递公司负责', 3)",
    example_result: "[快递, 客服, 破损]",
};

const DEFAULT_K: i64 = 5;

/// Words behind the frequencies of the dictionary.
const CORPUS_WORDS: f64 = 6.0e7;

const UNKNOWN_WEIGHT: f64 = 11.5;

static STOP_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("../data/stop_words.txt").split_whitespace().collect());

pub(crate) fn entries() -> Vec<Entry> {
    vec![scalar::entry(KEYWORDS, &[text(), integer()], 1, list_of_text(), "Text", run)]
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let limits = if columns.has(1) { Some(columns.integer(1)?) } else { None };
    let jieba = columns.taught().knowledge().dictionary.jieba();
    let mut ranking = Ranking::default();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..columns.rows() {
        let limit = match &limits {
            Some(limits) => limits.get(row).map(check_limit).transpose()?,
            None => Some(DEFAULT_K as usize),
        };
        let (Some(text), Some(limit)) = (texts.get(row), limit) else {
            lists.append_null();
            continue;
        };
        for word in ranking.top(&jieba, text, limit) {
            lists.values().append_value(word);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn check_limit(k: i64) -> Result<usize, Error> {
    match usize::try_from(k) {
        Ok(k) if k > 0 => Ok(k),
        _ => Err(Error::invalid_argument(format!("number of keywords {k} is not positive"))),
    }
}

/// The words of one text with their weights; kept between texts for its memory.
#[derive(Default)]
struct Ranking {
    /// Place in `words` by word.
    places: HashMap<String, usize>,
    /// In order of first occurrence.
    words: Vec<(String, f64)>,
}

impl Ranking {
    fn top(&mut self, jieba: &Jieba, text: &str, limit: usize) -> impl Iterator<Item = &str> {
        self.places.clear();
        self.words.clear();
        for_each_token(jieba, text, Mode::Accurate, |token| {
            if let Some(&place) = self.places.get(token) {
                self.words[place].1 += 1.0;
            } else if is_candidate(token) {
                self.places.insert(token.to_owned(), self.words.len());
                self.words.push((token.to_owned(), 1.0));
            }
        });
        for (word, weight) in &mut self.words {
            *weight *= information(jieba, word);
        }
        // Stable, so that equal weights keep the order of the text.
        self.words.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        self.words.iter().take(limit).map(|(word, _)| word.as_str())
    }
}

pub(crate) fn is_candidate(token: &str) -> bool {
    let mut letters = token.chars();
    letters.next();
    letters.next().is_some()
        && !token.chars().all(|c| c.is_numeric() || matches!(c, '.' | '%' | '-' | '+' | '#'))
        && !STOP_WORDS.contains(token)
}

/// −ln p of a word.
fn information(jieba: &Jieba, word: &str) -> f64 {
    if word.chars().any(is_spaced) || !jieba.has_word(word) {
        return UNKNOWN_WEIGHT;
    }
    // For a word that is in the dictionary this is its frequency, up to one.
    let frequency = jieba.suggest_freq(word).max(1) as f64;
    (CORPUS_WORDS / frequency).ln().max(0.0)
}

#[cfg(test)]
mod tests;
