//! `opinions`: what a text praises, complains about, asks for. How they are found is told in [`crate::opinions`].

use std::ops::Range;

use arrow::array::ArrayRef;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::dictionary;
use crate::entry::{Definition, Entry};
use crate::opinions::chinese::Reader;
use crate::opinions::tags::{self, Taxonomy};
use crate::opinions::{self, Heads, Model, Opinion};
use crate::row_lists::{self, Cell, RowLists};
use crate::scalar::{self, Columns, text};

const OPINIONS: Definition = Definition {
    name: "opinions",
    arguments: "text",
    returns: "table",
    volatility: Volatility::Stable,
    description: "What a text says of what, one row each: aspect in its normal form and aspect_text as written (NULL where it is \
                  not named), the opinion's words, polarity (1, 0 or -1), intensity from 0 to 1, kind (praise, complaint, request, \
                  question or remark), start_at and end_at in characters from 0, the evidence they stand in, and the rule or model \
                  version that found it. In FROM it has these columns: FROM x.feedback AS f, opinions(f.comment) AS o.",
    example: "SELECT get_field(o, 'aspect'), get_field(o, 'kind') FROM (SELECT unnest(opinions('配送太慢了')) AS o)",
    example_result: "配送|complaint",
};

const COLUMNS: &[row_lists::Column] = &[
    ("aspect", row_lists::Kind::Text),
    ("aspect_text", row_lists::Kind::Text),
    ("opinion", row_lists::Kind::Text),
    ("polarity", row_lists::Kind::Integer),
    ("intensity", row_lists::Kind::Double),
    ("kind", row_lists::Kind::Text),
    ("start_at", row_lists::Kind::Integer),
    ("end_at", row_lists::Kind::Integer),
    ("evidence", row_lists::Kind::Text),
    ("rule", row_lists::Kind::Text),
];

const TAGS: Definition = Definition {
    name: "tags",
    arguments: "text, taxonomy",
    description: "The tags of a shipped taxonomy that a text has, one row each: tag, the parent above it, start_at and end_at in \
                  characters from 0, the words there, and the row of the taxonomy that matched. The taxonomies are retail, \
                  food_delivery, hotel, telecom and dealer. In FROM it has these columns.",
    example: "SELECT get_field(t, 'tag'), get_field(t, 'words') FROM (SELECT unnest(tags('网速太慢，客服态度差', 'telecom')) AS t)",
    example_result: "speed|网速\nspeed|网速太慢\nhotline|客服\nattitude|态度",
    ..OPINIONS
};

const TAG_COLUMNS: &[row_lists::Column] = &[
    ("tag", row_lists::Kind::Text),
    ("parent", row_lists::Kind::Text),
    ("start_at", row_lists::Kind::Integer),
    ("end_at", row_lists::Kind::Integer),
    ("words", row_lists::Kind::Text),
    ("rule", row_lists::Kind::Text),
];

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(OPINIONS, &[text()], 0, row_lists::data_type(COLUMNS), "Text", run),
        scalar::entry(TAGS, &[text(), text()], 0, row_lists::data_type(TAG_COLUMNS), "Text", run_tags),
    ]
}

fn run_tags(columns: &Columns) -> Result<ArrayRef> {
    let (texts, names) = (columns.text(0)?, columns.text(1)?);
    let mut lists = RowLists::new(TAG_COLUMNS);
    let mut known: Option<(String, Taxonomy)> = None;
    for row in 0..columns.rows() {
        let (Some(text), Some(name)) = (texts.get(row), names.get(row)) else {
            lists.null();
            continue;
        };
        let taxonomy = compiled(&mut known, name)?;
        let places = Places::of(text);
        for hit in tags::tags(text, taxonomy) {
            lists.push(&[
                Cell::Text(hit.tag),
                if hit.parent.is_empty() { Cell::Null } else { Cell::Text(hit.parent) },
                Cell::Integer(hit.start as i64),
                Cell::Integer(hit.end as i64),
                Cell::Text(places.slice(&(hit.start..hit.end))),
                Cell::Text(hit.rule),
            ]);
        }
        lists.end();
    }
    lists.finish()
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let jieba = dictionary::current();
    let mut reader = Reader::new(Model::shipped(), Heads::shipped());
    let mut lists = RowLists::new(COLUMNS);
    for row in 0..columns.rows() {
        let Some(text) = texts.get(row) else {
            lists.null();
            continue;
        };
        let found = opinions::read(text, &jieba, &mut reader);
        if !found.is_empty() {
            let places = Places::of(text);
            found.iter().for_each(|opinion| push(&mut lists, opinion, &places));
        }
        lists.end();
    }
    lists.finish()
}

/// The taxonomy of this name; most calls have one for all rows.
fn compiled<'a>(known: &'a mut Option<(String, Taxonomy)>, name: &str) -> Result<&'a Taxonomy, Error> {
    if known.as_ref().is_none_or(|(other, _)| other != name) {
        *known = Some((name.to_owned(), Taxonomy::from_tsv(name, tags::shipped(name)?)?));
    }
    known.as_ref().map(|(_, taxonomy)| taxonomy).ok_or_else(|| Error::internal("a taxonomy is not compiled"))
}

fn push(lists: &mut RowLists, opinion: &Opinion, text: &Places) {
    lists.push(&[
        if opinion.aspect_head.is_empty() { Cell::Null } else { Cell::Text(&opinion.aspect_head) },
        opinion.aspect.as_ref().map_or(Cell::Null, |aspect| Cell::Text(text.slice(aspect))),
        Cell::Text(text.slice(&opinion.opinion)),
        Cell::Integer(i64::from(opinion.polarity)),
        Cell::Double(opinion.intensity),
        Cell::Text(opinion.kind.as_str()),
        Cell::Integer(opinion.start as i64),
        Cell::Integer(opinion.end as i64),
        Cell::Text(text.slice(&opinion.evidence)),
        Cell::Text(opinion.rule),
    ]);
}

/// A text by characters.
struct Places<'a> {
    text: &'a str,
    /// Where each character begins, and the end.
    bytes: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of(text: &'a str) -> Self {
        let bytes = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
        Self { text, bytes }
    }

    fn slice(&self, characters: &Range<usize>) -> &'a str {
        let byte = |character: usize| self.bytes.get(character).copied().unwrap_or(self.text.len());
        self.text.get(byte(characters.start)..byte(characters.end)).unwrap_or_default()
    }
}
