//! The kernels as the engine asks for them: records in, persons out.

use parking_lot::Mutex;
use voxhouse_engine::identity::matching::{
    Answer, COLUMNS, Kind as Asked, Level, Matcher, Pair, Record, RuleCost, Step, Task,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::block::RuleReport;
use super::bridge::bridges;
use super::cluster::Edge;
use super::compare::{Comparer, LEVELS, level_name};
use super::document::Document;
use super::hash::hash_bytes;
use super::kept::Kept;
use super::model::Model;
use super::resolve::{Resolution, Settings, costs, costs_again, resolve, resolve_again};
use super::table::Table;
use super::{Invalid, Kind};

/// The Fellegi–Sunter model over the canonical columns.
///
/// It keeps what a run found, so that the next one under the same model compares only what has changed since. The
/// answer is that of a run that remembers nothing.
#[derive(Debug)]
pub struct Resolver {
    kept: Mutex<Option<Kept>>,
    /// A run that would leave more than this is not kept.
    most_bytes: usize,
}

impl Resolver {
    /// Keeps up to `most_bytes` of memory between runs.
    pub fn new(most_bytes: usize) -> Self {
        Self { kept: Mutex::default(), most_bytes }
    }
}

impl Matcher for Resolver {
    fn resolve(&self, task: &Task) -> Result<Answer> {
        let settings = settings(task);
        let before = self.kept.lock().take();
        let (kept, answer) = match before.and_then(|kept| kept.go_on(task, &settings)) {
            Some((kept, answer)) => (Some(kept), answer),
            None => in_full(task, &settings)?,
        };
        *self.kept.lock() = kept.filter(|kept| kept.size() <= self.most_bytes);
        Ok(answer)
    }

    fn costs(&self, task: &Task) -> Result<Vec<RuleCost>> {
        let mut table = table_of(&task.records)?;
        let reports = match &task.model {
            Some(text) => {
                let Document { model, rules, limits, .. } = Document::read(text)?;
                costs_again(&mut table, &model, &rules, limits)
            }
            None => costs(&mut table, &settings(task)),
        };
        Ok(reports.iter().map(cost).collect())
    }

    fn explain(&self, model: &str, left: &Record, right: &Record, pattern: Option<u64>) -> Result<Vec<Step>> {
        let document = Document::read(model)?;
        let mut table = Table::new(&columns());
        for record in [left, right] {
            push(&mut table, record)?;
        }
        table.finish();
        let known = |name: &str| document.model.comparisons.iter().any(|known| known.column == name);
        table.columns.retain(|column| known(&column.name));
        table.freeze_at(document.frequencies);
        let pattern = pattern.unwrap_or_else(|| Comparer::default().pattern(&table, 0, 1));
        Ok(document.model.explain(pattern).into_iter().map(step).collect())
    }
}

/// A run over all records, and what it leaves for the next one.
fn in_full(task: &Task, settings: &Settings) -> Result<(Option<Kept>, Answer)> {
    let mut table = table_of(&task.records)?;
    let (found, model) = match &task.model {
        Some(text) => (again(&mut table, Document::read(text)?, settings)?, text.clone()),
        None => {
            let found = resolve(&mut table, settings).map_err(too_many)?;
            let (model, rules) = (found.model.clone(), found.rules.clone());
            let document = Document::new(model, rules, found.limits, &table);
            (found, document.write())
        }
    };
    let marks = bridge_marks(&found, settings);
    let links = found.edges.iter().zip(&found.patterns).zip(&marks);
    let pairs = links.map(|((edge, pattern), bridge)| pair(&found.model, edge, *pattern, *bridge));
    let answer = Answer {
        levels: levels(&found.model),
        rules: found.reports.iter().map(cost).collect(),
        pairs: pairs.collect(),
        labels: found.labels.clone(),
        compared: found.compared,
        model: model.clone(),
        trained: task.model.is_none(),
    };
    Ok((Kept::of(table, found, &marks, &task.records, model, settings), answer))
}

fn again(table: &mut Table, document: Document, settings: &Settings) -> Result<Resolution> {
    let known = |name: &str| document.model.comparisons.iter().any(|known| known.column == name);
    table.columns.retain(|column| known(&column.name));
    table.freeze_at(document.frequencies);
    resolve_again(table, document.model, document.rules, document.limits, settings).map_err(too_many)
}

/// What beyond its budget is refused is a limit, not a wrong argument.
fn too_many(refused: Invalid) -> Error {
    let error = Error::new(ErrorKind::ProgramLimitExceeded, refused.message).with_hint(
        "CALL id.train() chooses blocking rules that fit the records. id.blocking_report() tells what each rule \
         gives, and CALL id.refresh(pairs) allows as many pairs.",
    );
    match refused.detail {
        Some(detail) => error.with_detail(detail),
        None => error,
    }
}

fn columns() -> Vec<(&'static str, Kind)> {
    let kind = |asked: Asked| match asked {
        Asked::Name => Kind::Name,
        Asked::Phone => Kind::Phone,
        Asked::Email => Kind::Email,
        Asked::Identifier => Kind::Identifier,
        Asked::Address => Kind::Address,
        Asked::Date => Kind::Date,
        Asked::Category => Kind::Category,
    };
    COLUMNS.iter().map(|(name, asked)| (*name, kind(*asked))).collect()
}

fn push(table: &mut Table, record: &Record) -> Result<()> {
    let values: Vec<Option<&str>> = record.values.iter().map(Option::as_deref).collect();
    table.push(source(record), &record.record_id, &values)?;
    Ok(())
}

/// The number of a source, which must not depend on which others there are.
pub(super) fn source(record: &Record) -> u32 {
    hash_bytes(record.source_system.as_bytes()) as u32
}

fn table_of(records: &[Record]) -> Result<Table> {
    let mut table = Table::new(&columns());
    for record in records {
        push(&mut table, record)?;
    }
    table.finish();
    Ok(table)
}

fn settings(task: &Task) -> Settings {
    let named = |wanted: fn(&voxhouse_engine::identity::policy::Policy) -> bool| {
        task.policies.iter().filter(|policy| wanted(policy)).map(|policy| policy.key_type.clone()).collect()
    };
    Settings {
        most_pairs: task.most_pairs,
        must: task.together.clone(),
        cannot: task.apart.clone(),
        merging: named(|policy| policy.merges),
        separating: named(|policy| policy.separates),
        ..Settings::default()
    }
}

pub(super) fn pair(model: &Model, edge: &Edge, pattern: u64, bridge: bool) -> Pair {
    Pair {
        left: edge.left,
        right: edge.right,
        weight: edge.weight,
        pattern,
        bridge,
        decided_by: model.rule(pattern).and_then(|(at, _)| deciding(model, at)),
    }
}

pub(super) fn cost(report: &RuleReport) -> RuleCost {
    RuleCost {
        rule: report.rule.clone(),
        pairs: report.pairs,
        largest_group: report.largest_group as u64,
        skipped_groups: report.skipped_groups as u64,
        skipped_records: report.skipped_records as u64,
    }
}

fn deciding(model: &Model, at: usize) -> Option<&'static str> {
    let column = &model.comparisons.get(at)?.column;
    COLUMNS.iter().find(|(name, _)| name == column).map(|(name, _)| *name)
}

