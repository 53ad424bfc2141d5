//! `classify`: the label of a text, learnt from examples that users give in a table. How is told in
//! [`crate::sentiment`]: one regression a label, over the same features.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, text};
use crate::sentiment::{Classifier, Scorer};

const CLASSIFY: Definition = Definition {
    name: "classify",
    arguments: "text [, labels]",
    returns: "text",
    volatility: Volatility::Stable,
    description: "The likeliest label of a text, learnt from the examples in text.examples; labels, separated by commas, are those \
                  to choose from, all unless given. NULL for a text that says nothing, or where there are no examples.",
    example: "SELECT classify('')",
    example_result: "",
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![scalar::entry(CLASSIFY, &[text(), text()], 1, DataType::Utf8, "Text", run)]
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let choices = if columns.has(1) { Some(columns.text(1)?) } else { None };
    let knowledge = columns.taught().knowledge();
    let classifier = knowledge.examples.classifier();
    let mut scorer = Scorer::new();
    let mut found = StringBuilder::new();
    for row in 0..columns.rows() {
        let choice = choices.as_ref().map(|choices| choices.get(row));
        let (Some(text), false) = (texts.get(row), choice == Some(None)) else {
            found.append_null();
            continue;
        };
        let label = match choice.flatten() {
            None => classifier.label(&mut scorer, text, |_| true),
            Some(labels) => {
                let labels = known_labels(classifier, labels)?;
                classifier.label(&mut scorer, text, |label| labels.contains(&label))
            }
        };
        found.append_option(label);
    }
    Ok(Arc::new(found.finish()))
}

fn known_labels<'a>(classifier: &Classifier, labels: &'a str) -> Result<Vec<&'a str>, Error> {
    let labels: Vec<&str> = labels.split([',', '，']).map(str::trim).collect();
    match labels.iter().find(|label| !classifier.knows(label)) {
        None => Ok(labels),
        Some(unknown) => Err(Error::invalid_argument(format!("label \"{unknown}\" has no examples"))
            .with_hint("INSERT INTO text.examples (label, text) gives it some.")),
    }
}
