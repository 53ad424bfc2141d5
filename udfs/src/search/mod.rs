//! Finding texts by words: tokens with their places, queries over tokens, and snippets that show the match.

mod parse;
mod query;
mod snippet;
mod special;
mod tokens;

pub(crate) use query::Query;
pub(crate) use snippet::{Marks, snippet};
pub(crate) use tokens::{Detail, Token, tokens};

pub(crate) use crate::similarity::Invalid;

#[cfg(test)]
mod tests;
