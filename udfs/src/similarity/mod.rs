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

pub use cluster::{Cluster, Clustering, cluster_verbatims};
pub use duplicates::near_duplicates;
pub use edit::{damerau_levenshtein, jaro_winkler_similarity, levenshtein};
pub use minhash::{Signature, minhash};
pub use shingles::text_similarity;
pub use summary::{Pick, summarize};

/// An argument that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    pub message: String,
    pub hint: Option<String>,
}

impl Invalid {
    fn new(message: String, hint: &str) -> Self {
        Self { message, hint: Some(hint.to_owned()) }
    }
}

#[cfg(test)]
mod tests;
