//! Tags by query: a taxonomy of rows (tag, parent, include query, exclude query), compiled once, and the
//! places where its tags are found in a text.
//!
//! A query is made of terms joined by `AND`, `OR`, `NOT` (binary: `a NOT b`, or in front: `NOT b`), of
//! brackets, and of `a NEAR/n b` (at most n ideographs or words between the two, in either order). Terms side by side without an operator mean `AND`. A term in quotes may hold blanks and operators.
//! Terms are compared in lower case and half width; a term in Latin letters must stand as words of its own.
//! Precedence: `NEAR`, then `NOT`, then `AND`, then `OR`.
//!
//! A tag applies where its include query holds in the text and its exclude query does not. It is reported at
//! every place that the include query rests on: each occurrence of a term that is not negated, or the stretch
//! that a `NEAR` spans.
//!
//! All terms of all tags are found in one pass over the text (an Aho–Corasick automaton on characters), so
//! the time is linear in the text whatever the number of tags.

mod automaton;
mod query;
mod taxonomy;

pub(crate) use query::check;
pub(crate) use taxonomy::{SHIPPED_NAMES, TagHit, Taxonomy, shipped, tags};

#[cfg(test)]
mod tests;
