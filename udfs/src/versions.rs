//! Which version of what users taught a row was made with: `dictionary_version`, `opinions_version`,
//! `sentiment_version`, `taxonomy_version`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::knowledge::Topic;
use crate::scalar::{self, Columns, text};

const DICTIONARY: Definition = Definition {
    name: "dictionary_version",
    arguments: "",
    returns: "text",
    volatility: Volatility::Stable,
    description: "The version of the words that texts are segmented by: that of jieba's dictionary, and a fingerprint of the rows of \
                  text.dictionary. The same rows give the same version.",
    example: "SELECT dictionary_version()",
    example_result: "jieba-0.11",
};

const OPINIONS: Definition = Definition {
    name: "opinions_version",
    description: "The version of what finds opinions, beside the dictionary: that of the model, and a fingerprint of the rows of \
                  text.aspects.",
    example: "SELECT opinions_version()",
    example_result: "zh.model.1",
    ..DICTIONARY
};

const SENTIMENT: Definition = Definition {
    name: "sentiment_version",
    description: "The version of the model of sentiment: that of the shipped model, and which row of text.models corrects it.",
    example: "SELECT sentiment_version()",
    example_result: "sentiment.1",
    ..DICTIONARY
};

const TAXONOMY: Definition = Definition {
    name: "taxonomy_version",
    arguments: "taxonomy",
    description: "The version of a taxonomy that tags() applies: its number in text.taxonomy and a fingerprint of its rows, or shipped.",
    example: "SELECT taxonomy_version('hotel')",
    example_result: "shipped",
    ..DICTIONARY
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(DICTIONARY, &[], 0, DataType::Utf8, "Text", |call| one(call, Topic::Dictionary)),
        scalar::entry(OPINIONS, &[], 0, DataType::Utf8, "Text", |call| one(call, Topic::Aspects)),
        scalar::entry(SENTIMENT, &[], 0, DataType::Utf8, "Text", |call| one(call, Topic::Sentiment)),
        scalar::entry(TAXONOMY, &[text()], 0, DataType::Utf8, "Text", taxonomies),
    ]
}

fn one(columns: &Columns, topic: Topic) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from_iter_values([columns.taught().version(topic)])))
}

fn taxonomies(columns: &Columns) -> Result<ArrayRef> {
    let names = columns.text(0)?;
    let knowledge = columns.taught().knowledge();
    let stamp = |row| names.get(row).map(|name| Ok(knowledge.taxonomies.find(name)?.stamp.clone()));
    let stamps: Vec<Option<String>> =
        (0..columns.rows()).map(|row| stamp(row).transpose()).collect::<Result<_, Error>>()?;
    Ok(Arc::new(StringArray::from(stamps)))
}
