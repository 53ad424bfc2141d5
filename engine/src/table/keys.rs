//! The keys of a table and of the rows that are about to enter it.
//!
//! Of each key 128 bits of a keyed hash are held, and they count against the memory of all statements. The files of
//! the table are read for their keys one after another, and only those whose range of values meets that of the rows
//! at hand: a load of new order numbers, or of new days, reads nothing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;
use parking_lot::{Mutex, MutexGuard};

use super::snapshot::DataFile;
use crate::catalog::OnViolation;
use crate::error::Result;

/// What a set holds for one key: 16 bytes, and a byte of the table that holds it.
const BYTES_A_KEY: usize = size_of::<u128>() + 1;

/// A primary key or a unique constraint, and the keys seen so far.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) primary: bool,
    /// Whether a row with a known key is left out instead of refused.
    pub(super) skips: bool,
    pub(super) on_violation: OnViolation,
    /// Where it is counted.
    pub(super) place: Option<usize>,
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<usize>,
    known: Mutex<Known>,
    hashers: [RandomState; 2],
}

struct Known {
    converter: RowConverter,
    /// Keys of the rows that the table holds, as far as they were read.
    stored: HashSet<u128>,
    /// Keys of the rows that came through here.
    added: HashSet<u128>,
    /// The smallest and the largest value of each column among the added keys.
    range: Vec<Option<(ScalarValue, ScalarValue)>>,
    reservation: MemoryReservation,
}

impl Key {
    pub(super) fn new(
        name: &str,
        primary: bool,
        names: &[String],
        schema: &SchemaRef,
        state: &SessionState,
    ) -> Result<Self> {
        let columns = names.iter().map(|column| Ok(schema.index_of(column)?)).collect::<Result<Vec<_>>>()?;
        let fields =
            columns.iter().map(|index| SortField::new(schema.field(*index).data_type().clone())).collect();
        let reservation = MemoryConsumer::new("keys of a table").register(&state.runtime_env().memory_pool);
        let known = Known {
            converter: RowConverter::new(fields)?,
            stored: HashSet::new(),
            added: HashSet::new(),
            range: vec![None; columns.len()],
            reservation,
        };
        Ok(Self {
            name: name.to_owned(),
            primary,
            skips: false,
            on_violation: OnViolation::Reject,
            place: None,
            names: names.to_vec(),
            columns,
            known: Mutex::new(known),
            hashers: [RandomState::new(), RandomState::new()],
        })
    }

    fn digest(&self, encoded: &[u8]) -> u128 {
        let [high, low] = &self.hashers;
        u128::from(high.hash_one(encoded)) << 64 | u128::from(low.hash_one(encoded))
    }

    /// Forgets the keys that the table holds.
    pub(super) fn forget_stored(&self) {
        self.known.lock().stored.clear();
    }

    /// Takes the keys of rows that the table holds, their columns in the order of the key; those with a NULL are not
    /// kept, for NULL equals nothing. Returns the row of one that was added in between.
    pub(super) fn learn(&self, key: &[ArrayRef], rows: usize) -> Result<Option<usize>> {
        let known = &mut *self.known.lock();
        let encoded = known.converter.convert_columns(key)?;
        for row in (0..rows).filter(|row| key.iter().all(|column| column.is_valid(*row))) {
            let digest = self.digest(encoded.row(row).as_ref());
            if known.added.contains(&digest) && self.on_violation != OnViolation::Warn {
                return Ok(Some(row));
            }
            known.stored.insert(digest);
        }
        known.account()?;
        Ok(None)
    }

    /// Whether a file of the table may hold a key of these rows.
    pub(super) fn may_be_in(&self, file: &DataFile, schema: &SchemaRef, batch: &RecordBatch) -> Result<bool> {
        let ranges = self.columns.iter().map(|index| range_of(batch.column(*index)));
        Ok(self.meets(file, schema, &ranges.collect::<Result<Vec<_>>>()?))
    }

    /// Whether a file of the table may hold a key that was added.
    pub(super) fn may_be_added_in(&self, file: &DataFile, schema: &SchemaRef) -> bool {
        let known = self.known.lock();
        !known.added.is_empty() && self.meets(file, schema, &known.range)
    }

    /// `ranges`: of the columns of the key; `None` where every value is NULL, and NULL is no key.
    fn meets(
        &self,
        file: &DataFile,
        schema: &SchemaRef,
        ranges: &[Option<(ScalarValue, ScalarValue)>],
    ) -> bool {
        self.columns.iter().zip(ranges).all(|(index, range)| match range {
            Some((low, high)) => file.may_hold(schema.field(*index), low, high),
            None => false,
        })
    }

    pub(super) fn of_rows(&self, batch: &RecordBatch) -> Result<RowKeys<'_>> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|index| batch.column(*index).clone()).collect();
        let mut known = self.known.lock();
        let encoded = known.converter.convert_columns(&columns)?;
        let digests = (0..batch.num_rows()).map(|row| self.digest(encoded.row(row).as_ref())).collect();
        for (range, column) in known.range.iter_mut().zip(&columns) {
            *range = widest(range.take(), range_of(column)?);
        }
        Ok(RowKeys { key: self, known, columns, digests })
    }
}

impl Known {
    /// Tells the memory pool what the sets hold; an error when it is too much.
    fn account(&mut self) -> Result<()> {
        let held = (self.stored.capacity() + self.added.capacity()) * BYTES_A_KEY;
        Ok(self.reservation.try_resize(held)?)
    }
}

/// The keys of a batch's rows under one constraint.
pub(super) struct RowKeys<'a> {
    pub(super) key: &'a Key,
    known: MutexGuard<'a, Known>,
    pub(super) columns: Vec<ArrayRef>,
    digests: Vec<u128>,
}

impl RowKeys<'_> {
    /// NULL equals nothing.
    fn has_null(&self, row: usize) -> bool {
        self.columns.iter().any(|column| column.is_null(row))
    }

    pub(super) fn is_known(&self, row: usize) -> bool {
        let digest = &self.digests[row];
        !self.has_null(row) && (self.known.stored.contains(digest) || self.known.added.contains(digest))
    }

    pub(super) fn add(&mut self, row: usize) {
        if !self.has_null(row) {
            self.known.added.insert(self.digests[row]);
        }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.known.account()
    }
}

/// The smallest and the largest value; `None` if there is none, or the type has no order that files keep.
fn range_of(column: &ArrayRef) -> Result<Option<(ScalarValue, ScalarValue)>> {
    if column.null_count() == column.len() {
        return Ok(None);
    }
    if matches!(column.data_type(), DataType::List(_) | DataType::Binary) {
        return Ok(Some((ScalarValue::Null, ScalarValue::Null)));
    }
    let mut least = MinAccumulator::try_new(column.data_type())?;
    let mut greatest = MaxAccumulator::try_new(column.data_type())?;
    least.update_batch(std::slice::from_ref(column))?;
    greatest.update_batch(std::slice::from_ref(column))?;
    Ok(Some((least.evaluate()?, greatest.evaluate()?)))
}

fn widest(
    one: Option<(ScalarValue, ScalarValue)>,
    other: Option<(ScalarValue, ScalarValue)>,
) -> Option<(ScalarValue, ScalarValue)> {
    match (one, other) {
        (Some((low, high)), Some((other_low, other_high))) => {
            let low = if other_low < low { other_low } else { low };
            let high = if other_high > high { other_high } else { high };
            Some((low, high))
        }
        (one, other) => one.or(other),
    }
}
