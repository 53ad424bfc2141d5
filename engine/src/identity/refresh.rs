//! A refresh: who is who now, by the model and by what people have decided.
//!
//! It reads `o.customers` and what earlier refreshes kept, and says what is to be kept now; writing it is the
//! caller's. `id.history` is written last: it alone says who is whose, so a refresh that dies before it has
//! changed nothing that counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::decisions::{Decisions, Verdict};
use super::graph::{Identifier, fresh_id};
use super::households::households;
use super::key::normalise;
use super::matching::{Answer, COLUMNS, Matcher, Pair, Record, RuleCost, Task, probability};
use super::policy::{BlockedValue, Holders};
use super::reading::Reader;
use super::stable::{Held, carry_over};
use super::stored::{self, Columns, Membership, Stored, table};
use crate::catalog::QualifiedName;
use crate::error::{Error, Result};

/// Places of two records each.
type RowPairs = Vec<(u32, u32)>;

/// A model is trained anew when there are this many times the records that it was trained on.
const GROWN: u64 = 2;

/// What a refresh did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub version: i64,
    pub trained: bool,
    pub records: u64,
    pub customers: u64,
    pub largest_customer: u64,
    pub pairs: u64,
    /// Pairs that were compared; all others were known from the refresh before.
    pub compared: u64,
    /// Customers that there were not before, and customers that are no more.
    pub new_customers: u64,
    pub gone_customers: u64,
}

/// A table of `id` and its new content.
#[derive(Debug)]
pub struct Write {
    pub table: QualifiedName,
    pub rows: RecordBatch,
    /// Whether the rows come on top of what is there.
    pub adds: bool,
}

#[derive(Debug)]
pub struct Refreshed {
    pub summary: Summary,
    /// To be written in this order.
    pub writes: Vec<Write>,
}

/// What a refresh starts from.
pub struct Refresh<'a> {
    pub reader: Reader<'a>,
    pub matcher: Arc<dyn Matcher>,
    /// The customers that readers see now, by source system and record id.
    pub seen: HashMap<(String, String), String>,
    /// Decisions, perhaps with one that is being made.
    pub decisions: Decisions,
    /// Whether to train whatever there is.
    pub train: bool,
    /// Pairs that the blocking rules may give. `None` leaves it to the number of records.
    pub most_pairs: Option<u64>,
    /// Microseconds since 1970.
    pub now: i64,
}

