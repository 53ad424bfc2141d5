//! Labels of any kind, learnt from a few examples of each: one against all others.
//!
//! Each label is a logistic regression over the features of [`super::features`] with the penalty ½|c|², solved
//! as the corrections of sentiment are. A text gets the label whose regression is surest.

use std::collections::BTreeMap;

use super::adapt::{Correction, Lesson, solve, values};
use super::score::Scorer;

/// One regression a label.
#[derive(Debug, Default)]
pub(crate) struct Classifier {
    labels: BTreeMap<String, Correction>,
}

impl Classifier {
    /// Learns from texts and their labels, whatever their order.
    pub(crate) fn learn<'a>(examples: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut examples: Vec<(&str, &str)> = examples.collect();
        examples.sort_unstable();
        let mut scorer = Scorer::new();
        let known: Vec<(Vec<(u32, f32)>, &str)> = examples
            .into_iter()
            .map(|(text, label)| {
                scorer.logits(text);
                (values(scorer.units()), label)
            })
            .filter(|(features, _)| !features.is_empty())
            .collect();
        let mut labels: BTreeMap<String, Correction> = BTreeMap::new();
        for (_, label) in &known {
            if labels.contains_key(*label) {
                continue;
            }
            let lesson = |(features, other): &(Vec<(u32, f32)>, &str)| Lesson {
                features: features.clone(),
                yes: other == label,
                before: 0.0,
            };
            let lessons: Vec<Lesson> = known.iter().map(lesson).collect();
            labels.insert((*label).to_owned(), solve(&lessons));
        }
        Self { labels }
    }

    pub(crate) fn knows(&self, label: &str) -> bool {
        self.labels.contains_key(label)
    }

    /// The likeliest label of a text, of those that `is_asked` names; `None` for a text that says nothing.
    pub(crate) fn label(
        &self,
        scorer: &mut Scorer,
        text: &str,
        is_asked: impl Fn(&str) -> bool,
    ) -> Option<&str> {
        scorer.logits(text);
        let features = values(scorer.units());
        if features.is_empty() {
            return None;
        }
        let asked = self.labels.iter().filter(|(label, _)| is_asked(label));
        let scored = asked.map(|(label, regression)| (label.as_str(), regression.value(&features)));
        // The first of equals, by name.
        scored
            .fold(None, |best: Option<(&str, f32)>, next| match best {
                Some(best) if best.1 >= next.1 => Some(best),
                _ => Some(next),
            })
            .map(|(label, _)| label)
    }
}
