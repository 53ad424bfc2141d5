//! How alike texts are, which of many say the same, and which few stand for the rest.
//!
//! Distances count characters, never bytes: 张伟 and 李伟 are one edit apart.

mod cluster;
mod duplicates;
mod edit;
mod features;
mod minhash;
mod shingles;
mod summary;

pub(crate) use cluster::cluster_verbatims;
pub(crate) use duplicates::near_duplicates;
#[cfg(test)]
pub(crate) use edit::levenshtein;
pub(crate) use edit::{damerau_levenshtein, jaro_winkler_similarity};
pub(crate) use minhash::minhash;
pub(crate) use shingles::text_similarity;
pub(crate) use summary::{Pick, summarize};

/// An argument that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Invalid {
    fn new(message: String, hint: &str) -> Self {
        Self { message, hint: Some(hint.to_owned()) }
    }
}

#[cfg(test)]
mod tests;