impl Refresh<'_> {
    pub async fn run(&self) -> Result<Refreshed> {
        self.decisions.check()?;
        let stored = Stored::read(&self.reader).await?;
        let known = stored::model(&self.reader).await?;
        let (records, blocked) = records(&self.reader, &stored).await?;
        let rows: HashMap<String, u32> =
            records.iter().enumerate().map(|(row, record)| (record.name(), row as u32)).collect();
        let (together, apart) = self.decided(&rows);
        let model = fitting(known, records.len()).filter(|_| !self.train);
        let (policies, most_pairs) = (stored.policies.clone(), self.most_pairs);
        let task = Task { records, policies, together, apart, model, most_pairs };
        let (task, answer) = asked(&self.matcher, task, |matcher, task| matcher.resolve(task)).await?;
        let records = task.records;
        let ids = self.ids(&records, &answer.labels, &stored);
        let version = stored.version + 1;
        let (history, changed) = self.history(&records, &ids, &stored, version);
        let summary = summary(version, &answer, &ids, &stored, &self.seen);
        let kept = Kept { records: &records, answer: &answer, blocked: &blocked, stored: &stored };
        let mut writes = kept.writes(version, self.now)?;
        writes.push(Write::all("households", households(&records, &ids, version)?));
        if changed {
            writes.push(Write::all("history", stored::history_batch(&history)?));
        }
        writes.push(Write { table: table("runs"), rows: run_batch(&summary, self.now)?, adds: true });
        Ok(Refreshed { summary, writes })
    }

    /// The rows that standing decisions join, and those that they part.
    fn decided(&self, rows: &HashMap<String, u32>) -> (RowPairs, RowPairs) {
        let mut decided: (RowPairs, RowPairs) = Default::default();
        for decision in self.decisions.standing() {
            let (Some(a), Some(b)) = (rows.get(&decision.record_a), rows.get(&decision.record_b)) else {
                continue;
            };
            match decision.verdict {
                Verdict::Merge => decided.0.push((*a, *b)),
                Verdict::Unmerge => decided.1.push((*a, *b)),
            }
        }
        decided
    }

    /// By record, its customer's id: those that readers know as far as possible.
    fn ids(&self, records: &[Record], labels: &[u32], stored: &Stored) -> Vec<String> {
        let mut since: HashMap<(&str, &str), i64> = HashMap::new();
        let mut past: HashMap<(&str, &str), Vec<Held>> = HashMap::new();
        for held in &stored.history {
            let record = (held.source_system.as_str(), held.record_id.as_str());
            if held.valid_to.is_none() {
                since.insert(record, held.valid_from);
            } else {
                let held = Held { id: held.customer_id.clone(), since: held.valid_from };
                past.entry(record).or_default().push(held);
            }
        }
        let name = |record: &Record| (record.source_system.to_string(), record.record_id.to_string());
        let now: Vec<Option<Held>> = records
            .iter()
            .map(|record| {
                let id = self.seen.get(&name(record))?.clone();
                let since = since.get(&(&*record.source_system, &*record.record_id)).copied();
                Some(Held { id, since: since.unwrap_or(self.now) })
            })
            .collect();
        let past: Vec<Vec<Held>> = records
            .iter()
            .map(|record| past.remove(&(&*record.source_system, &*record.record_id)).unwrap_or_default())
            .collect();
        let ever = stored.ids();
        let given = carry_over(labels, &now, &past, |label, taken| {
            let anchor = records.get(label as usize);
            let anchor = anchor
                .and_then(|record| Identifier::new("record_id", &record.source_system, &record.record_id));
            let anchor = anchor.unwrap_or_else(|| blank(label));
            fresh_id(&anchor, |id| taken(id) || ever.contains(id))
        });
        labels.iter().map(|label| given.get(label).cloned().unwrap_or_default()).collect()
    }

    /// The history with what has changed, and whether anything has.
    fn history(
        &self,
        records: &[Record],
        ids: &[String],
        stored: &Stored,
        version: i64,
    ) -> (Vec<Membership>, bool) {
        let living: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let mut open: HashMap<(&str, &str), &str> = records
            .iter()
            .zip(ids)
            .map(|(record, id)| ((&*record.source_system, &*record.record_id), id.as_str()))
            .collect();
        let known: HashSet<(&str, &str)> = stored
            .history
            .iter()
            .map(|held| (held.source_system.as_str(), held.record_id.as_str()))
            .collect();
        let mut left: HashMap<(&str, &str), &str> = HashMap::new();
        let mut history = stored.history.clone();
        let mut changed = false;
        for (held, before) in
            history.iter_mut().zip(&stored.history).filter(|(held, _)| held.valid_to.is_none())
        {
            let record = (before.source_system.as_str(), before.record_id.as_str());
            if open.get(&record) == Some(&before.customer_id.as_str()) {
                open.remove(&record);
            } else {
                left.insert(record, &before.customer_id);
                held.valid_to = Some(self.now);
                changed = true;
            }
        }
        let mut begun: Vec<_> = open.into_iter().collect();
        begun.sort_unstable();
        for ((system, record), id) in begun {
            let reason = match left.get(&(system, record)) {
                Some(former) if living.contains(former) => "split",
                Some(_) => "merge",
                None if known.contains(&(system, record)) => "back",
                None => "new",
            };
            history.push(Membership {
                customer_id: id.to_owned(),
                source_system: system.to_owned(),
                record_id: record.to_owned(),
                valid_from: self.now,
                valid_to: None,
                reason: reason.to_owned(),
                version,
            });
            changed = true;
        }
        (history, changed)
    }
}

/// What each blocking rule of a refresh would cost now, by counts of keys alone.
pub async fn costs(reader: &Reader<'_>, matcher: &Arc<dyn Matcher>) -> Result<Vec<RuleCost>> {
    let stored = Stored::read(reader).await?;
    let (records, _) = records(reader, &stored).await?;
    let model = fitting(stored::model(reader).await?, records.len());
    let (policies, most_pairs) = (stored.policies, None);
    let task = Task { records, policies, together: Vec::new(), apart: Vec::new(), model, most_pairs };
    Ok(asked(matcher, task, |matcher, task| matcher.costs(task)).await?.1)
}