/// By edge, whether a cluster of three or more falls apart without it.
pub(super) fn bridge_marks(found: &Resolution, settings: &Settings) -> Vec<bool> {
    let label = |row: u32| found.labels.get(row as usize).copied();
    let mut sizes = vec![0_u32; found.labels.len()];
    found.labels.iter().for_each(|label| sizes[*label as usize] += 1);
    let links = |edge: &Edge| {
        edge.weight >= settings.threshold
            && label(edge.left) == label(edge.right)
            && label(edge.left).is_some_and(|label| sizes[label as usize] > 2)
    };
    let (places, inside): (Vec<usize>, Vec<Edge>) =
        found.edges.iter().enumerate().filter(|(_, edge)| links(edge)).map(|(at, edge)| (at, *edge)).unzip();
    let mut marks = vec![false; found.edges.len()];
    for place in bridges(found.labels.len(), &inside) {
        if let Some(edge) = places.get(place) {
            marks[*edge] = true;
        }
    }
    marks
}

pub(super) fn levels(model: &Model) -> Vec<Level> {
    let single = |column: &str, m: f64, weight: i32| Level {
        column: column.to_owned(),
        level: 0,
        name: "",
        m,
        u: 1.0 - m,
        h: 0.0,
        weight,
    };
    let mut levels =
        vec![single("prior", model.lambda, model.prior), single("related", model.eta, model.related_prior)];
    for known in &model.comparisons {
        let named = (1..LEVELS).filter(|level| !level_name(known.kind, *level).is_empty());
        levels.extend(named.map(|level| Level {
            column: known.column.clone(),
            level: level as u8,
            name: level_name(known.kind, level),
            m: known.m[level],
            u: known.u[level],
            h: known.h[level],
            weight: known.weights[level],
        }));
    }
    levels
}

fn step(step: super::model::Step) -> Step {
    let known = |value: f64| value.is_finite().then_some(value);
    Step {
        column: step.column,
        level: step.level.to_owned(),
        m: known(step.m),
        u: known(step.u),
        weight: step.weight,
        total: step.total,
    }
}
