//! The kernels as the engine asks for them: records in, persons out.

use voxhouse_engine::identity::matching::{
    Answer, COLUMNS, Kind as Asked, Level, Matcher, Pair, Record, RuleCost, Step, Task,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::bridge::bridges;
use super::cluster::Edge;
use super::compare::{Comparer, LEVELS, level_name};
use super::document::Document;
use super::hash::hash_bytes;
use super::model::Model;
use super::resolve::{Resolution, Settings, resolve, resolve_again};
use super::table::Table;
use super::{Invalid, Kind};

/// The Fellegi–Sunter model over the canonical columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Resolver;

impl Matcher for Resolver {
    fn resolve(&self, task: &Task) -> Result<Answer> {
        let mut table = table_of(&task.records)?;
        let settings = settings(task);
        let (found, model) = match &task.model {
            Some(text) => {
                let document = Document::read(text)?;
                let found = again(&mut table, document, &settings)?;
                (found, text.clone())
            }
            None => {
                let found = resolve(&mut table, &settings)?;
                let (model, rules) = (found.model.clone(), found.rules.clone());
                (found.clone(), Document::new(model, rules, found.limits, &table).write())
            }
        };
        Ok(answer(found, model, task.model.is_none(), &settings))
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

/// What beyond its budget is refused is a limit, not a wrong argument.
fn again(table: &mut Table, document: Document, settings: &Settings) -> Result<Resolution> {
    let known = |name: &str| document.model.comparisons.iter().any(|known| known.column == name);
    table.columns.retain(|column| known(&column.name));
    table.freeze_at(document.frequencies.clone());
    resolve_again(table, document.model, document.rules, document.limits, settings).map_err(too_many)
}

fn too_many(refused: Invalid) -> Error {
    Error::new(ErrorKind::LimitExceeded, refused.message)
        .with_hint("CALL id.train() chooses blocking rules that fit the records.")
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
    // The number of a source must not depend on which others there are.
    let source = hash_bytes(record.source_system.as_bytes()) as u32;
    table.push(source, &record.record_id, &values)?;
    Ok(())
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
        must: task.together.clone(),
        cannot: task.apart.clone(),
        merging: named(|policy| policy.merges),
        separating: named(|policy| policy.separates),
        ..Settings::default()
    }
}

fn answer(found: Resolution, model: String, trained: bool, settings: &Settings) -> Answer {
    let bridge = bridge_marks(&found, settings);
    let pairs = found.edges.iter().zip(&found.patterns).zip(bridge);
    let pair = |((edge, pattern), bridge): ((&Edge, &u64), bool)| Pair {
        left: edge.left,
        right: edge.right,
        weight: edge.weight,
        pattern: *pattern,
        bridge,
        decided_by: found.model.rule(*pattern).and_then(|(at, _)| deciding(&found.model, at)),
    };
    let cost = |report: &super::block::RuleReport| RuleCost {
        rule: report.rule.clone(),
        pairs: report.pairs,
        largest_group: report.largest_group as u64,
        skipped_groups: report.skipped_groups as u64,
        skipped_records: report.skipped_records as u64,
    };
    Answer {
        levels: levels(&found.model),
        rules: found.reports.iter().map(cost).collect(),
        pairs: pairs.map(pair).collect(),
        labels: found.labels,
        model,
        trained,
    }
}

fn deciding(model: &Model, at: usize) -> Option<&'static str> {
    let column = &model.comparisons.get(at)?.column;
    COLUMNS.iter().find(|(name, _)| name == column).map(|(name, _)| *name)
}

/// By edge, whether a cluster of three or more falls apart without it.
fn bridge_marks(found: &Resolution, settings: &Settings) -> Vec<bool> {
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

fn levels(model: &Model) -> Vec<Level> {
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
