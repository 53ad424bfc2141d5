//! Examples of labels, and the classifier that is learnt from them when it is first asked.

use std::sync::OnceLock;

use super::stamped;
use crate::sentiment::Classifier;

/// A text and the label a user gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    pub label: String,
    pub text: String,
}

#[derive(Debug)]
pub(crate) struct Examples {
    examples: Vec<Example>,
    version: String,
    classifier: OnceLock<Classifier>,
}

impl Examples {
    pub(super) fn new(mut examples: Vec<Example>) -> Self {
        examples.retain(|example| !example.label.trim().is_empty());
        examples.sort();
        examples.dedup();
        let cells = examples.iter().flat_map(|example| [example.label.as_str(), example.text.as_str()]);
        let version = stamped("examples", cells);
        Self { examples, version, classifier: OnceLock::new() }
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn classifier(&self) -> &Classifier {
        self.classifier.get_or_init(|| {
            Classifier::learn(
                self.examples.iter().map(|example| (example.text.as_str(), example.label.as_str())),
            )
        })
    }
}
