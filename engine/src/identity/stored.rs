//! What identity resolution keeps: the tables of the schema `id`, read and written as a whole.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};

use super::decisions::{Decision, Decisions, Verdict};
use super::key::normalise;
use super::policy::{BlockedValue, Policy, Reason, defaults};
use super::reading::Reader;
use crate::catalog::QualifiedName;
use crate::error::Result;

/// A table of the schema `id`.
pub fn table(name: &str) -> QualifiedName {
    QualifiedName::new("id", name)
}

/// A time during which a record was a customer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub customer_id: String,
    pub source_system: String,
    pub record_id: String,
    /// Microseconds since 1970.
    pub valid_from: i64,
    /// `None` while it lasts.
    pub valid_to: Option<i64>,
    /// `new`, `merge`, `split` or `move`.
    pub reason: String,
    /// The refresh that found it.
    pub version: i64,
}

/// Everything that was kept.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub history: Vec<Membership>,
    /// The number of the last refresh; 0 before the first.
    pub version: i64,
    pub policies: Vec<Policy>,
    /// Whether the policies are those of the table, or the defaults.
    pub policies_are_kept: bool,
    pub blocked_by_user: HashSet<(String, String)>,
}

impl Stored {
    pub async fn read(reader: &Reader<'_>) -> Result<Self> {
        let (policies, policies_are_kept) = policies(reader).await?;
        let history = history(reader).await?;
        let blocked_by_user = blocked_by_user(reader).await?;
        let mut version = history.iter().map(|held| held.version).max().unwrap_or(0);
        reader
            .each_row(&table("runs"), &["version"], |values| {
                let run = values[0].and_then(|run| run.parse().ok()).unwrap_or(0);
                version = version.max(run);
            })
            .await?;
        Ok(Self { history, version, policies, policies_are_kept, blocked_by_user })
    }

    /// By source system and record id, the customer that the last refresh found.
    pub fn customers(&self) -> HashMap<(&str, &str), &str> {
        let open = self.history.iter().filter(|membership| membership.valid_to.is_none());
        open.map(|held| ((held.source_system.as_str(), held.record_id.as_str()), held.customer_id.as_str()))
            .collect()
    }

    /// Every id that a customer has or had.
    pub fn ids(&self) -> BTreeSet<&str> {
        self.history.iter().map(|membership| membership.customer_id.as_str()).collect()
    }
}

async fn history(reader: &Reader<'_>) -> Result<Vec<Membership>> {
    const COLUMNS: [&str; 7] =
        ["customer_id", "source_system", "record_id", "valid_from", "valid_to", "reason", "version"];
    let mut history = Vec::new();
    reader
        .each_row(&table("history"), &COLUMNS, |values| {
            let text = |at: usize| values[at].unwrap_or_default().to_owned();
            history.push(Membership {
                customer_id: text(0),
                source_system: text(1),
                record_id: text(2),
                valid_from: values[3].and_then(moment).unwrap_or(0),
                valid_to: values[4].and_then(moment),
                reason: text(5),
                version: values[6].and_then(|version| version.parse().ok()).unwrap_or(0),
            });
        })
        .await?;
    Ok(history)
}

/// Microseconds since 1970.
fn moment(text: &str) -> Option<i64> {
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}

/// The policies in force, the strongest identifier first as the defaults have it.
async fn policies(reader: &Reader<'_>) -> Result<(Vec<Policy>, bool)> {
    let mut kept = Vec::new();
    let columns = ["key_type", "merges", "separates", "most_records"];
    reader
        .each_row(&table("identifier_policy"), &columns, |values| {
            kept.push(Policy {
                key_type: values[0].unwrap_or_default().to_owned(),
                merges: values[1] == Some("true"),
                separates: values[2] == Some("true"),
                most_records: values[3].and_then(|most| most.parse().ok()).unwrap_or(u32::MAX),
            });
        })
        .await?;
    if kept.is_empty() {
        return Ok((defaults(), false));
    }
    kept.sort_by(|a, b| a.key_type.cmp(&b.key_type));
    Ok((kept, true))
}

/// What somebody wrote into the table of blocked values; what was found from data is found again.
async fn blocked_by_user(reader: &Reader<'_>) -> Result<HashSet<(String, String)>> {
    let mut blocked = HashSet::new();
    reader
        .each_row(&table("blocked_values"), &["key_type", "key_value", "reason"], |values| {
            let (Some(key_type), Some(value)) = (values[0], values[1]) else { return };
            let by_user = values[2].is_none_or(|reason| Reason::of_name(reason) == Reason::User);
            if let Some(value) = normalise(key_type, value).filter(|_| by_user) {
                blocked.insert((key_type.to_owned(), value));
            }
        })
        .await?;
    Ok(blocked)
}

/// All decisions, in the order in which they were made.
pub async fn decisions(reader: &Reader<'_>) -> Result<Decisions> {
    const COLUMNS: [&str; 9] = [
        "decision_id",
        "kind",
        "record_a",
        "record_b",
        "reason",
        "decided_by",
        "decided_at",
        "withdrawn_by",
        "withdrawn_at",
    ];
    let mut all = Vec::new();
    reader
        .each_row(&table("decisions"), &COLUMNS, |values| {
            let text = |at: usize| values[at].unwrap_or_default().to_owned();
            all.push(Decision {
                decision_id: text(0),
                verdict: if values[1] == Some("unmerge") { Verdict::Unmerge } else { Verdict::Merge },
                record_a: text(2),
                record_b: text(3),
                reason: text(4),
                decided_by: text(5),
                decided_at: values[6].and_then(moment).unwrap_or(0),
                withdrawn_by: values[7].map(str::to_owned),
                withdrawn_at: values[8].and_then(moment),
            });
        })
        .await?;
    all.sort_by(|a, b| {
        let order = |decision: &Decision| (decision.decided_at, decision.decision_id.len());
        order(a).cmp(&order(b)).then_with(|| {
            (&a.decision_id, &a.record_a, &a.record_b).cmp(&(&b.decision_id, &b.record_a, &b.record_b))
        })
    });
    Ok(Decisions { all })
}

