//! What users teach the text functions: words, heads of aspects, taxonomies, labels of sentiment, examples.
//!
//! All of it is one immutable value, [`Knowledge`]. A warehouse holds one in its [`Taught`], and [`Taught::teach`]
//! swaps it whole: a call that has begun finishes with the value it began with. Where the rows come from is not
//! known here.
//!
//! Every part has a version, worked out from its content: the same rows give the same version in every process
//! and at every time, and derived rows are stamped with it.

mod aspects;
mod dictionary;
mod examples;
mod sentiment;
mod taxonomies;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use voxhouse_engine::Error;

use crate::hash;
pub use aspects::AspectTerm;
pub(crate) use aspects::Aspects;
pub(crate) use dictionary::Dictionary;
pub use dictionary::Word;
pub use examples::Example;
pub(crate) use examples::Examples;
pub use sentiment::{SentimentModel, Trained, train_sentiment};
pub use taxonomies::TaxonomyRow;
pub(crate) use taxonomies::{Applied, Taxonomies};

/// What the text functions know beyond what comes with the program.
#[derive(Debug, Clone)]
pub(crate) struct Knowledge {
    pub(crate) dictionary: Arc<Dictionary>,
    pub(crate) aspects: Arc<Aspects>,
    pub(crate) taxonomies: Arc<Taxonomies>,
    pub(crate) sentiment: Arc<SentimentModel>,
    pub(crate) examples: Arc<Examples>,
}

/// What the text functions of one warehouse have been taught. A dictionary takes some 32 MB and a tenth of a
/// second to build, so there is one for all sessions, built when the first text is segmented.
#[derive(Debug)]
pub struct Taught {
    current: RwLock<Arc<Knowledge>>,
}

impl Default for Taught {
    /// What comes with the program.
    fn default() -> Self {
        let shipped = Knowledge {
            dictionary: Arc::new(Dictionary::new(Vec::new())),
            aspects: Arc::new(Aspects::new(Vec::new())),
            taxonomies: Arc::new(Taxonomies::new(Vec::new())),
            sentiment: Arc::new(SentimentModel::shipped()),
            examples: Arc::new(Examples::new(Vec::new())),
        };
        Self { current: RwLock::new(Arc::new(shipped)) }
    }
}

/// What functions know that belong to no warehouse.
pub(crate) static UNTAUGHT: LazyLock<Arc<Taught>> = LazyLock::new(Arc::default);

/// The parts of the knowledge, each kept in a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    Dictionary,
    Aspects,
    Taxonomies,
    Sentiment,
    Examples,
}

/// All there is to know of one topic.
#[derive(Debug, Clone)]
pub enum Lesson {
    Dictionary(Vec<Word>),
    Aspects(Vec<AspectTerm>),
    Taxonomies(Vec<TaxonomyRow>),
    /// The version in force and the weights it was stored with; `None`: the model that comes with the program.
    Sentiment(Option<(i64, Vec<u8>)>),
    Examples(Vec<Example>),
}

impl Taught {
    /// The knowledge in force. Take it once for a batch, not once for a row.
    pub(crate) fn knowledge(&self) -> Arc<Knowledge> {
        Arc::clone(&self.current.read())
    }

    /// Puts what a lesson says in the place of what was known of its topic.
    ///
    /// # Errors
    /// Weights that are damaged. Everything else that is wrong with a lesson is told by the function that needs it.
    pub fn teach(&self, lesson: Lesson) -> Result<(), Error> {
        let known = self.knowledge();
        let mut next = Knowledge::clone(&known);
        match lesson {
            Lesson::Dictionary(words) => {
                replace(&mut next.dictionary, Dictionary::new(words), Dictionary::version)
            }
            Lesson::Aspects(terms) => replace(&mut next.aspects, Aspects::new(terms), Aspects::version),
            Lesson::Taxonomies(rows) => {
                replace(&mut next.taxonomies, Taxonomies::new(rows), Taxonomies::version)
            }
            Lesson::Sentiment(None) => {
                replace(&mut next.sentiment, SentimentModel::shipped(), SentimentModel::version);
            }
            Lesson::Sentiment(Some((version, weights))) => {
                let model = SentimentModel::stored(version, &weights)?;
                replace(&mut next.sentiment, model, SentimentModel::version);
            }
            Lesson::Examples(examples) => {
                replace(&mut next.examples, Examples::new(examples), Examples::version)
            }
        }
        // Only the topic of the lesson may differ: another one may have been taught meanwhile.
        let mut current = self.current.write();
        *current = Arc::new(current.with_changes(&known, &next));
        Ok(())
    }

