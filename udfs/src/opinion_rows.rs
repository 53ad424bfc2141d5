//! `opinions`: what a text praises, complains about, asks for; `tags`: what it is about. How they are found is told in
//! [`crate::opinions`].

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::knowledge::{Applied, Taxonomies};
use crate::opinions::chinese::Reader;
use crate::opinions::tags::{self, TagHit};
use crate::opinions::{self, Model, Opinion};
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
    arguments: "text [, taxonomy]",
    description: "The tags that a text has, one row each: tag, the parent above it, start_at and end_at in characters from 0, the \
                  words there, the row of the taxonomy that matched, the taxonomy and its version. taxonomy is one of text.taxonomy \
                  (name for its newest version, name@version for another) or a shipped one: retail, food_delivery, hotel, telecom, \
                  dealer; without it, all of text.taxonomy apply. In FROM it has these columns.",
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
    ("taxonomy", row_lists::Kind::Text),
    ("taxonomy_version", row_lists::Kind::Text),
];

const CHECK: Definition = Definition {
    name: "check_tag_query",
    arguments: "tag, query",
    returns: "boolean",
    volatility: Volatility::Immutable,
    description: "True for a query that a tag can have; any other is an error that names the tag and the place in the query.",
    example: "SELECT check_tag_query('speed', '网速 NEAR/4 (慢 OR 卡)')",
    example_result: "true",
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(OPINIONS, &[text()], 0, row_lists::data_type(COLUMNS), "Text", run),
        scalar::entry(TAGS, &[text(), text()], 1, row_lists::data_type(TAG_COLUMNS), "Text", run_tags),
        scalar::entry(CHECK, &[text(), text()], 0, DataType::Boolean, "Text", run_check),
    ]
}

fn run_tags(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let names = if columns.has(1) { Some(columns.text(1)?) } else { None };
    let knowledge = columns.taught().knowledge();
    let mut asked = Asked::new(&knowledge.taxonomies);
    let mut lists = RowLists::new(TAG_COLUMNS);
    for row in 0..columns.rows() {
        let name = names.as_ref().map(|names| names.get(row));
        let (Some(text), false) = (texts.get(row), name == Some(None)) else {
            lists.null();
            continue;
        };
        let places = Places::of(text);
        for applied in asked.of(name.flatten())? {
            for hit in tags::tags(text, applied.taxonomy().map_err(Error::from)?) {
                push_tag(&mut lists, &hit, &places, applied);
            }
        }
        lists.end();
    }
    lists.finish()
}

fn push_tag(lists: &mut RowLists, hit: &TagHit<'_>, places: &Places<'_>, applied: &Applied) {
    lists.push(&[
        Cell::Text(hit.tag),
        if hit.parent.is_empty() { Cell::Null } else { Cell::Text(hit.parent) },
        Cell::Integer(hit.start as i64),
        Cell::Integer(hit.end as i64),
        Cell::Text(places.slice(&(hit.start..hit.end))),
        Cell::Text(hit.rule),
        Cell::Text(&applied.name),
        Cell::Text(&applied.stamp),
    ]);
}

fn run_check(columns: &Columns) -> Result<ArrayRef> {
    let (names, queries) = (columns.text(0)?, columns.text(1)?);
    let mut answers = BooleanBuilder::new();
    for row in 0..columns.rows() {
        let (Some(tag), Some(query)) = (names.get(row), queries.get(row)) else {
            answers.append_null();
            continue;
        };
        tags::check(query).map_err(|error| Error::from(error).in_context(format!("tag \"{tag}\"")))?;
        answers.append_value(true);
    }
    Ok(Arc::new(answers.finish()))
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let knowledge = columns.taught().knowledge();
    let jieba = knowledge.dictionary.jieba();
    let mut reader = Reader::new(Model::shipped(), knowledge.aspects.heads());
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

/// The taxonomies that a call asks for; most calls ask for the same in all rows.
struct Asked<'a> {
    taxonomies: &'a Taxonomies,
    /// The name asked for last and what it stands for; no name stands for all that are in force.
    last: Option<(Option<String>, Vec<Arc<Applied>>)>,
}

impl<'a> Asked<'a> {
    fn new(taxonomies: &'a Taxonomies) -> Self {
        Self { taxonomies, last: None }
    }

    fn of(&mut self, name: Option<&str>) -> Result<&[Arc<Applied>], Error> {
        if self.last.as_ref().is_none_or(|(last, _)| last.as_deref() != name) {
            let found = match name {
                Some(name) => vec![self.taxonomies.find(name)?],
                None => self.taxonomies.in_force().map(Arc::clone).collect(),
            };
            self.last = Some((name.map(str::to_owned), found));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, found)| found.as_slice()))
    }
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
