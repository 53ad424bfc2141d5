//! The model of sentiment in force: the one that comes with the program, perhaps corrected by a user's labels.

use voxhouse_engine::Error;

use super::fingerprint;
use crate::hash;
use crate::sentiment::{Adaptation, Label, Scorer, Sentiment, adapt};

/// What the model that comes with the program calls itself.
const SHIPPED: &str = "sentiment.1";

/// Parts of the texts, each tried on what was learnt from the others.
const FOLDS: u64 = 5;

#[derive(Debug)]
pub struct SentimentModel {
    version: String,
    adaptation: Option<Adaptation>,
}

impl SentimentModel {
    pub(super) fn shipped() -> Self {
        Self { version: SHIPPED.to_owned(), adaptation: None }
    }

    pub(super) fn stored(version: i64, weights: &[u8]) -> Result<Self, Error> {
        let hex: String = weights.iter().map(|byte| format!("{byte:02x}")).collect();
        let version = format!("{SHIPPED}+{version}.{:08x}", fingerprint([hex.as_str()]));
        Ok(Self { version, adaptation: Some(Adaptation::from_bytes(weights)?) })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn score(&self, scorer: &mut Scorer, text: &str) -> Sentiment {
        match &self.adaptation {
            Some(adaptation) => adaptation.score(scorer, text),
            None => scorer.score(text),
        }
    }
}

/// What was learnt from labelled texts, and how well.
#[derive(Debug, Clone)]
pub struct Trained {
    pub weights: Vec<u8>,
    /// Texts with a label.
    pub n_obs: u64,
    /// The share of texts whose label the model that comes with the program gives.
    pub accuracy_before: f64,
    /// The same of models that were learnt without the text. `None` where the texts are too few for that.
    pub accuracy_after: Option<f64>,
}

/// Learns from texts and their labels.
///
/// # Errors
/// A label that there is not; no positive or no negative text.
pub fn train_sentiment(texts: &[(String, String)]) -> Result<Trained, Error> {
    let mut lessons = Vec::with_capacity(texts.len());
    for (text, label) in texts {
        let label = Label::parse(label).ok_or_else(|| {
            let shown: String = label.chars().take(40).collect();
            Error::invalid_argument(format!("label \"{shown}\" is not one of sentiment"))
                .with_hint("The labels are positive, neutral, negative and mixed.")
        })?;
        lessons.push((text.as_str(), label));
    }
    let adaptation = adapt(&lessons)?;
    let mut scorer = Scorer::new();
    let right = lessons.iter().filter(|(text, label)| scorer.score(text).label == *label).count();
    Ok(Trained {
        weights: adaptation.to_bytes(),
        n_obs: lessons.len() as u64,
        accuracy_before: right as f64 / lessons.len().max(1) as f64,
        accuracy_after: cross_validated(&lessons),
    })
}

/// Equal texts stand in the same part.
fn part(text: &str) -> u64 {
    hash::of_text(text) % FOLDS
}

fn cross_validated(lessons: &[(&str, Label)]) -> Option<f64> {
    let mut right = 0usize;
    let mut scorer = Scorer::new();
    for fold in 0..FOLDS {
        let (held, taught): (Vec<_>, Vec<_>) = lessons.iter().partition(|(text, _)| part(text) == fold);
        let learnt = adapt(&taught).ok()?;
        right += held.iter().filter(|(text, label)| learnt.score(&mut scorer, text).label == *label).count();
    }
    Some(right as f64 / lessons.len().max(1) as f64)
}