/// The model in force: its text, its version and the records that it was trained on.
pub async fn model(reader: &Reader<'_>) -> Result<Option<(String, i64, u64)>> {
    let mut newest: Option<(String, i64, u64)> = None;
    reader
        .each_row(&table("models"), &["document", "version", "records"], |values| {
            let (Some(document), Some(Ok(version))) = (values[0], values[1].map(str::parse::<i64>)) else {
                return;
            };
            if newest.as_ref().is_none_or(|(_, known, _)| version > *known) {
                let records = values[2].and_then(|records| records.parse().ok()).unwrap_or(0);
                newest = Some((document.to_owned(), version, records));
            }
        })
        .await?;
    Ok(newest)
}

/// Columns that become a record batch.
#[derive(Default)]
pub struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn with(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        self
    }

    pub fn text<'a>(self, name: &str, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        self.with(name, Arc::new(values.into_iter().collect::<StringArray>()))
    }

    pub fn owned(self, name: &str, values: impl IntoIterator<Item = Option<String>>) -> Self {
        self.with(name, Arc::new(values.into_iter().collect::<StringArray>()))
    }

    pub fn bigint(self, name: &str, values: impl IntoIterator<Item = i64>) -> Self {
        self.with(name, Arc::new(Int64Array::from_iter_values(values)))
    }

    pub fn boolean(self, name: &str, values: impl IntoIterator<Item = bool>) -> Self {
        self.with(name, Arc::new(values.into_iter().map(Some).collect::<BooleanArray>()))
    }

    pub fn double(self, name: &str, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.with(name, Arc::new(values.into_iter().collect::<Float64Array>()))
    }

    /// Thousandths of a bit as `numeric(9,3)` bits.
    pub fn weight(self, name: &str, values: impl IntoIterator<Item = i32>) -> Result<Self> {
        let weights = Decimal128Array::from_iter_values(values.into_iter().map(i128::from));
        Ok(self.with(name, Arc::new(weights.with_precision_and_scale(9, 3)?)))
    }

    pub fn moment(self, name: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        let moments = values.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC");
        self.with(name, Arc::new(moments))
    }

    pub fn batch(self) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)?)
    }
}

pub fn history_batch(history: &[Membership]) -> Result<RecordBatch> {
    let record = |held: &Membership| Some(format!("{}/{}", held.source_system, held.record_id));
    Columns::default()
        .text("customer_id", history.iter().map(|held| Some(held.customer_id.as_str())))
        .owned("record", history.iter().map(record))
        .text("source_system", history.iter().map(|held| Some(held.source_system.as_str())))
        .text("record_id", history.iter().map(|held| Some(held.record_id.as_str())))
        .moment("valid_from", history.iter().map(|held| Some(held.valid_from)))
        .moment("valid_to", history.iter().map(|held| held.valid_to))
        .text("reason", history.iter().map(|held| Some(held.reason.as_str())))
        .bigint("version", history.iter().map(|held| held.version))
        .batch()
}

pub fn decisions_batch(decisions: &Decisions) -> Result<RecordBatch> {
    let all = &decisions.all;
    Columns::default()
        .text("decision_id", all.iter().map(|decision| Some(decision.decision_id.as_str())))
        .text("kind", all.iter().map(|decision| Some(decision.verdict.name())))
        .text("record_a", all.iter().map(|decision| Some(decision.record_a.as_str())))
        .text("record_b", all.iter().map(|decision| Some(decision.record_b.as_str())))
        .text("reason", all.iter().map(|decision| Some(decision.reason.as_str())))
        .text("decided_by", all.iter().map(|decision| Some(decision.decided_by.as_str())))
        .moment("decided_at", all.iter().map(|decision| Some(decision.decided_at)))
        .text("withdrawn_by", all.iter().map(|decision| decision.withdrawn_by.as_deref()))
        .moment("withdrawn_at", all.iter().map(|decision| decision.withdrawn_at))
        .batch()
}

pub fn policies_batch(policies: &[Policy]) -> Result<RecordBatch> {
    Columns::default()
        .text("key_type", policies.iter().map(|policy| Some(policy.key_type.as_str())))
        .boolean("merges", policies.iter().map(|policy| policy.merges))
        .boolean("separates", policies.iter().map(|policy| policy.separates))
        .bigint("most_records", policies.iter().map(|policy| i64::from(policy.most_records)))
        .batch()
}

pub fn blocked_batch(blocked: &[BlockedValue]) -> Result<RecordBatch> {
    Columns::default()
        .text("key_type", blocked.iter().map(|value| Some(value.key_type.as_str())))
        .text("key_value", blocked.iter().map(|value| Some(value.value.as_str())))
        .text("reason", blocked.iter().map(|value| Some(value.reason.name())))
        .bigint("records", blocked.iter().map(|value| value.records as i64))
        .batch()
}
