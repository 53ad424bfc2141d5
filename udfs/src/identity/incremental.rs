//! Records that come and go under a frozen model: only what they touch is worked out again, and the result is
//! that of a full run over the records that are there.

use super::block::{KeyHashes, Limits, Rule};
use super::cluster::Edge;
use super::compare::Comparer;
use super::hash::{FastMap, FastSet};
use super::intern::MISSING;
use super::model::Model;
use super::resolve::{KEPT_BELOW, Settings, cut_component};
use super::table::Table;
use super::{Invalid, Kind};

/// A resolved table that can be changed.
#[derive(Debug)]
pub(crate) struct Incremental {
    table: Table,
    model: Model,
    rules: Vec<Rule>,
    limits: Limits,
    settings: Settings,
    comparer: Comparer,
    /// By rule, the records with each key.
    groups: Vec<FastMap<u64, Vec<u32>>>,
    /// By row, its candidates: how many rules found the pair, and its weight.
    links: Vec<FastMap<u32, (u32, i32)>>,
    present: Vec<bool>,
    labels: Vec<u32>,
}

impl Incremental {
    /// Starts without records. The columns of `empty` say what will come; `frequencies` freeze how often
    /// values occur (see [`Table::freeze`]).
    pub(crate) fn new(
        empty: Table,
        model: Model,
        rules: Vec<Rule>,
        limits: Limits,
        settings: Settings,
    ) -> Result<Self, Invalid> {
        if empty.columns.iter().any(|column| column.kind == Kind::Text) {
            return Err(Invalid::new("table with a text column cannot be resolved record by record")
                .with_hint("Run the whole resolution again, or leave the text column out."));
        }
        if empty.rows() > 0 {
            return Err(Invalid::new("table has records already"));
        }
        let groups = vec![FastMap::default(); rules.len()];
        let comparer = Comparer::default();
        let (links, present, labels) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { table: empty, model, rules, limits, settings, comparer, groups, links, present, labels })
    }

    /// Adds records: source, id and values of each. Returns their rows.
    pub(crate) fn add(&mut self, records: &[(u32, &str, Vec<Option<&str>>)]) -> Result<Vec<u32>, Invalid> {
        let mut rows = Vec::new();
        for (source, id, values) in records {
            let row = self.table.push(*source, id, values)?;
            self.links.push(FastMap::default());
            self.present.push(true);
            self.labels.push(row);
            rows.push(row);
        }
        self.table.finish();
        let mut changed: FastSet<u32> = rows.iter().copied().collect();
        for row in &rows {
            for rule in 0..self.rules.len() {
                self.enter(*row, rule, &mut changed);
            }
        }
        self.settle(&changed);
        Ok(rows)
    }

    /// Takes records back, as if they had never come. Rows that are not there are passed over.
    pub(crate) fn retract(&mut self, rows: &[u32]) {
        let mut changed = FastSet::default();
        for row in rows {
            if !self.present.get(*row as usize).copied().unwrap_or(false) {
                continue;
            }
            for rule in 0..self.rules.len() {
                self.leave(*row, rule, &mut changed);
            }
            self.present[*row as usize] = false;
            self.labels[*row as usize] = MISSING;
        }
        changed.retain(|row| self.present[*row as usize]);
        self.settle(&changed);
    }

    /// By row, the least row of its entity; [`MISSING`] for rows taken back.
    pub(crate) fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn key(&self, row: u32, rule: usize) -> Option<u64> {
        let rule = self.rules.get(rule)?;
        KeyHashes::of_row(&self.table, rule, row)
    }

    fn enter(&mut self, row: u32, rule: usize, changed: &mut FastSet<u32>) {
        let Some(key) = self.key(row, rule) else { return };
        let mut group = std::mem::take(self.groups[rule].entry(key).or_default());
        if group.len() < self.limits.group {
            for other in &group {
                self.link(row, *other, changed);
            }
        } else if group.len() == self.limits.group {
            self.each_pair(&group, changed, Self::unlink);
        }
        group.push(row);
        self.groups[rule].insert(key, group);
    }

    fn leave(&mut self, row: u32, rule: usize, changed: &mut FastSet<u32>) {
        let Some(key) = self.key(row, rule) else { return };
        let mut group = std::mem::take(self.groups[rule].entry(key).or_default());
        group.retain(|other| *other != row);
        if group.len() < self.limits.group {
            for other in &group {
                self.unlink(row, *other, changed);
            }
        } else if group.len() == self.limits.group {
            self.each_pair(&group, changed, Self::link);
        }
        self.groups[rule].insert(key, group);
    }

    fn each_pair(
        &mut self,
        group: &[u32],
        changed: &mut FastSet<u32>,
        act: fn(&mut Self, u32, u32, &mut FastSet<u32>),
    ) {
        for (at, left) in group.iter().enumerate() {
            for right in &group[at + 1..] {
                act(self, *left, *right, changed);
            }
        }
    }

    /// One more rule finds the pair.
    fn link(&mut self, left: u32, right: u32, changed: &mut FastSet<u32>) {
        if self.settings.across_sources && self.table.source(left) == self.table.source(right) {
            return;
        }
        let known = self.links[left as usize].get(&right).copied();
        let (rules, weight) =
            known.unwrap_or_else(|| (0, self.model.weight(self.comparer.pattern(&self.table, left, right))));
        self.links[left as usize].insert(right, (rules + 1, weight));
        self.links[right as usize].insert(left, (rules + 1, weight));
        if rules == 0 {
            changed.extend([left, right]);
        }
    }

    /// One rule less finds the pair.
    fn unlink(&mut self, left: u32, right: u32, changed: &mut FastSet<u32>) {
        let Some((rules, weight)) = self.links[left as usize].get(&right).copied() else { return };
        for (from, to) in [(left, right), (right, left)] {
            if rules > 1 {
                self.links[from as usize].insert(to, (rules - 1, weight));
            } else {
                self.links[from as usize].remove(&to);
            }
        }
        if rules <= 1 {
            changed.extend([left, right]);
        }
    }

    /// Works out the components of changed rows again.
    fn settle(&mut self, changed: &FastSet<u32>) {
        let mut seen: FastSet<u32> = FastSet::default();
        for row in changed {
            if !seen.contains(row) {
                let component = self.component(*row);
                seen.extend(component.iter().copied());
                self.cut(component);
            }
        }
    }

    /// The rows that links at the threshold connect with a row.
    fn component(&self, row: u32) -> Vec<u32> {
        let mut seen: FastSet<u32> = [row].into_iter().collect();
        let mut open = vec![row];
        let mut rows = Vec::new();
        while let Some(row) = open.pop() {
            rows.push(row);
            for (other, (_, weight)) in &self.links[row as usize] {
                if *weight >= self.settings.threshold && seen.insert(*other) {
                    open.push(*other);
                }
            }
        }
        rows
    }

    fn cut(&mut self, rows: Vec<u32>) {
        for row in &rows {
            self.labels[*row as usize] = *row;
        }
        if rows.len() < 2 {
            return;
        }
        let inside: FastSet<u32> = rows.iter().copied().collect();
        let mut edges = Vec::new();
        for left in &rows {
            for (right, (_, weight)) in &self.links[*left as usize] {
                let kept = *weight >= self.settings.threshold - KEPT_BELOW;
                if left < right && kept && inside.contains(right) {
                    edges.push(Edge { left: *left, right: *right, weight: *weight });
                }
            }
        }
        let (table, model, settings) = (&self.table, &self.model, &self.settings);
        cut_component(table, model, rows, edges.into_iter(), settings, &mut self.comparer, &mut self.labels);
    }
}
