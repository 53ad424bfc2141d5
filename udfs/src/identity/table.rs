//! Records as columns of codes: each column keeps its distinct values once.

use super::hash::{FastMap, combine, hash_bytes};
use super::intern::{Interner, MISSING};
use super::text::Words;
use super::{Invalid, Kind, form};

/// Rows that can be told apart in a packed pair.
pub(crate) const MOST_ROWS: usize = 1 << 28;

/// A column: what each record says, in normal form.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// By row: the value, or [`MISSING`].
    codes: Vec<u32>,
    values: Interner,
    /// By value: rows that hold it.
    counts: Vec<u32>,
    /// By hash of a value: rows that held it when the model was trained.
    frozen: Option<FastMap<u64, u32>>,
    /// By value: the same, once a table is frozen.
    frozen_counts: Vec<u32>,
    /// By value: its second form, or [`MISSING`].
    aspect_codes: Vec<u32>,
    aspects: Interner,
    /// The words of each value; empty unless the kind is text.
    words: Words,
    /// By value, for numbers only.
    numbers: Vec<f64>,
}

impl Column {
    fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            codes: Vec::new(),
            values: Interner::default(),
            counts: Vec::new(),
            frozen: None,
            frozen_counts: Vec::new(),
            aspect_codes: Vec::new(),
            aspects: Interner::default(),
            words: Words::default(),
            numbers: Vec::new(),
        }
    }

    fn push(&mut self, value: Option<&str>, buffer: &mut String) {
        let Some(value) = value.filter(|value| form::normalise(self.kind, value, buffer)).map(|_| &*buffer)
        else {
            self.codes.push(MISSING);
            return;
        };
        let code = self.values.intern(value);
        match self.counts.get_mut(code as usize) {
            Some(count) => *count += 1,
            None => self.counts.push(1),
        }
        self.codes.push(code);
    }

    fn finish(&mut self, rows: usize) {
        let mut buffer = String::new();
        for code in self.aspect_codes.len() as u32..self.values.len() as u32 {
            let value = self.values.text(code);
            let known = form::aspect(self.kind, value, &mut buffer);
            self.aspect_codes.push(if known { self.aspects.intern(&buffer) } else { MISSING });
            match self.kind {
                Kind::Text => self.words.push(value, self.counts[code as usize]),
                Kind::Number => self.numbers.push(value.parse().unwrap_or(f64::NAN)),
                _ => {}
            }
        }
        self.words.finish(rows);
        self.count_frozen();
    }

    fn count_frozen(&mut self) {
        let Some(frozen) = &self.frozen else { return };
        for code in self.frozen_counts.len() as u32..self.values.len() as u32 {
            let hash = hash_bytes(self.values.text(code).as_bytes());
            self.frozen_counts.push(frozen.get(&hash).copied().unwrap_or(1));
        }
    }

    fn freeze(&mut self, frequencies: Frequencies) {
        self.frozen = Some(frequencies.into_iter().collect());
        self.frozen_counts.clear();
        self.count_frozen();
    }

    /// Bytes that the column holds.
    fn size(&self) -> usize {
        let numbers = self.codes.capacity()
            + self.counts.capacity()
            + self.frozen_counts.capacity()
            + self.aspect_codes.capacity();
        let frozen = self.frozen.as_ref().map_or(0, |frozen| frozen.capacity() * 16);
        4 * numbers + frozen + self.values.size() + self.aspects.size() + 8 * self.numbers.capacity()
    }

    /// The value of a row, or [`MISSING`].
    pub(crate) fn code(&self, row: u32) -> u32 {
        self.codes.get(row as usize).copied().unwrap_or(MISSING)
    }

    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The normal form of a value.
    pub(crate) fn value(&self, code: u32) -> &str {
        self.values.text(code)
    }

    /// Rows that hold each value.
    pub(crate) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// How many rows count as holding a value: those of the training, if the table is frozen.
    pub(crate) fn frequency(&self, code: u32) -> u32 {
        let counts = if self.frozen.is_some() { &self.frozen_counts } else { &self.counts };
        counts.get(code as usize).copied().unwrap_or(0)
    }

    /// The code of the second form of a value, or [`MISSING`].
    pub(crate) fn aspect_code(&self, code: u32) -> u32 {
        self.aspect_codes.get(code as usize).copied().unwrap_or(MISSING)
    }

    /// The second form of a value; empty when it has none.
    pub(crate) fn aspect(&self, code: u32) -> &str {
        self.aspects.text(self.aspect_code(code))
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    pub(crate) fn number(&self, code: u32) -> f64 {
        self.numbers.get(code as usize).copied().unwrap_or(f64::NAN)
    }

    /// Rows that hold a value.
    pub(crate) fn present(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }
}

