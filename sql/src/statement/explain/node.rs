//! A physical plan in the shape of PostgreSQL's: nodes with a type that tools know, estimates, and what they did.
//!
//! Costs are in PostgreSQL's unit: a row that a node handles costs `cpu_tuple_cost`. Nothing is chosen by them.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::stats::Precision;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs, StatisticsContext, displayable};
use serde_json::{Value, json};

const CPU_TUPLE_COST: f64 = 0.01;
/// Rows of a source that does not tell; PostgreSQL's guess for a function.
const ROWS_UNKNOWN: usize = 1000;
/// Bytes of a text; PostgreSQL's guess for a column without statistics.
const WIDTH_UNKNOWN: usize = 32;

/// What DataFusion calls a node, what PostgreSQL does, and whether it has no row before it has read all of its input.
const TYPES: &[(&str, &str, bool)] = &[
    ("AggregateExec", "Aggregate", true),
    ("BoundedWindowAggExec", "WindowAgg", false),
    ("CoalescePartitionsExec", "Gather", false),
    ("CrossJoinExec", "Nested Loop", false),
    ("DataSourceExec", "Seq Scan", false),
    ("EmptyExec", "Result", false),
    ("FilterExec", "Filter", false),
    ("GlobalLimitExec", "Limit", false),
    ("HashJoinExec", "Hash Join", false),
    ("InterleaveExec", "Append", false),
    ("LocalLimitExec", "Limit", false),
    ("NestedLoopJoinExec", "Nested Loop", false),
    ("PlaceholderRowExec", "Result", false),
    ("ProjectionExec", "Result", false),
    ("RecursiveQueryExec", "Recursive Union", false),
    ("RepartitionExec", "Redistribute", false),
    ("SortExec", "Sort", true),
    ("SortMergeJoinExec", "Merge Join", false),
    ("SortPreservingMergeExec", "Gather Merge", false),
    ("UnionExec", "Append", false),
    ("UnnestExec", "ProjectSet", false),
    ("WindowAggExec", "WindowAgg", true),
    ("WorkTableExec", "WorkTable Scan", false),
];

pub(super) struct Node {
    kind: String,
    /// DataFusion's line.
    detail: String,
    startup_cost: f64,
    total_cost: f64,
    rows: usize,
    width: usize,
    /// What it did, if it was run.
    actual: Option<Actual>,
    inputs: Vec<Node>,
}

struct Actual {
    rows: Option<usize>,
    /// With that of its inputs.
    milliseconds: f64,
}

/// What is shown of each node.
pub(super) struct Shown {
    pub(super) costs: bool,
    pub(super) timing: bool,
}

impl Node {
    pub(super) fn of(plan: &Arc<dyn ExecutionPlan>, analyzed: bool) -> Self {
        Self::with_statistics(plan, analyzed, &StatisticsContext::new())
    }

    fn with_statistics(
        plan: &Arc<dyn ExecutionPlan>,
        analyzed: bool,
        statistics: &StatisticsContext,
    ) -> Self {
        let below = plan.children().into_iter();
        let inputs: Vec<Node> =
            below.map(|input| Self::with_statistics(input, analyzed, statistics)).collect();
        let handled: usize = inputs.iter().map(|input| input.rows).sum();
        let rows = estimated_rows(plan, statistics).unwrap_or(if inputs.is_empty() {
            ROWS_UNKNOWN
        } else {
            handled
        });
        let before: f64 = inputs.iter().map(|input| input.total_cost).sum();
        let (kind, waits) = kind_of(plan.name());
        let shown = match analyzed {
            true => DisplayableExecutionPlan::with_metrics(plan.as_ref()),
            false => displayable(plan.as_ref()),
        };
        Self {
            kind,
            detail: shown.one_line().to_string().trim_end().to_owned(),
            startup_cost: if waits { before } else { 0.0 },
            total_cost: before + rows.max(handled) as f64 * CPU_TUPLE_COST,
            rows,
            width: plan.schema().fields().iter().map(|field| width_of(field.data_type())).sum(),
            actual: analyzed.then(|| Actual::of(plan, &inputs)),
            inputs,
        }
    }

