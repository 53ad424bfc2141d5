//! `resolve_records`: which records are one person, without labels and without rules to write.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::identity::Kind;
use crate::identity::resolve::{self, DEFAULT_THRESHOLD, Settings};
use crate::identity::table::Table;
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "resolve_records",
        arguments: "relation, record_id, columns, kinds [, source, across_sources, threshold]",
        description: "Which records are one person: one row a record with the id of the first record of its entity and how many \
                      records that has. A Fellegi-Sunter model is trained on the rows themselves, without labels; candidates, \
                      comparisons and weights follow from the columns. kinds says what each column holds: name, phone, email, \
                      identifier, address, date, category, text or number. source names a column with the system a record comes \
                      from; across_sources => true says that each system has an entity once at most; threshold is the least \
                      weight of a link in bits, -2 unless given. Values that too many records share link nothing.",
        example: "SELECT record_id, entity_id, records FROM resolve_records('SELECT g::text AS id, ''客户'' || (g % 20)::text AS name, \
                  ''1380013'' || lpad((g % 20 * 37)::text, 4, ''0'') AS phone FROM generate_series(1, 40) AS s(g)', 'id', ARRAY['name', \
                  'phone'], ARRAY['name', 'phone']) WHERE record_id IN ('1', '21', '2')",
        example_result: "1|1|2\n2|2|2\n21|1|2",
        ..REPORT
    },
    parameters: &[
        required("record_id", Takes::Text),
        required("columns", Takes::TextsOrNull),
        required("kinds", Takes::Settings),
        optional("source", Takes::Text),
        optional("across_sources", Takes::Setting),
        optional("threshold", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("record_id", Type::Text),
    ("source", Type::Text),
    ("entity_id", Type::Text),
    ("records", Type::Bigint),
];

const KINDS: [(&str, Kind); 9] = [
    ("name", Kind::Name),
    ("phone", Kind::Phone),
    ("email", Kind::Email),
    ("identifier", Kind::Identifier),
    ("address", Kind::Address),
    ("date", Kind::Date),
    ("category", Kind::Category),
    ("text", Kind::Text),
    ("number", Kind::Number),
];

fn kinds(call: &Call) -> Result<Vec<Kind>, Error> {
    let written = call.words("kinds");
    let columns = call.labels("columns").len();
    if written.len() != columns {
        let message = format!("{columns} columns have {} kinds", written.len());
        return Err(
            Error::invalid_argument(message).with_hint("Give as many kinds as columns, in their order.")
        );
    }
    let kind = |word: &String| {
        KINDS.iter().find(|(known, _)| known == word).map(|(_, kind)| *kind).ok_or_else(|| {
            let known: Vec<&str> = KINDS.iter().map(|(known, _)| *known).collect();
            Error::invalid_argument(format!("kind of column \"{word}\" does not exist"))
                .with_hint(format!("The kinds are {}.", known.join(", ")))
        })
    };
    written.iter().map(kind).collect()
}

fn settings(call: &Call) -> Result<Settings, Error> {
    let bits = call.number("threshold", f64::from(DEFAULT_THRESHOLD) / 1000.0, -100.0, 1000.0)?;
    let threshold = (bits * 1000.0).round() as i32;
    Ok(Settings { threshold, across_sources: call.flag("across_sources")?, ..Settings::default() })
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    kinds(call)?;
    settings(call)?;
    Ok(Gathered::start(call, entities))
}

fn entities(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let Some(ids) = rows.text("record_id") else { return Err(Error::internal("records without ids")) };
    let labels = call.labels("columns");
    let kinds = kinds(call)?;
    let columns: Vec<(&str, Kind)> = labels.iter().map(String::as_str).zip(kinds).collect();
    let sources = rows.text("source");
    let values = rows.texts("columns");
    // In the order of sources and ids, so that the first record of an entity is the same whatever came first.
    let source = |row: usize| sources.map_or("", |sources| &sources.names[sources.codes[row] as usize]);
    let id = |row: usize| ids.names[ids.codes[row] as usize].as_str();
    let mut order: Vec<usize> = (0..rows.rows()).collect();
    order.sort_by(|a, b| (source(*a), id(*a)).cmp(&(source(*b), id(*b))));
    let mut table = Table::new(&columns);
    for &row in &order {
        let cells = values.iter().map(|texts| texts.names[texts.codes[row] as usize].as_str());
        let cells: Vec<Option<&str>> = cells.map(|cell| (!cell.trim().is_empty()).then_some(cell)).collect();
        let number = sources.map_or(0, |sources| sources.codes[row]);
        table.push(number, id(row), &cells)?;
    }
    table.finish();
    let found = resolve::resolve(&mut table, &settings(call)?)?;
    let mut sizes = vec![0_i64; order.len()];
    found.labels.iter().for_each(|first| sizes[*first as usize] += 1);
    let row = |(place, first): (usize, &u32)| {
        let first = *first as usize;
        vec![
            ScalarValue::from(id(order[place])),
            ScalarValue::from(sources.map(|_| source(order[place]).to_owned())),
            ScalarValue::from(id(order[first])),
            ScalarValue::from(sizes[first]),
        ]
    };
    Ok(found.labels.iter().enumerate().map(row).collect())
}