/// Asks the matcher, on a thread where it may take its time.
async fn asked<T: Send + 'static>(
    matcher: &Arc<dyn Matcher>,
    task: Task,
    ask: impl FnOnce(&dyn Matcher, &Task) -> Result<T> + Send + 'static,
) -> Result<(Task, T)> {
    let matcher = Arc::clone(matcher);
    let run = tokio::task::spawn_blocking(move || ask(matcher.as_ref(), &task).map(|told| (task, told)));
    run.await.map_err(|error| Error::internal(error.to_string()))?
}

/// The text of the model, unless there are many more records than it was trained on.
fn fitting(model: Option<(String, i64, u64)>, records: usize) -> Option<String> {
    model.filter(|(_, _, trained_on)| records as u64 <= GROWN * trained_on).map(|(text, _, _)| text)
}

/// The records in the order of their source systems and ids, without the values that say nothing, and those values.
/// Of two rows with one id the first counts.
async fn records(reader: &Reader<'_>, stored: &Stored) -> Result<(Vec<Record>, Vec<BlockedValue>)> {
    let columns: Vec<&str> =
        ["source_system", "record_id"].into_iter().chain(COLUMNS.map(|(name, _)| name)).collect();
    let mut records: Vec<Record> = Vec::new();
    reader
        .each_row(&QualifiedName::new("o", "customers"), &columns, |values| {
            let (Some(system), Some(record)) = (values[0], values[1]) else { return };
            let text = |value: &Option<&str>| value.filter(|text| !text.trim().is_empty()).map(Into::into);
            records.push(Record {
                source_system: system.into(),
                record_id: record.into(),
                values: values[2..].iter().map(text).collect(),
            });
        })
        .await?;
    records.sort_by(|a, b| {
        (&a.source_system, &a.record_id, &a.values).cmp(&(&b.source_system, &b.record_id, &b.values))
    });
    records.dedup_by(|a, b| a.source_system == b.source_system && a.record_id == b.record_id);
    let blocked = block(&mut records, stored);
    Ok((records, blocked))
}

/// A record id that is blank has no normal form; its place among the records names it.
fn blank(label: u32) -> Identifier {
    Identifier { key_type: "record_id".to_owned(), source_system: None, value: format!("\u{1f}{label}") }
}

/// Takes out of the records what says nothing, and tells what that is.
fn block(records: &mut [Record], stored: &Stored) -> Vec<BlockedValue> {
    let mut holders = Holders::default();
    let keys: Vec<(usize, &str)> = COLUMNS
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| stored.policies.iter().any(|policy| policy.key_type == *name))
        .map(|(at, (name, _))| (at, *name))
        .collect();
    for record in records.iter() {
        for (at, key_type) in &keys {
            if let Some(value) = &record.values[*at] {
                holders.add(key_type, value);
            }
        }
    }
    let by_user: Vec<(String, String)> = stored.blocked_by_user.iter().cloned().collect();
    let blocked = holders.blocked(&stored.policies, &by_user);
    let says_nothing: HashSet<(&str, &str)> =
        blocked.iter().map(|value| (value.key_type.as_str(), value.value.as_str())).collect();
    for record in records.iter_mut() {
        for (at, key_type) in &keys {
            let value = record.values[*at].as_deref().and_then(|value| normalise(key_type, value));
            if value.is_some_and(|value| says_nothing.contains(&(*key_type, value.as_str()))) {
                record.values[*at] = None;
            }
        }
    }
    blocked
}

fn summary(
    version: i64,
    answer: &Answer,
    ids: &[String],
    stored: &Stored,
    seen: &HashMap<(String, String), String>,
) -> Summary {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    ids.iter().for_each(|id| *sizes.entry(id).or_default() += 1);
    let kept = stored.customers();
    let before: HashSet<&str> = match kept.is_empty() {
        true => seen.values().map(String::as_str).collect(),
        false => kept.into_values().collect(),
    };
    Summary {
        version,
        trained: answer.trained,
        records: ids.len() as u64,
        customers: sizes.len() as u64,
        largest_customer: sizes.values().max().copied().unwrap_or(0),
        pairs: answer.pairs.len() as u64,
        compared: answer.compared,
        new_customers: sizes.keys().filter(|id| !before.contains(*id)).count() as u64,
        gone_customers: before.iter().filter(|id| !sizes.contains_key(*id)).count() as u64,
    }
}

