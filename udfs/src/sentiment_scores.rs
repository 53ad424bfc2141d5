//! `sentiment`, `sentiment_probability`, `sentiment_label` and `sentiment_explain`: how positive a text is, how sure that is, and
//! which of its words say so. The model is told in [`crate::sentiment`], its figures in `docs/models/sentiment.md`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use crate::entry::{Definition, Entry};
use crate::knowledge::SentimentModel;
use crate::row_lists::{self, Cell, RowLists};
use crate::scalar::{self, Columns, text};
use crate::sentiment::{self, Scorer, Sentiment};

mod wishes;

/// What the model says, but for wishes: a sentence that wishes for something is no praise.
fn judge(model: &SentimentModel, scorer: &mut Scorer, text: &str) -> Sentiment {
    let found = model.score(scorer, text);
    if found.score <= 0.0 {
        return found;
    }
    match wishes::without(text) {
        Some(rest) => model.score(scorer, &rest),
        None => found,
    }
}

const SENTIMENT: Definition = Definition {
    name: "sentiment",
    arguments: "text",
    returns: "double precision",
    volatility: Volatility::Stable,
    description: "Sentiment of a Chinese or English text from -1 (negative) to 1 (positive), drawn towards 0 as far as the text judges \
                  nothing; 0 if it says nothing. A sentence that wishes for something (希望, please) is no praise.",
    example: "SELECT round(sentiment('配送很快，味道不错'), 2), round(sentiment('等了一个小时还没送到'), 2), sentiment('2024-05-01')",
    example_result: "0.88|-0.95|0.0",
};

const PROBABILITY: Definition = Definition {
    name: "sentiment_probability",
    description: "Probability that a text is positive rather than negative, if it is one of them; 0.5 if it says nothing.",
    example: "SELECT round(sentiment_probability('不是不好'), 2), sentiment_probability('')",
    example_result: "0.97|0.5",
    ..SENTIMENT
};

const LABEL: Definition = Definition {
    name: "sentiment_label",
    returns: "text",
    description: "Sentiment of a Chinese or English text as positive, neutral, negative, or mixed where strong clauses speak for both.",
    example: "SELECT sentiment_label('不是不好'), sentiment_label('请问营业时间是几点到几点？'), sentiment_label('太慢了')",
    example_result: "positive|neutral|negative",
    ..SENTIMENT
};

const EXPLAIN: Definition = Definition {
    name: "sentiment_explain",
    returns: "table",
    description: "What each character or word adds to the margin between positive and negative, one row each: its words, start_at and \
                  end_at in characters from 0, and weight; the last row is the constant of the model. The weights add up to the margin \
                  exactly, that of the shipped model, whatever was learnt from labels. In FROM it has these columns.",
    example: "SELECT get_field(e, 'words'), round(get_field(e, 'weight'), 3) FROM (SELECT unnest(sentiment_explain('很快，但贵')) AS e)",
    example_result: "很|0.187\n快|0.321\n，|-0.007\n但|-0.029\n贵|-0.174\n|-0.105",
    ..SENTIMENT
};

const COLUMNS: &[row_lists::Column] = &[
    ("words", row_lists::Kind::Text),
    ("start_at", row_lists::Kind::Integer),
    ("end_at", row_lists::Kind::Integer),
    ("weight", row_lists::Kind::Double),
];

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(SENTIMENT, &[text()], 0, DataType::Float64, "Text", scores),
        scalar::entry(PROBABILITY, &[text()], 0, DataType::Float64, "Text", probabilities),
        scalar::entry(LABEL, &[text()], 0, DataType::Utf8, "Text", labels),
        scalar::entry(EXPLAIN, &[text()], 0, row_lists::data_type(COLUMNS), "Text", explanations),
    ]
}

fn scores(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let (knowledge, mut scorer) = (columns.taught().knowledge(), Scorer::new());
    let score =
        |row| texts.get(row).map(|text| f64::from(judge(&knowledge.sentiment, &mut scorer, text).score));
    Ok(Arc::new((0..columns.rows()).map(score).collect::<Float64Array>()))
}

fn probabilities(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let (knowledge, mut scorer) = (columns.taught().knowledge(), Scorer::new());
    let probability = |row| {
        texts.get(row).map(|text| f64::from(judge(&knowledge.sentiment, &mut scorer, text).probability))
    };
    Ok(Arc::new((0..columns.rows()).map(probability).collect::<Float64Array>()))
}

fn labels(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let (knowledge, mut scorer) = (columns.taught().knowledge(), Scorer::new());
    let label = |row| texts.get(row).map(|text| judge(&knowledge.sentiment, &mut scorer, text).label.name());
    Ok(Arc::new((0..columns.rows()).map(label).collect::<StringArray>()))
}

fn explanations(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let mut lists = RowLists::new(COLUMNS);
    for row in 0..columns.rows() {
        let Some(text) = texts.get(row) else {
            lists.null();
            continue;
        };
        let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
        let byte = |character: usize| bytes.get(character).copied().unwrap_or(text.len());
        for part in sentiment::explain(text) {
            lists.push(&[
                Cell::Text(text.get(byte(part.start_char)..byte(part.end_char)).unwrap_or_default()),
                Cell::Integer(part.start_char as i64),
                Cell::Integer(part.end_char as i64),
                Cell::Double(part.weight),
            ]);
        }
        lists.end();
    }
    lists.finish()
}
