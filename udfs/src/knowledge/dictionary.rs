//! The words of the segmenter: jieba's own, and those that users add.
//!
//! Built from nothing whenever the words change: that takes a tenth of a second, and needs no second copy in
//! memory to start from. It is built when the first text is segmented.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jieba_rs::Jieba;

use super::stamped;

/// What a dictionary without words of users calls itself.
const SHIPPED: &str = "jieba-0.11";

/// A word that a user adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub word: String,
    /// How often it occurs in a corpus of sixty million words. `None`: as often as it takes to keep it whole.
    pub weight: Option<u64>,
    /// Part of speech, in jieba's letters.
    pub tag: Option<String>,
}

/// The words of users, and the segmenter that knows them.
#[derive(Debug)]
pub(crate) struct Dictionary {
    words: BTreeMap<String, Word>,
    version: String,
    jieba: OnceLock<Arc<Jieba>>,
}

impl Dictionary {
    /// Of two rows of one word the one with the larger weight counts.
    pub(super) fn new(words: Vec<Word>) -> Self {
        let mut known: BTreeMap<String, Word> = BTreeMap::new();
        for mut word in words {
            word.word = word.word.trim().to_owned();
            let more = |other: &Word| (word.weight, &word.tag) > (other.weight, &other.tag);
            if !word.word.is_empty() && known.get(&word.word).is_none_or(more) {
                known.insert(word.word.clone(), word);
            }
        }
        let cells: Vec<String> = known
            .values()
            .map(|word| {
                format!("{}\t{:?}\t{}", word.word, word.weight, word.tag.as_deref().unwrap_or_default())
            })
            .collect();
        let version = stamped(SHIPPED, cells.iter().map(String::as_str));
        Self { words: known, version, jieba: OnceLock::new() }
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The segmenter; the first call builds it.
    pub(crate) fn jieba(&self) -> Arc<Jieba> {
        Arc::clone(self.jieba.get_or_init(|| Arc::new(self.build())))
    }

    fn build(&self) -> Jieba {
        let mut jieba = Jieba::new();
        // Weights are found before any word is added, so that they do not depend on the order.
        let weigh = |word: &Word| match word.weight {
            Some(weight) => usize::try_from(weight).unwrap_or(usize::MAX),
            None => jieba.suggest_freq(&word.word),
        };
        let weighed: Vec<(&Word, usize)> = self.words.values().map(|word| (word, weigh(word))).collect();
        for (word, weight) in weighed {
            jieba.add_word(&word.word, Some(weight), word.tag.as_deref());
        }
        jieba
    }
}
