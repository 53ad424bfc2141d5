//! `suggest_tags`: the words that texts without a tag have more often than those with one.

use std::sync::Arc;

use arrow::array::Array;
use voxhouse_engine::Error;

use super::trending_terms::{settings, table, words};
use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::trend::keyness::Terms;
use crate::knowledge::Applied;
use crate::opinions::tags::tags;
use crate::report::{Streaming, Type, Values};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "suggest_tags",
        arguments: "relation, text [, taxonomy, k, min_count]",
        description: "Words for new tags: those that texts without a tag have more often than texts with one, by Dunning's \
                      log-likelihood, with p-values corrected by Benjamini and Hochberg; a word counts once a text. taxonomy \
                      is what tags() takes, all of text.taxonomy unless given; k is how many words to give, 50 unless given; \
                      min_count is how many texts must have a word, 3 unless given.",
        example: "SELECT term, untagged_n, tagged_n FROM suggest_tags('SELECT * FROM (VALUES (''充电宝还不了''), (''充电宝坏了''), \
                  (''充电宝没电''), (''网速太慢''), (''网速还行''), (''网速很快'')) AS t(comment)', 'comment', taxonomy => 'telecom', k => 1)",
        example_result: "充电|3|0",
        ..REPORT
    },
    parameters: &[
        required("text", Takes::Text),
        optional("taxonomy", Takes::Setting),
        optional("k", Takes::Setting),
        optional("min_count", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("term", Type::Text),
    ("untagged_n", Type::Bigint),
    ("tagged_n", Type::Bigint),
    ("statistic", Type::Double),
    ("log_ratio", Type::Double),
    ("p_value", Type::Double),
    ("p_adjusted", Type::Double),
];

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    settings(call)?;
    applied(call)?;
    Ok(Streaming::start(call, Terms::default(), read, table))
}

/// The taxonomies whose tags count.
fn applied(call: &Call) -> Result<Vec<Arc<Applied>>, Error> {
    let knowledge = &call.knowledge;
    Ok(match call.word("taxonomy") {
        Some(name) => vec![knowledge.taxonomies.find(&name)?],
        None => knowledge.taxonomies.in_force().map(Arc::clone).collect(),
    })
}

fn read(call: &Call, values: &Values, terms: &mut Terms) -> Result<(), Error> {
    let texts = values.text(call.places("text").start)?;
    let taxonomies = applied(call)?;
    let taxonomies = taxonomies.iter().map(|one| one.taxonomy()).collect::<Result<Vec<_>, _>>()?;
    let jieba = call.knowledge.dictionary.jieba();
    for row in (0..values.rows).filter(|row| texts.is_valid(*row)) {
        let text = texts.value(row);
        let is_untagged = taxonomies.iter().all(|taxonomy| tags(text, taxonomy).is_empty());
        let words = words(&jieba, text);
        terms.update(is_untagged, words.iter().map(String::as_str));
    }
    Ok(())
}
