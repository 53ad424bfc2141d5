//! `id_key`: the form under which an identifier is compared when records are joined to persons.
//!
//! The rules are those of identity resolution itself. NULL, blank, and a value that says nothing of its type
//! (a phone without a digit) give NULL, and NULL never equals NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::identity::key::normalise;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, text};

const SECTION: &str = "Identity";

const ID_KEY: Definition = Definition {
    name: "id_key",
    arguments: "key_type, key_value",
    returns: "text",
    volatility: Volatility::Immutable,
    description: "The normal form of an identifier: digits of a phone without the country code of China, an \
                  e-mail address in lower case, everything else without blanks around it.",
    example: "SELECT id_key('phone', '+86 139-1234-5678'), id_key('email', ' Li@Example.CN ')",
    example_result: "13912345678|li@example.cn",
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![scalar::entry(ID_KEY, &[text(), text()], 0, DataType::Utf8, SECTION, run)]
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let (types, values) = (columns.text(0)?, columns.text(1)?);
    let key = |row| normalise(types.get(row)?, values.get(row)?);
    Ok(Arc::new((0..columns.rows()).map(key).collect::<StringArray>()))
}
