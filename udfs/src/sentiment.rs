//! Sentiment by lexicon: `sentiment`, `sentiment_label`.
//!
//! A text is read from left to right as a row of entries of the lexicon (`data/sentiment.tsv`: term and
//! polarity in −1..1, where 0 keeps a shorter entry from firing inside a longer word) and of modifiers
//! (`data/sentiment_modifiers.tsv`). Within a clause
//!
//! - a negator in reach turns the next polarity round and weakens it; two negators cancel out, so that
//!   不是不好 and "not without charm" are mild praise;
//! - a degree word scales the next polarity (非常, very; 有点, slightly);
//! - after a wish or a condition (希望, 如果, please, if) nothing counts as praise, and neither does praise
//!   followed by 一些 or 一点: "希望网络顺畅一些" asks for something.
//!
//! Within a sentence, what comes before a contrast (但是, but) weighs less than what comes after, and a
//! question praises half. With S the sum of all polarities the result is S / √(S² + 1).
//!
//! NULL gives NULL; a text in which nothing is found gives 0. The label is neutral between −0.1 and 0.1.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, text};

mod lexicon;
mod score;

use lexicon::LEXICON;
use score::Scorer;

const SENTIMENT: Definition = Definition {
    name: "sentiment",
    arguments: "text",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "Sentiment of a Chinese or English text from -1 (negative) to 1 (positive), by a lexicon \
                  with negation, degree, contrast and wishes. 0 if nothing speaks for either.",
    example: "SELECT round(sentiment('配送很快，味道不错'), 2), round(sentiment('not helpful at all'), 2), \
              sentiment('2024-05-01')",
    example_result: "0.77|-0.62|0.0",
};

const SENTIMENT_LABEL: Definition = Definition {
    name: "sentiment_label",
    returns: "text",
    description: "Sentiment of a Chinese or English text as positive, neutral or negative; neutral where \
                  sentiment is between -0.1 and 0.1.",
    example: "SELECT sentiment_label('不是不好'), sentiment_label('希望网络顺畅一些'), sentiment_label('太慢了')",
    example_result: "positive|neutral|negative",
    ..SENTIMENT
};

/// Where neutral ends.
const DECIDED: f64 = 0.1;

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(SENTIMENT, &[text()], 0, DataType::Float64, "Text", run),
        scalar::entry(SENTIMENT_LABEL, &[text()], 0, DataType::Utf8, "Text", run_label),
    ]
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let mut scorer = Scorer::new(&LEXICON);
    let score = |row| texts.get(row).map(|text| scorer.score(text));
    Ok(Arc::new((0..columns.rows()).map(score).collect::<Float64Array>()))
}

fn run_label(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let mut scorer = Scorer::new(&LEXICON);
    let name = |row| texts.get(row).map(|text| label(scorer.score(text)));
    Ok(Arc::new((0..columns.rows()).map(name).collect::<StringArray>()))
}

fn label(score: f64) -> &'static str {
    if score >= DECIDED {
        "positive"
    } else if score <= -DECIDED {
        "negative"
    } else {
        "neutral"
    }
}

#[cfg(test)]
mod tests;
