//! Finding texts by words: tokens with their places, queries over tokens, and snippets that show the match.

mod parse;
mod query;
mod snippet;
mod special;
mod tokens;

pub use query::Query;
pub use snippet::{Marks, snippet};
pub use tokens::{Detail, Token, tokens};

pub use crate::similarity::Invalid;

#[cfg(test)]
mod tests;