/// Hashes of values that more than two rows hold, and how many do.
pub(crate) type Frequencies = Vec<(u64, u32)>;

/// The records to resolve.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// By row: a number that tells the record from others whatever its place. It breaks ties.
    keys: Vec<u64>,
    /// By row: the source it comes from.
    sources: Vec<u32>,
    buffer: String,
}

impl Table {
    pub(crate) fn new(columns: &[(&str, Kind)]) -> Self {
        Self {
            columns: columns.iter().map(|(name, kind)| Column::new(name, *kind)).collect(),
            keys: Vec::new(),
            sources: Vec::new(),
            buffer: String::new(),
        }
    }

    /// Adds a record: the source it comes from, its id there, and a value for each column.
    pub(crate) fn push(&mut self, source: u32, id: &str, values: &[Option<&str>]) -> Result<u32, Invalid> {
        if values.len() != self.columns.len() {
            return Err(Invalid::new(format!(
                "record has {} values for {} columns",
                values.len(),
                self.columns.len()
            )));
        }
        let row = self.keys.len();
        if row >= MOST_ROWS {
            return Err(Invalid::new("too many records for one run")
                .with_hint("Resolve one region or brand at a time."));
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value, &mut self.buffer);
        }
        self.keys.push(combine(u64::from(source), hash_bytes(id.as_bytes())));
        self.sources.push(source);
        Ok(row as u32)
    }

    /// Call once after the last record.
    pub(crate) fn finish(&mut self) {
        let rows = self.rows();
        for column in &mut self.columns {
            column.finish(rows);
        }
    }

    /// Lets values count as often as they occur in `trained`, which has the same columns, whatever is added.
    pub(crate) fn freeze(&mut self, trained: &Table) {
        self.freeze_at(trained.frequencies());
    }

    /// Lets values count as often as [`Self::frequencies`] of the training said.
    pub(crate) fn freeze_at(&mut self, frequencies: Vec<Frequencies>) {
        for (column, frequencies) in self.columns.iter_mut().zip(frequencies) {
            column.freeze(frequencies);
        }
    }

    /// Whether values count as often as they did at a training.
    pub(crate) fn is_frozen(&self) -> bool {
        self.columns.iter().all(|column| column.frozen.is_some())
    }

    /// By column, how often its values occur.
    pub(crate) fn frequencies(&self) -> Vec<Frequencies> {
        let of_column = |column: &Column| {
            let values = 0..column.counts.len() as u32;
            let counted =
                values.map(|code| (hash_bytes(column.value(code).as_bytes()), column.frequency(code)));
            let mut frequent: Frequencies = counted.filter(|(_, count)| *count > 2).collect();
            frequent.sort_unstable();
            frequent
        };
        self.columns.iter().map(of_column).collect()
    }

    pub(crate) fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Bytes that the table holds, but for words of texts.
    pub(crate) fn size(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::size).sum();
        columns + 8 * self.keys.capacity() + 4 * self.sources.capacity()
    }

    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    pub(crate) fn source(&self, row: u32) -> u32 {
        self.sources.get(row as usize).copied().unwrap_or(0)
    }
}
