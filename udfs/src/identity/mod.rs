//! Who is who: records of many source systems joined into entities.
//!
//! The model is that of Fellegi and Sunter (1969): a pair of records agrees or disagrees on each comparison at
//! some level; each level has the probability m among matches and u among the rest; log2(m/u) is its weight.
//! Nothing here reads or writes tables: rows go in as text, numbers come out. Results depend on the set of
//! rows and the seed, never on the order of rows.

pub(crate) mod block;
pub(crate) mod bridge;
pub(crate) mod cluster;
pub(crate) mod compare;
pub(crate) mod defaults;
pub(crate) mod distance;
pub(crate) mod document;
pub(crate) mod form;
pub(crate) mod groups;
pub(crate) mod hash;
pub(crate) mod incremental;
pub(crate) mod intern;
pub(crate) mod kept;
pub(crate) mod model;
pub(crate) mod resolve;
pub(crate) mod resolver;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod train;
pub(crate) mod union_find;

#[cfg(test)]
mod tests;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// Lower-case, one line.
    pub(crate) message: String,
    /// A sentence that says more.
    pub(crate) detail: Option<String>,
    /// A sentence that says what to do.
    pub(crate) hint: Option<String>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), detail: None, hint: None }
    }

    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

/// What a column holds: says how its values are made comparable, compared, and used to find candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A person's name or a part of it, in any script.
    Name,
    Phone,
    Email,
    /// A value that names one entity within its kind: membership number, identity card, open id.
    Identifier,
    Address,
    Date,
    /// One of few values: city, gender, occupation.
    Category,
    /// Words: titles, descriptions.
    Text,
    Number,
}