    /// The version of what is known of a topic.
    pub fn version(&self, topic: Topic) -> String {
        let known = self.knowledge();
        match topic {
            Topic::Dictionary => known.dictionary.version(),
            Topic::Aspects => known.aspects.version(),
            Topic::Taxonomies => known.taxonomies.version(),
            Topic::Sentiment => known.sentiment.version(),
            Topic::Examples => known.examples.version(),
        }
        .to_owned()
    }

    /// What rows are stamped with that are worked out with these topics.
    pub fn derived_stamp(&self, topics: &[Topic]) -> String {
        let known = self.knowledge();
        let stamps = topics.iter().map(|topic| match topic {
            // Of taxonomies only those in force are applied.
            Topic::Taxonomies => known.taxonomies.stamp_in_force(),
            other => self.version(*other),
        });
        stamps.collect::<Vec<_>>().join(" ")
    }
}

impl Knowledge {
    /// This, with those parts of `next` that differ from `known`.
    fn with_changes(&self, known: &Self, next: &Self) -> Self {
        fn part<T>(own: &Arc<T>, known: &Arc<T>, next: &Arc<T>) -> Arc<T> {
            Arc::clone(if Arc::ptr_eq(known, next) { own } else { next })
        }
        Self {
            dictionary: part(&self.dictionary, &known.dictionary, &next.dictionary),
            aspects: part(&self.aspects, &known.aspects, &next.aspects),
            taxonomies: part(&self.taxonomies, &known.taxonomies, &next.taxonomies),
            sentiment: part(&self.sentiment, &known.sentiment, &next.sentiment),
            examples: part(&self.examples, &known.examples, &next.examples),
        }
    }
}

/// What says the same stays, with all that was built from it.
fn replace<T>(place: &mut Arc<T>, next: T, version: fn(&T) -> &str) {
    if version(place) != version(&next) {
        *place = Arc::new(next);
    }
}

/// What a function of SQL needs to know before it runs.
pub fn topics_of(function: &str) -> &'static [Topic] {
    use Topic::{Aspects, Dictionary, Examples, Sentiment, Taxonomies};
    match function.trim_start_matches("__") {
        "tokenize" | "tokens" | "keywords" | "text_match" | "snippet" | "trending_terms"
        | "dictionary_version" => &[Dictionary],
        "opinions" | "opinions_version" => &[Dictionary, Aspects],
        "tags" | "taxonomy_version" => &[Taxonomies],
        "suggest_tags" => &[Dictionary, Taxonomies],
        "sentiment" | "sentiment_probability" | "sentiment_label" | "sentiment_version" => &[Sentiment],
        "classify" => &[Examples],
        _ => &[],
    }
}

/// A version for rows beyond those that come with the program: that of the program alone where there are none.
fn stamped<'a>(shipped: &str, rows: impl IntoIterator<Item = &'a str>) -> String {
    let mut cells = rows.into_iter().peekable();
    if cells.peek().is_none() {
        return shipped.to_owned();
    }
    format!("{shipped}+{:08x}", fingerprint(cells))
}

/// Tells rows of cells apart; cells are set off from each other, so that no two rows read alike.
fn fingerprint<'a>(cells: impl IntoIterator<Item = &'a str>) -> u32 {
    let mut text = String::new();
    for cell in cells {
        text.push_str(cell);
        text.push('\u{1f}');
    }
    (hash::of_text(&text) >> 32) as u32
}

/// The rows of a taxonomy that comes with the program, as those of a user's.
///
/// # Errors
/// Another name.
pub fn shipped_taxonomy(name: &str) -> Result<Vec<TaxonomyRow>, Error> {
    let table = crate::opinions::tags::shipped(name)?;
    let rows = table.lines().skip(1).filter(|row| !row.trim().is_empty());
    Ok(rows.map(|row| TaxonomyRow::of_cells(name, row)).collect())
}
