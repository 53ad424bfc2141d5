//! Sentiment of short texts, Chinese above all: how positive, how sure, and which characters say so.
//!
//! A linear model over hashed rows of characters and words ([`features`]), learnt from labelled texts by the
//! crate in `training/`; the weights are a file of this crate and hold no text. With w the weight of a feature
//! and n their number,
//!
//! margin = Σ w / √n + bias, P(positive) = 1 / (1 + exp(−(a · ±|margin|^c + b))).
//!
//! A second weight of every feature tells whether a text judges anything at all; where it does not, the label
//! is neutral. A text with strong clauses on both sides is mixed. Wang and Manning (2012), "Baselines and
//! bigrams: simple, good sentiment and topic classification", ACL; Platt (1999) for the probability.

mod adapt;
mod explain;
mod features;
mod fold;
mod labels;
mod score;
mod table;
mod units;

pub(crate) use adapt::{Adaptation, adapt};
pub(crate) use explain::explain;
pub(crate) use labels::Classifier;
pub(crate) use score::{Label, Scorer, Sentiment};
#[cfg(test)]
use {explain::margin, score::score};

/// An argument that the kernel cannot work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

#[cfg(test)]
mod tests;
