//! From the rows of a sheet to record batches.

use arrow::datatypes::SchemaRef;
use serde_json::{Map, Value};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::Settings;
use super::invalid;
use super::package::Package;
use super::sheet::{Cell, Sheet};
use super::workbook::Workbook;
use crate::files::csv::distinct;
use crate::files::rows::{Batches, RowBuffer, shown};

/// The rows of a sheet that have a value; those before the header are behind.
pub(super) struct Rows<'a> {
    sheet: Sheet,
    workbook: &'a Workbook,
    settings: &'a Settings,
}

impl<'a> Rows<'a> {
    pub(super) fn open(package: &Package, workbook: &'a Workbook, settings: &'a Settings) -> Result<Self> {
        let part = package.part(&workbook.sheet)?.ok_or_else(|| invalid("a sheet is missing"))?;
        let mut rows = Self { sheet: Sheet::new(part), workbook, settings };
        for _ in 0..settings.skip_rows {
            if rows.next()?.is_none() {
                break;
            }
        }
        Ok(rows)
    }

    /// The names of the columns.
    pub(super) fn names(mut self) -> Result<Vec<String>> {
        let first = self.next()?;
        match (first, self.settings.header) {
            (None, true) => Err(Error::new(ErrorKind::InvalidText, "sheet is empty")),
            (None, false) => Ok(Vec::new()),
            (Some(cells), false) => Ok(distinct(vec![String::new(); cells.len()])),
            (Some(cells), true) => {
                let names = cells.into_iter().map(|cell| match cell {
                    Cell::Empty => Ok(String::new()),
                    Cell::Text(text) => Ok(text),
                    Cell::Broken(what) => {
                        Err(Error::new(ErrorKind::InvalidText, format!("header: a cell has {what}")))
                    }
                });
                Ok(distinct(names.collect::<Result<_>>()?))
            }
        }
    }

    /// The cells of the next row up to its last value.
    fn next(&mut self) -> Result<Option<Vec<Cell>>> {
        while let Some(mut cells) = self.sheet.next_row(self.workbook)? {
            for cell in &mut cells {
                let marker = match cell {
                    Cell::Text(text) | Cell::Broken(text) => self.settings.null_markers.contains(text),
                    Cell::Empty => false,
                };
                if marker {
                    *cell = Cell::Empty;
                }
            }
            while cells.last() == Some(&Cell::Empty) {
                cells.pop();
            }
            if !cells.is_empty() {
                return Ok(Some(cells));
            }
        }
        Ok(None)
    }
}

/// Reads the rows behind the header.
pub(super) fn read_batches(
    mut rows: Rows<'_>,
    settings: &Settings,
    schema: SchemaRef,
    batches: &Batches,
) -> Result<()> {
    for _ in 0..settings.skip_after_header.saturating_add(u64::from(settings.header)) {
        if rows.next()?.is_none() {
            break;
        }
    }
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut buffer = RowBuffer::new(schema);
    while let Some(cells) = rows.next()? {
        match problem(&names, &cells) {
            Some(reason) => buffer.bad_row(reason, show(&names, &cells)),
            None => {
                for column in 0..names.len() {
                    let text = match cells.get(column) {
                        Some(Cell::Text(text)) => Some(text.as_str()),
                        _ => None,
                    };
                    buffer.append(column, text);
                }
                buffer.end_row();
            }
        }
        if buffer.is_full()
            && let Some(batch) = buffer.take()?
            && !batches.send(batch)
        {
            return Ok(());
        }
    }
    if let Some(batch) = buffer.take()? {
        batches.send(batch);
    }
    Ok(())
}

/// Why a row is a bad row, if it is one.
fn problem(names: &[String], cells: &[Cell]) -> Option<String> {
    if cells.len() > names.len() {
        return Some(format!("row has {} cells, the header has {}", cells.len(), names.len()));
    }
    cells.iter().zip(names).find_map(|(cell, name)| match cell {
        Cell::Broken(what) if what.starts_with('#') => {
            Some(format!("column \"{name}\": the cell has the error {what}"))
        }
        Cell::Broken(what) => Some(format!("column \"{name}\": the cell {what}")),
        _ => None,
    })
}

fn show(names: &[String], cells: &[Cell]) -> Value {
    let mut row = Map::new();
    for (index, cell) in cells.iter().enumerate() {
        let value = match cell {
            Cell::Empty => Value::Null,
            Cell::Text(text) | Cell::Broken(text) => shown(text.as_bytes()),
        };
        let name = names.get(index).cloned().unwrap_or_else(|| format!("column{}", index + 1));
        row.insert(name, value);
    }
    Value::Object(row)
}
