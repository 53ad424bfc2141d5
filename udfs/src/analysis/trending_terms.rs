//! `trending_terms`: the words that some texts have more often than others.

use arrow::array::Array;
use datafusion::scalar::ScalarValue;
use jieba_rs::Jieba;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::trend::keyness::Terms;
use crate::keywords;
use crate::report::{Row, Streaming, Type, Values, state};
use crate::tokenize::{self, Mode};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "trending_terms",
        arguments: "relation, text, foreground [, k, min_count]",
        description: "Words that the texts of the foreground (a condition, or 0 and 1) have more often than the others, by \
                      Dunning's log-likelihood, with p-values corrected by Benjamini and Hochberg; a word counts once a \
                      text. k is how many words to give, 50 unless given; min_count is how many texts must have a word, \
                      3 unless given.",
        example: "SELECT term, foreground_n, background_n, round(p_adjusted, 4) AS p_adjusted FROM trending_terms('SELECT * FROM \
                  (VALUES (''配送太慢'', true), (''配送又慢'', true), (''配送慢，不满意'', true), (''味道很好'', false), (''味道不错'', false), \
                  (''味道好极了'', false)) AS t(comment, recent)', 'comment', 'recent', k => 1)",
        example_result: "配送|3|0|0.0039",
        ..REPORT
    },
    parameters: &[
        required("text", Takes::Text),
        required("foreground", Takes::Number),
        optional("k", Takes::Setting),
        optional("min_count", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("term", Type::Text),
    ("foreground_n", Type::Bigint),
    ("background_n", Type::Bigint),
    ("statistic", Type::Double),
    ("log_ratio", Type::Double),
    ("p_value", Type::Double),
    ("p_adjusted", Type::Double),
];

state!(Terms, own, other => {
    own.merge(&other);
    Ok(())
});

pub(super) fn settings(call: &Call) -> Result<(usize, u64), Error> {
    Ok((call.whole("k", 50, 1, 100_000)? as usize, call.whole("min_count", 3, 1, u64::MAX)?))
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    settings(call)?;
    Ok(Streaming::start(call, Terms::default(), read, table))
}

fn read(call: &Call, values: &Values, terms: &mut Terms) -> Result<(), Error> {
    let texts = values.text(call.places("text").start)?;
    let foreground = values.number(call.places("foreground").start)?;
    let jieba = call.knowledge.dictionary.jieba();
    for row in 0..values.rows {
        if texts.is_null(row) || foreground.is_null(row) {
            continue;
        }
        let words = words(&jieba, texts.value(row));
        terms.update(foreground.value(row) != 0.0, words.iter().map(String::as_str));
    }
    Ok(())
}

/// The words of a text that can be keywords.
pub(super) fn words(jieba: &Jieba, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    tokenize::for_each_token(jieba, text, Mode::Accurate, |word| {
        if keywords::is_candidate(word) {
            words.push(word.to_owned());
        }
    });
    words
}

pub(super) fn table(call: &Call, terms: &mut Terms) -> Result<Vec<Row>, Error> {
    let (k, min_count) = settings(call)?;
    let rising = terms.keyness(min_count)?.into_iter().filter(|term| term.statistic > 0.0).take(k);
    let row = |term: crate::inference::trend::keyness::Keyness| {
        vec![
            ScalarValue::from(term.term.as_str()),
            ScalarValue::from(term.foreground as i64),
            ScalarValue::from(term.background as i64),
            ScalarValue::from(term.statistic),
            ScalarValue::from(term.log_ratio),
            ScalarValue::from(term.p_value),
            ScalarValue::from(term.p_adjusted),
        ]
    };
    Ok(rising.map(row).collect())
}
