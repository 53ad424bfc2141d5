//! Personal data in free text: `find_pii`, `mask_pii`. What counts, and what stays of it, is told in
//! [`crate::privacy`].

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::privacy::{self, Kind};
use crate::row_lists::{self, Cell, RowLists};
use crate::scalar::{self, Columns, text};

const SECTION: &str = "Personal data";

const FIND_PII: Definition = Definition {
    name: "find_pii",
    arguments: "text",
    returns: "table",
    volatility: Volatility::Immutable,
    description: "Personal data in a text, one row each: kind (phone, id_card, ssn, bank_card, passport, plate, email, wechat, \
                  qq, ip, address, name), start_at and end_at in characters from 0, and the normalised value. In FROM it \
                  has these columns: FROM x.feedback AS f, find_pii(f.comment) AS p.",
    example: "SELECT get_field(p, 'kind'), get_field(p, 'start_at'), get_field(p, 'value') FROM (SELECT \
              unnest(find_pii('我的电话是138 0013 8000，请联系')) AS p)",
    example_result: "phone|5|13800138000",
};

const MASK_PII: Definition = Definition {
    name: "mask_pii",
    arguments: "text [, kinds]",
    returns: "text",
    description: "The text with its personal data made unrecognisable, such as 138****8000. kinds is a text with the kinds to \
                  mask, separated by commas; all of them unless given.",
    example: "SELECT mask_pii('电话13912345678，邮箱 li.wei@example.com')",
    example_result: "电话139****5678，邮箱 l***@example.com",
    ..FIND_PII
};

const COLUMNS: &[row_lists::Column] = &[
    ("kind", row_lists::Kind::Text),
    ("start_at", row_lists::Kind::Integer),
    ("end_at", row_lists::Kind::Integer),
    ("value", row_lists::Kind::Text),
];

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        scalar::entry(FIND_PII, &[text()], 0, row_lists::data_type(COLUMNS), SECTION, find),
        scalar::entry(MASK_PII, &[text(), text()], 1, DataType::Utf8, SECTION, mask),
    ]
}

fn find(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let mut lists = RowLists::new(COLUMNS);
    for row in 0..columns.rows() {
        let Some(text) = texts.get(row) else {
            lists.null();
            continue;
        };
        for found in privacy::find_pii(text) {
            lists.push(&[
                Cell::Text(found.kind.as_str()),
                Cell::Integer(found.start as i64),
                Cell::Integer(found.end as i64),
                Cell::Text(&found.value),
            ]);
        }
        lists.end();
    }
    lists.finish()
}

fn mask(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let kinds = if columns.has(1) { Some(columns.text(1)?) } else { None };
    let mut masked = StringBuilder::new();
    let mut known: (String, Vec<Kind>) = Default::default();
    for row in 0..columns.rows() {
        if let Some(kinds) = &kinds {
            let Some(names) = kinds.get(row) else {
                masked.append_null();
                continue;
            };
            if known.0 != names || known.1.is_empty() {
                known = (names.to_owned(), parse_kinds(names)?);
            }
        }
        masked.append_option(texts.get(row).map(|text| privacy::mask_pii(text, &known.1)));
    }
    Ok(Arc::new(masked.finish()))
}

fn parse_kinds(names: &str) -> Result<Vec<Kind>, Error> {
    let kinds = names.split(',').map(str::trim).map(Kind::parse).collect::<Result<Vec<_>, _>>();
    Ok(kinds?)
}