impl Write {
    fn all(name: &str, rows: RecordBatch) -> Self {
        Self { table: table(name), rows, adds: false }
    }
}

/// What is kept beside the history.
struct Kept<'a> {
    records: &'a [Record],
    answer: &'a Answer,
    blocked: &'a [BlockedValue],
    stored: &'a Stored,
}

impl Kept<'_> {
    fn writes(&self, version: i64, now: i64) -> Result<Vec<Write>> {
        let mut writes = vec![
            Write::all("edges", self.edges(version)?),
            Write::all("blocking_report", self.rules(version)?),
            Write::all("blocked_values", stored::blocked_batch(self.blocked)?),
        ];
        if !self.stored.policies_are_kept {
            writes.push(Write::all("identifier_policy", stored::policies_batch(&self.stored.policies)?));
        }
        if self.answer.trained {
            writes.push(Write::all("model", self.levels(version)?));
            writes.push(Write::all("models", self.model(version, now)?));
        }
        Ok(writes)
    }

    fn edges(&self, version: i64) -> Result<RecordBatch> {
        let pairs = &self.answer.pairs;
        let name = |row: u32| self.records.get(row as usize).map(Record::name);
        let rule = |pair: &Pair| match pair.decided_by {
            Some(column) if pair.weight > 0 => format!("same {column}"),
            Some(column) => format!("different {column}"),
            None => "model".to_owned(),
        };
        let ends = |pair: &Pair| (name(pair.left), name(pair.right));
        Columns::default()
            .owned("record_a", pairs.iter().map(ends).map(|(one, other)| one.min(other)))
            .owned("record_b", pairs.iter().map(ends).map(|(one, other)| one.max(other)))
            .weight("weight", pairs.iter().map(|pair| pair.weight))?
            .double("probability", pairs.iter().map(|pair| Some(probability(pair.weight))))
            .owned("rule", pairs.iter().map(|pair| Some(rule(pair))))
            .boolean("bridge", pairs.iter().map(|pair| pair.bridge))
            .bigint("pattern", pairs.iter().map(|pair| pair.pattern as i64))
            .bigint("version", pairs.iter().map(|_| version))
            .batch()
    }

    fn rules(&self, version: i64) -> Result<RecordBatch> {
        let rules = &self.answer.rules;
        Columns::default()
            .bigint("version", rules.iter().map(|_| version))
            .text("rule", rules.iter().map(|rule| Some(rule.rule.as_str())))
            .bigint("pairs", rules.iter().map(|rule| rule.pairs as i64))
            .bigint("largest_group", rules.iter().map(|rule| rule.largest_group as i64))
            .bigint("skipped_groups", rules.iter().map(|rule| rule.skipped_groups as i64))
            .bigint("skipped_records", rules.iter().map(|rule| rule.skipped_records as i64))
            .batch()
    }

    fn levels(&self, version: i64) -> Result<RecordBatch> {
        let levels = &self.answer.levels;
        Columns::default()
            .bigint("version", levels.iter().map(|_| version))
            .text("column_name", levels.iter().map(|level| Some(level.column.as_str())))
            .bigint("level", levels.iter().map(|level| i64::from(level.level)))
            .text("level_name", levels.iter().map(|level| Some(level.name)))
            .double("m", levels.iter().map(|level| Some(level.m)))
            .double("u", levels.iter().map(|level| Some(level.u)))
            .double("h", levels.iter().map(|level| Some(level.h)))
            .weight("weight", levels.iter().map(|level| level.weight))?
            .batch()
    }

    fn model(&self, version: i64, now: i64) -> Result<RecordBatch> {
        Columns::default()
            .bigint("version", [version])
            .moment("trained_at", [Some(now)])
            .bigint("records", [self.records.len() as i64])
            .text("document", [Some(self.answer.model.as_str())])
            .batch()
    }
}

fn run_batch(summary: &Summary, now: i64) -> Result<RecordBatch> {
    Columns::default()
        .bigint("version", [summary.version])
        .moment("refreshed_at", [Some(now)])
        .boolean("trained", [summary.trained])
        .bigint("records", [summary.records as i64])
        .bigint("customers", [summary.customers as i64])
        .bigint("largest_customer", [summary.largest_customer as i64])
        .bigint("pairs", [summary.pairs as i64])
        .bigint("new_customers", [summary.new_customers as i64])
        .bigint("gone_customers", [summary.gone_customers as i64])
        .batch()
}
