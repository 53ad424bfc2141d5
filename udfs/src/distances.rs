//! How far apart, or how alike, two texts are: `damerau_levenshtein`, `jaro_winkler_similarity`, `text_similarity`,
//! `minhash`. All of them count characters, not bytes. Formulas are told in [`crate::similarity`].

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Builder, ListBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, text};
use crate::similarity;

const SECTION: &str = "Similarity";

const DAMERAU: Definition = Definition {
    name: "damerau_levenshtein",
    arguments: "text, other_text",
    returns: "integer",
    volatility: Volatility::Immutable,
    description: "Number of characters to insert, delete, replace or swap with their neighbour that make one text of the other.",
    example: "SELECT damerau_levenshtein('张伟', '李伟'), damerau_levenshtein('13800138000', '13800183000')",
    example_result: "1|1",
};

const JARO_WINKLER: Definition = Definition {
    name: "jaro_winkler_similarity",
    returns: "double precision",
    description: "Likeness of two short texts such as names, from 0 to 1; a common beginning counts more.",
    example: "SELECT round(jaro_winkler_similarity('MARTHA', 'MARHTA'), 4)",
    example_result: "0.9611",
    ..DAMERAU
};

const TEXT_SIMILARITY: Definition = Definition {
    name: "text_similarity",
    description: "Share of the runs of three characters that two texts have in common (Jaccard), from 0 to 1.",
    example: "SELECT text_similarity('送货很快', '送货很快'), text_similarity('送货很快', '质量太差') < 0.1",
    example_result: "1.0|true",
    ..JARO_WINKLER
};

const MINHASH: Definition = Definition {
    name: "minhash",
    arguments: "text",
    returns: "bigint[]",
    description: "Signature of 64 numbers; the share of places in which two signatures agree estimates text_similarity.",
    example: "SELECT cardinality(minhash('送货很快，服务很好')), minhash('好评') = minhash('好评')",
    example_result: "64|true",
    ..DAMERAU
};

pub(crate) fn entries() -> Vec<Entry> {
    let bigints = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
    vec![
        scalar::entry(DAMERAU, &[text(), text()], 0, DataType::Int32, SECTION, damerau),
        scalar::entry(JARO_WINKLER, &[text(), text()], 0, DataType::Float64, SECTION, |columns| {
            alike(columns, similarity::jaro_winkler_similarity)
        }),
        scalar::entry(TEXT_SIMILARITY, &[text(), text()], 0, DataType::Float64, SECTION, |columns| {
            alike(columns, similarity::text_similarity)
        }),
        scalar::entry(MINHASH, &[text()], 0, bigints, SECTION, signatures),
    ]
}

fn damerau(columns: &Columns) -> Result<ArrayRef> {
    let (texts, others) = (columns.text(0)?, columns.text(1)?);
    let distance = |row| {
        let steps = similarity::damerau_levenshtein(texts.get(row)?, others.get(row)?);
        Some(i32::try_from(steps).unwrap_or(i32::MAX))
    };
    Ok(Arc::new((0..columns.rows()).map(distance).collect::<Int32Array>()))
}

fn alike(columns: &Columns, kernel: fn(&str, &str) -> f64) -> Result<ArrayRef> {
    let (texts, others) = (columns.text(0)?, columns.text(1)?);
    let likeness = |row| Some(kernel(texts.get(row)?, others.get(row)?));
    Ok(Arc::new((0..columns.rows()).map(likeness).collect::<Float64Array>()))
}

fn signatures(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let mut lists = ListBuilder::new(Int64Builder::new());
    for row in 0..columns.rows() {
        match texts.get(row) {
            Some(text) => {
                similarity::minhash(text)
                    .iter()
                    .for_each(|place| lists.values().append_value(i64::from(*place)));
                lists.append(true);
            }
            None => lists.append(false),
        }
    }
    Ok(Arc::new(lists.finish()))
}
