//! The heads of aspects: those that come with the program, and what users say instead.

use std::collections::BTreeMap;

use super::stamped;
use crate::opinions::{Heads, MODEL_VERSION};

/// A word and the aspect it is counted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AspectTerm {
    pub word: String,
    pub aspect: String,
}

#[derive(Debug)]
pub(crate) struct Aspects {
    heads: Heads,
    version: String,
}

impl Aspects {
    pub(super) fn new(terms: Vec<AspectTerm>) -> Self {
        let mut known = BTreeMap::new();
        for AspectTerm { word, aspect } in terms {
            if !word.trim().is_empty() && !aspect.trim().is_empty() {
                let slot: &mut String = known.entry(word.trim().to_lowercase()).or_default();
                let aspect = aspect.trim();
                // Of two rows of one word the last in order counts, whatever order they came in.
                if slot.as_str() < aspect {
                    aspect.clone_into(slot);
                }
            }
        }
        let cells = known.iter().flat_map(|(word, aspect)| [word.as_str(), aspect.as_str()]);
        let version = stamped(MODEL_VERSION, cells);
        let heads = Heads::edited(known.iter().map(|(word, aspect)| (word.as_str(), aspect.as_str())));
        Self { heads, version }
    }

    /// The version of all that finds opinions but the dictionary: the model, and these heads.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn heads(&self) -> &Heads {
        &self.heads
    }
}