    /// One line a node, and one below it with what DataFusion says.
    pub(super) fn text(&self, shown: &Shown) -> String {
        let mut text = String::new();
        self.write(shown, 0, &mut text);
        text
    }

    fn write(&self, shown: &Shown, depth: usize, text: &mut String) {
        let (indent, arrow) = match depth {
            0 => (0, ""),
            depth => (depth * 6 - 4, "->  "),
        };
        text.push_str(&format!("{:indent$}{arrow}{}", "", self.kind));
        if shown.costs {
            let Self { startup_cost, total_cost, rows, width, .. } = self;
            text.push_str(&format!("  (cost={startup_cost:.2}..{total_cost:.2} rows={rows} width={width})"));
        }
        if let Some(actual) = &self.actual {
            text.push_str(&actual.text(shown.timing));
        }
        let detail_indent = indent + arrow.len() + 2;
        text.push_str(&format!("\n{:detail_indent$}{}\n", "", self.detail));
        self.inputs.iter().for_each(|input| input.write(shown, depth + 1, text));
    }

    /// As PostgreSQL nests it: plans inside of plans.
    pub(super) fn json(&self, shown: &Shown) -> Value {
        let mut node = json!({ "Node Type": self.kind, "Detail": self.detail });
        if shown.costs {
            node["Startup Cost"] = json!(rounded(self.startup_cost, 100.0));
            node["Total Cost"] = json!(rounded(self.total_cost, 100.0));
            node["Plan Rows"] = json!(self.rows);
            node["Plan Width"] = json!(self.width);
        }
        if let Some(Actual { rows, milliseconds }) = &self.actual {
            if shown.timing {
                node["Actual Startup Time"] = json!(0.0);
                node["Actual Total Time"] = json!(rounded(*milliseconds, 1000.0));
            }
            if let Some(rows) = rows {
                node["Actual Rows"] = json!(rows);
            }
            node["Actual Loops"] = json!(1);
        }
        let related =
            self.inputs.iter().zip(["Outer", "Inner"].into_iter().chain(std::iter::repeat("Member")));
        let inputs: Vec<Value> = related
            .map(|(input, relationship)| {
                let mut input = input.json(shown);
                input["Parent Relationship"] = json!(relationship);
                input
            })
            .collect();
        if !inputs.is_empty() {
            node["Plans"] = Value::Array(inputs);
        }
        node
    }
}

impl Actual {
    fn of(plan: &Arc<dyn ExecutionPlan>, inputs: &[Node]) -> Self {
        let metrics = plan.metrics();
        let own = metrics.as_ref().and_then(|metrics| metrics.elapsed_compute()).unwrap_or_default();
        let below = inputs.iter().filter_map(|input| input.actual.as_ref());
        Self {
            rows: metrics.and_then(|metrics| metrics.output_rows()),
            milliseconds: own as f64 / 1e6 + below.map(|actual| actual.milliseconds).sum::<f64>(),
        }
    }

    fn text(&self, timing: bool) -> String {
        let rows = self.rows.unwrap_or_default();
        match timing {
            true => format!(" (actual time=0.000..{:.3} rows={rows} loops=1)", self.milliseconds),
            false => format!(" (actual rows={rows} loops=1)"),
        }
    }
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

fn kind_of(name: &str) -> (String, bool) {
    // `SortExec(TopK)` is a sort.
    let plain = name.split('(').next().unwrap_or(name);
    match TYPES.iter().find(|(known, _, _)| *known == plain) {
        Some((_, kind, waits)) => ((*kind).to_owned(), *waits),
        None => (plain.trim_end_matches("Exec").to_owned(), false),
    }
}

fn estimated_rows(plan: &Arc<dyn ExecutionPlan>, statistics: &StatisticsContext) -> Option<usize> {
    match statistics.compute(plan.as_ref(), &StatisticsArgs::new()).ok()?.num_rows {
        Precision::Exact(rows) | Precision::Inexact(rows) => Some(rows),
        Precision::Absent => None,
    }
}

fn width_of(data_type: &DataType) -> usize {
    match data_type {
        DataType::Boolean => 1,
        // A numeric takes as many bytes as it has digits to store.
        decimal if decimal.is_decimal() => WIDTH_UNKNOWN,
        other => other.primitive_width().unwrap_or(WIDTH_UNKNOWN),
    }
}
