//! What a run leaves for the next one: the resolved table, and which records it has.

use voxhouse_engine::identity::matching::{Answer, COLUMNS, Pair, Record, Task};

use super::block::require_within;
use super::cluster::Edge;
use super::hash::{combine, hash_bytes};
use super::incremental::{Incoming, Incremental};
use super::intern::MISSING;
use super::resolve::{Resolution, Settings, most_pairs};
use super::resolver::{cost, levels, pair, source};
use super::table::Table;

/// From one changed record in so many on, a run over all of them costs no more.
const BATCH: usize = 5;
/// Rows that are gone and still kept before a run over all records takes them out, beside as many as are there.
const GONE: usize = 1000;

#[derive(Debug)]
pub(crate) struct Kept {
    /// The text of the model.
    model: String,
    settings: Settings,
    roster: Roster,
    state: Incremental,
}

impl Kept {
    /// What a run over all of `records` leaves; `None` if nothing can go on from it.
    pub(crate) fn of(
        table: Table,
        found: Resolution,
        marks: &[bool],
        records: &[Record],
        model: String,
        settings: &Settings,
    ) -> Option<Self> {
        let state = Incremental::new(table, found, marks, settings).ok()?;
        let rows = (0..records.len() as u32).collect();
        let roster = Roster::new(records, records.iter().map(fingerprint).collect(), rows);
        Some(Self { model, settings: settings.clone(), roster, state })
    }

    /// Bytes that all of it holds.
    pub(crate) fn size(&self) -> usize {
        self.model.capacity() + self.roster.size() + self.state.size()
    }

    /// The answer to a task, by what has changed since the last one; `None` where that does not lead to it, or
    /// costs as much as beginning anew.
    pub(crate) fn go_on(mut self, task: &Task, settings: &Settings) -> Option<(Self, Answer)> {
        let rules = |settings: &Settings| (settings.merging.clone(), settings.separating.clone());
        if task.model.as_deref() != Some(&self.model) || rules(&self.settings) != rules(settings) {
            return None;
        }
        let Changes { gone, mut rows, fingerprints } = self.roster.changes(&task.records);
        let new: Vec<usize> = (0..rows.len()).filter(|at| rows[*at] == MISSING).collect();
        let kept = self.state.table().rows() + new.len();
        if (gone.len() + new.len()) * BATCH > rows.len() || kept > 2 * rows.len() + GONE {
            return None;
        }
        let most = most_pairs(task.records.len(), settings);
        self.state.retract(&gone);
        let added = self.state.add(&incoming(&self.state, &task.records, &new), most).ok()?;
        for (at, row) in new.iter().zip(added) {
            rows[*at] = row;
        }
        let decided = |pairs: &[(u32, u32)]| -> Vec<(u32, u32)> {
            pairs.iter().map(|(left, right)| (rows[*left as usize], rows[*right as usize])).collect()
        };
        self.state.decide(&decided(&settings.must), &decided(&settings.cannot));
        self.state.settle();
        let reports = self.state.reports();
        require_within(&reports, most).ok()?;
        let answer = Answer {
            levels: levels(self.state.model()),
            rules: reports.iter().map(cost).collect(),
            pairs: pairs(&self.state, &rows),
            labels: labels(&self.state, &rows),
            compared: self.state.take_compared(),
            model: self.model.clone(),
            trained: false,
        };
        self.roster = Roster::new(&task.records, fingerprints, rows);
        Some((self, answer))
    }
}

/// The records of these places, with the values of the columns that are compared.
fn incoming<'a>(state: &Incremental, records: &'a [Record], places: &[usize]) -> Vec<Incoming<'a>> {
    let named = |name: &str| COLUMNS.iter().position(|(known, _)| *known == name);
    let columns: Vec<Option<usize>> =
        state.table().columns.iter().map(|column| named(&column.name)).collect();
    let values = |record: &'a Record| -> Vec<Option<&'a str>> {
        columns.iter().map(|at| record.values.get((*at)?)?.as_deref()).collect()
    };
    let record = |at: &usize| (source(&records[*at]), &*records[*at].record_id, values(&records[*at]));
    places.iter().map(record).collect()
}

