//! Searching in texts: `text_match`, `snippet`, `tokens`. The language of queries is told in [`crate::search`].

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use jieba_rs::Jieba;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::row_lists::{self, Cell, RowLists};
use crate::scalar::{self, Columns, integer, text};
use crate::search::{Detail, Marks, Query, snippet, tokens};

const SECTION: &str = "Text";

/// Characters of a snippet where the call does not say.
const WIDTH: i64 = 80;

const TEXT_MATCH: Definition = Definition {
    name: "text_match",
    arguments: "text, query",
    returns: "boolean",
    volatility: Volatility::Stable,
    description: "Whether a text fits a query: words side by side must all occur; OR, NOT, brackets, \"phrases\", begin* and \
                  a NEAR/3 b (at most three words between) are understood. English words count by their stem.",
    example: "SELECT text_match('客服态度很差，配送也慢', '配送 NOT 退款'), text_match('The delivery was late', 'deliveries NEAR/2 late')",
    example_result: "true|true",
};

const SNIPPET: Definition = Definition {
    name: "snippet",
    arguments: "text, query [, width]",
    returns: "text",
    description: "The part of a text that shows best why it fits a query, with the matches in <b> and </b>. width is the number \
                  of its characters, 80 unless given.",
    example: "SELECT snippet('客服态度很差，配送也慢', '配送')",
    example_result: "客服态度很差，<b>配送</b>也慢",
    ..TEXT_MATCH
};

const TOKENS: Definition = Definition {
    name: "tokens",
    arguments: "text",
    returns: "table",
    description: "The words of a text with their places, one row each: token in its normal form, position from 0, start_at and \
                  end_at in characters from 0, and tag, the part of speech or url, email, mention, topic, emoji.",
    example: "SELECT get_field(t, 'token'), get_field(t, 'start_at'), get_field(t, 'end_at') FROM (SELECT unnest(tokens('配送很快')) AS t)",
    example_result: "配送|0|2\n很快|2|4",
    ..TEXT_MATCH
};

const TOKEN_COLUMNS: &[row_lists::Column] = &[
    ("token", row_lists::Kind::Text),
    ("position", row_lists::Kind::Integer),
    ("start_at", row_lists::Kind::Integer),
    ("end_at", row_lists::Kind::Integer),
    ("tag", row_lists::Kind::Text),
];

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(TEXT_MATCH, &[text(), text()], 0, DataType::Boolean, SECTION, matches),
        scalar::entry(SNIPPET, &[text(), text(), integer()], 1, DataType::Utf8, SECTION, snippets),
        scalar::entry(TOKENS, &[text()], 0, row_lists::data_type(TOKEN_COLUMNS), SECTION, token_rows),
    ]
}

/// The query last compiled: most calls have one for all rows.
#[derive(Default)]
struct Compiled {
    text: String,
    query: Option<Query>,
}

impl Compiled {
    fn of(&mut self, text: &str) -> Result<&Query, Error> {
        if self.query.is_none() || self.text != text {
            self.query = Some(Query::parse(text)?);
            text.clone_into(&mut self.text);
        }
        self.query.as_ref().ok_or_else(|| Error::internal("a query is not compiled"))
    }
}

fn matches(columns: &Columns) -> Result<ArrayRef> {
    let (texts, queries) = (columns.text(0)?, columns.text(1)?);
    let jieba = columns.taught().knowledge().dictionary.jieba();
    let mut compiled = Compiled::default();
    let mut results = BooleanBuilder::new();
    for row in 0..columns.rows() {
        let (Some(text), Some(query)) = (texts.get(row), queries.get(row)) else {
            results.append_null();
            continue;
        };
        let query = compiled.of(query)?;
        results.append_value(query.may_match(text) && query.matches(&words(&jieba, text)));
    }
    Ok(Arc::new(results.finish()))
}

fn words(jieba: &Jieba, text: &str) -> Vec<crate::search::Token> {
    tokens(jieba, text, Detail::Words)
}

fn snippets(columns: &Columns) -> Result<ArrayRef> {
    let (texts, queries) = (columns.text(0)?, columns.text(1)?);
    let widths = if columns.has(2) { Some(columns.integer(2)?) } else { None };
    let jieba = columns.taught().knowledge().dictionary.jieba();
    let mut compiled = Compiled::default();
    let mut results = StringBuilder::new();
    for row in 0..columns.rows() {
        let width = match &widths {
            Some(widths) => widths.get(row),
            None => Some(WIDTH),
        };
        let (Some(text), Some(query), Some(width)) = (texts.get(row), queries.get(row), width) else {
            results.append_null();
            continue;
        };
        let width = usize::try_from(width)
            .ok()
            .filter(|width| *width > 0)
            .ok_or_else(|| Error::invalid_argument(format!("width of a snippet {width} is not positive")))?;
        let query = compiled.of(query)?;
        results.append_value(snippet(text, &words(&jieba, text), query, width, Marks::default()));
    }
    Ok(Arc::new(results.finish()))
}

fn token_rows(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let jieba = columns.taught().knowledge().dictionary.jieba();
    let mut lists = RowLists::new(TOKEN_COLUMNS);
    for row in 0..columns.rows() {
        let Some(text) = texts.get(row) else {
            lists.null();
            continue;
        };
        for token in tokens(&jieba, text, Detail::Tags) {
            lists.push(&[
                Cell::Text(&token.text),
                Cell::Integer(token.position as i64),
                Cell::Integer(token.start as i64),
                Cell::Integer(token.end as i64),
                Cell::Text(&token.tag),
            ]);
        }
        lists.end();
    }
    lists.finish()
}