/// By record, the least record of its person.
fn labels(state: &Incremental, rows: &[u32]) -> Vec<u32> {
    let mut least = vec![MISSING; state.table().rows()];
    let mut labels = Vec::with_capacity(rows.len());
    for (row, record) in rows.iter().zip(0..) {
        let least = &mut least[state.labels()[*row as usize] as usize];
        *least = (*least).min(record);
        labels.push(*least);
    }
    labels
}

/// The kept pairs by the numbers of their records, in order.
fn pairs(state: &Incremental, rows: &[u32]) -> Vec<Pair> {
    let mut records = vec![MISSING; state.table().rows()];
    rows.iter().zip(0..).for_each(|(row, record)| records[*row as usize] = record);
    let mut pairs = Vec::new();
    for (row, left) in rows.iter().zip(0..) {
        let from = pairs.len();
        for link in state.links(*row) {
            let right = records[link.other as usize];
            if left < right {
                let edge = Edge { left, right, weight: link.weight };
                pairs.push(pair(state.model(), &edge, link.pattern, link.bridge));
            }
        }
        pairs[from..].sort_unstable_by_key(|pair| pair.right);
    }
    pairs
}

/// Which records there are, in the order of their source systems and ids.
#[derive(Debug)]
struct Roster {
    /// All names one after the other, and where the system and the id of each end.
    names: String,
    ends: Vec<[usize; 2]>,
    fingerprints: Vec<u64>,
    rows: Vec<u32>,
}

/// What is different about other records.
struct Changes {
    /// Rows of records that are gone, or hold something else now.
    gone: Vec<u32>,
    /// By record, its row; [`MISSING`] of one to be added.
    rows: Vec<u32>,
    fingerprints: Vec<u64>,
}

impl Roster {
    fn new(records: &[Record], fingerprints: Vec<u64>, rows: Vec<u32>) -> Self {
        let mut names = String::new();
        let mut ends = Vec::with_capacity(records.len());
        for record in records {
            names.push_str(&record.source_system);
            let system = names.len();
            names.push_str(&record.record_id);
            ends.push([system, names.len()]);
        }
        Self { names, ends, fingerprints, rows }
    }

    fn name(&self, at: usize) -> Option<(&str, &str)> {
        let [system, id] = *self.ends.get(at)?;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |[_, end]| *end);
        Some((self.names.get(start..system)?, self.names.get(system..id)?))
    }

    fn changes(&self, records: &[Record]) -> Changes {
        let mut changes = Changes { gone: Vec::new(), rows: Vec::new(), fingerprints: Vec::new() };
        let mut at = 0;
        for record in records {
            let name = (&*record.source_system, &*record.record_id);
            while self.name(at).is_some_and(|known| known < name) {
                changes.gone.push(self.rows[at]);
                at += 1;
            }
            let fingerprint = fingerprint(record);
            changes.fingerprints.push(fingerprint);
            if self.name(at) != Some(name) {
                changes.rows.push(MISSING);
                continue;
            }
            if self.fingerprints[at] == fingerprint {
                changes.rows.push(self.rows[at]);
            } else {
                changes.gone.push(self.rows[at]);
                changes.rows.push(MISSING);
            }
            at += 1;
        }
        changes.gone.extend_from_slice(&self.rows[at..]);
        changes
    }

    fn size(&self) -> usize {
        self.names.capacity() + 16 * self.ends.capacity() + 12 * self.rows.capacity()
    }
}

/// A hash of what a record holds.
fn fingerprint(record: &Record) -> u64 {
    let value = |value: &Option<Box<str>>| value.as_ref().map_or(0, |value| hash_bytes(value.as_bytes()));
    record.values.iter().fold(0, |hash, held| combine(hash, value(held)))
}
