//! Records that come and go under a frozen model: only what they touch is worked out again, and the result is
//! that of a full run over the records that are there.
//!
//! Kept are the groups of records that have a blocking key in common, and the pairs that were worth keeping. A
//! record that comes is compared with the records of its groups; one that goes takes its pairs along; a group that
//! grows beyond the cap, or shrinks back to it, changes the candidates among the records that stay. Then the
//! components that have a changed record or pair are cut anew.

use super::block::{KeyHashes, Rule, RuleReport};
use super::bridge::bridges;
use super::cluster::Edge;
use super::compare::{Comparer, Pattern};
use super::groups::{Entered, Groups};
use super::hash::{FastMap, FastSet};
use super::intern::MISSING;
use super::model::Model;
use super::resolve::{Decided, KEPT_BELOW, Resolution, Settings, Terms};
use super::table::Table;
use super::{Invalid, Kind};

/// A kept pair, seen from one of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) other: u32,
    pub(crate) weight: i32,
    pub(crate) pattern: Pattern,
    /// Whether its cluster, of three or more, falls apart without it.
    pub(crate) bridge: bool,
}

/// A record that comes: the source it is from, its id there, and a value for each column.
pub(crate) type Incoming<'a> = (u32, &'a str, Vec<Option<&'a str>>);

/// A resolved table that can be changed. After changes, [`Self::settle`] brings the labels up to date.
#[derive(Debug)]
pub(crate) struct Incremental {
    table: Table,
    model: Model,
    rules: Vec<Rule>,
    /// What the full run said of the rules; their costs are those of [`Self::groups`].
    reports: Vec<RuleReport>,
    /// Without decisions, which are in `decisions`.
    settings: Settings,
    hashes: KeyHashes,
    groups: Vec<Groups>,
    links: Vec<Vec<Link>>,
    present: Vec<bool>,
    labels: Vec<u32>,
    /// Pairs of rows that must be together and that must not, the lower row first.
    decisions: [FastSet<(u32, u32)>; 2],
    decided: Decided,
    comparer: Comparer,
    compared: u64,
    /// Rows that have changed, or whose pairs have, since the labels were worked out.
    touched: FastSet<u32>,
}

impl Incremental {
    /// Goes on from a full run over `table` under these settings. `marks` says which edges are bridges.
    pub(crate) fn new(
        mut table: Table,
        found: Resolution,
        marks: &[bool],
        settings: &Settings,
    ) -> Result<Self, Invalid> {
        if table.columns.iter().any(|column| column.kind == Kind::Text) {
            return Err(Invalid::new("table with a text column cannot be resolved record by record")
                .with_hint("Run the whole resolution again, or leave the text column out."));
        }
        if !table.is_frozen() {
            table.freeze_at(table.frequencies());
        }
        let mut links: Vec<Vec<Link>> = vec![Vec::new(); table.rows()];
        let pairs = found.edges.iter().zip(&found.patterns).zip(marks);
        for ((Edge { left, right, weight }, pattern), bridge) in pairs {
            for (from, other) in [(*left, *right), (*right, *left)] {
                let link = Link { other, weight: *weight, pattern: *pattern, bridge: *bridge };
                links[from as usize].push(link);
            }
        }
        let hashes = KeyHashes::new(&table, found.rules.iter().flat_map(|rule| &rule.keys));
        Ok(Self {
            present: vec![true; table.rows()],
            hashes,
            links,
            model: found.model,
            rules: found.rules,
            reports: found.reports,
            groups: found.groups,
            labels: found.labels,
            decisions: [normal(&settings.must), normal(&settings.cannot)],
            decided: Decided::new(&settings.must, &settings.cannot),
            settings: Settings { must: Vec::new(), cannot: Vec::new(), ..settings.clone() },
            comparer: Comparer::default(),
            compared: 0,
            touched: FastSet::default(),
            table,
        })
    }

    /// Adds records; tells their rows. Refuses, and is of no use any more, when the rules come to give more than
    /// `most` pairs; nothing is compared then.
    pub(crate) fn add(&mut self, records: &[Incoming<'_>], most: u64) -> Result<Vec<u32>, Invalid> {
        let mut rows = Vec::with_capacity(records.len());
        for (source, id, values) in records {
            let row = self.table.push(*source, id, values)?;
            self.links.push(Vec::new());
            self.present.push(true);
            self.labels.push(row);
            rows.push(row);
        }
        self.table.finish();
        self.hashes.extend(&self.table);
        let Self { table, hashes, rules, groups, .. } = self;
        for (groups, rule) in groups.iter_mut().zip(rules) {
            // The new rows hang in no chain yet: they are entered one by one.
            groups.reserve(table.rows(), |row| hashes.row(table, rule, row));
        }
        let mut found: Vec<(u32, Vec<u32>)> = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push((*row, self.enter(*row)));
            if self.groups.iter().map(Groups::pairs).sum::<u64>() > most {
                return Err(Invalid::new("blocking rules give too many pairs"));
            }
        }
        for (row, others) in found {
            self.touched.insert(row);
            for other in others {
                // A group may have become too large since.
                if self.are_candidates(row, other) {
                    self.link(row, other);
                }
            }
        }
        Ok(rows)
    }

    /// Takes records back, as if they had never come. Rows that are not there are passed over.
    pub(crate) fn retract(&mut self, rows: &[u32]) {
        for row in rows {
            if !self.is_present(*row) {
                continue;
            }
            self.present[*row as usize] = false;
            self.labels[*row as usize] = MISSING;
            for link in std::mem::take(&mut self.links[*row as usize]) {
                self.links[link.other as usize].retain(|back| back.other != *row);
                self.touched.insert(link.other);
            }
            for rule in 0..self.groups.len() {
                self.leave(*row, rule);
            }
        }
    }

    /// What people have decided, from now on.
    pub(crate) fn decide(&mut self, must: &[(u32, u32)], cannot: &[(u32, u32)]) {
        let new = [normal(must), normal(cannot)];
        for (before, now) in self.decisions.iter().zip(&new) {
            for (left, right) in before.symmetric_difference(now) {
                self.touched.extend([*left, *right]);
            }
        }
        self.decisions = new;
        self.decided = Decided::new(must, cannot);
    }

    /// Works out the components of changed rows again.
    pub(crate) fn settle(&mut self) {
        let mut seen: FastSet<u32> = FastSet::default();
        for row in std::mem::take(&mut self.touched) {
            if self.is_present(row) && !seen.contains(&row) {
                let component = self.component(row);
                seen.extend(component.iter().copied());
                self.cut(component);
            }
        }
    }

    /// By row, the least row of its entity; [`MISSING`] for rows taken back.
    pub(crate) fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The kept pairs of a row.
    pub(crate) fn links(&self, row: u32) -> &[Link] {
        self.links.get(row as usize).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// What each blocking rule costs over the records that are there.
    pub(crate) fn reports(&self) -> Vec<RuleReport> {
        let named = |(report, groups): (&RuleReport, &Groups)| RuleReport {
            rule: report.rule.clone(),
            ..groups.report()
        };
        self.reports.iter().zip(&self.groups).map(named).collect()
    }

    /// Pairs that were compared since this was asked last.
    pub(crate) fn take_compared(&mut self) -> u64 {
        std::mem::take(&mut self.compared)
    }

    /// Bytes that all of it holds.
    pub(crate) fn size(&self) -> usize {
        let links: usize = self.links.iter().map(|links| links.capacity() * size_of::<Link>()).sum();
        let rows = self.links.capacity() * size_of::<Vec<Link>>() + self.present.capacity();
        let groups: usize = self.groups.iter().map(Groups::size).sum();
        self.table.size() + self.hashes.size() + groups + links + rows + 4 * self.labels.capacity()
    }

    fn is_present(&self, row: u32) -> bool {
        self.present.get(row as usize).copied().unwrap_or(false)
    }

    fn key(&self, row: u32, rule: usize) -> Option<u64> {
        self.hashes.row(&self.table, self.rules.get(rule)?, row)
    }

    /// Puts a row into its groups; tells its candidates among the rows that are there.
    fn enter(&mut self, row: u32) -> Vec<u32> {
        let mut others = Vec::new();
        for rule in 0..self.groups.len() {
            let Some(key) = self.key(row, rule) else { continue };
            let Self { table, hashes, rules, groups, present, .. } = self;
            let is_in =
                |other: u32| present[other as usize] && hashes.row(table, &rules[rule], other) == Some(key);
            match groups[rule].enter(key, row, is_in) {
                Entered::Beside(group) => others.extend(group),
                Entered::Crowded(group) => self.part(&group),
                Entered::Nothing => {}
            }
        }
        others.sort_unstable();
        others.dedup();
        others
    }

    fn leave(&mut self, row: u32, rule: usize) {
        let Some(key) = self.key(row, rule) else { return };
        let Self { table, hashes, rules, groups, present, .. } = self;
        let is_in =
            |other: u32| present[other as usize] && hashes.row(table, &rules[rule], other) == Some(key);
        let Some(group) = groups[rule].leave(key, is_in) else { return };
        for (left, right) in pairs(&group) {
            self.link(left, right);
        }
    }

    /// Candidates of one rule are none of it any more.
    fn part(&mut self, group: &[u32]) {
        for (left, right) in pairs(group) {
            if self.is_linked(left, right) && !self.are_candidates(left, right) {
                for (from, to) in [(left, right), (right, left)] {
                    self.links[from as usize].retain(|link| link.other != to);
                }
                self.touched.extend([left, right]);
            }
        }
    }

    fn is_linked(&self, left: u32, right: u32) -> bool {
        self.links(left).iter().any(|link| link.other == right)
    }

    fn are_candidates(&self, left: u32, right: u32) -> bool {
        (0..self.groups.len()).any(|rule| {
            let key = self.key(left, rule);
            key.is_some_and(|key| self.groups[rule].compares(key)) && key == self.key(right, rule)
        })
    }

    /// Compares two candidates, and keeps the pair if it is worth it.
    fn link(&mut self, left: u32, right: u32) {
        let one_source = self.table.source(left) == self.table.source(right);
        if self.settings.across_sources && one_source || self.is_linked(left, right) {
            return;
        }
        let pattern = self.comparer.pattern(&self.table, left, right);
        let weight = self.model.weight(pattern);
        self.compared += 1;
        if weight >= self.settings.threshold - KEPT_BELOW {
            for (from, other) in [(left, right), (right, left)] {
                self.links[from as usize].push(Link { other, weight, pattern, bridge: false });
            }
            self.touched.extend([left, right]);
        }
    }

    /// The rows that links at the threshold and decisions connect with a row.
    fn component(&self, row: u32) -> Vec<u32> {
        let mut seen: FastSet<u32> = [row].into_iter().collect();
        let mut open = vec![row];
        let mut rows = Vec::new();
        while let Some(row) = open.pop() {
            rows.push(row);
            let linked = self.links(row).iter().filter(|link| link.weight >= self.settings.threshold);
            let decided = self.decided.must.get(&row).into_iter().flatten();
            for other in linked.map(|link| &link.other).chain(decided) {
                if self.is_present(*other) && seen.insert(*other) {
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
        if rows.len() > 1 {
            let inside: FastSet<u32> = rows.iter().copied().collect();
            let kept = rows.iter().flat_map(|left| self.links(*left).iter().map(move |link| (*left, link)));
            let edges: Vec<Edge> = kept
                .filter(|(left, link)| *left < link.other && inside.contains(&link.other))
                .map(|(left, link)| Edge { left, right: link.other, weight: link.weight })
                .collect();
            let Self { table, model, settings, decided, comparer, labels, .. } = self;
            let terms = Terms { table, model, settings, decided };
            terms.cut(rows.clone(), edges.into_iter(), comparer, labels);
        }
        self.mark_bridges(&rows);
    }

    fn mark_bridges(&mut self, rows: &[u32]) {
        let places: FastMap<u32, u32> = rows.iter().zip(0..).map(|(row, at)| (*row, at)).collect();
        let mut sizes: FastMap<u32, u32> = FastMap::default();
        rows.iter().for_each(|row| *sizes.entry(self.labels[*row as usize]).or_default() += 1);
        let mut edges = Vec::new();
        for (row, at) in rows.iter().zip(0..) {
            let label = self.labels[*row as usize];
            for link in &mut self.links[*row as usize] {
                link.bridge = false;
                let holds = link.weight >= self.settings.threshold && sizes[&label] > 2;
                let same = self.labels[link.other as usize] == label;
                if holds && same && *row < link.other {
                    edges.push(Edge { left: at, right: places[&link.other], weight: link.weight });
                }
            }
        }
        for number in bridges(rows.len(), &edges) {
            let (left, right) = (rows[edges[number].left as usize], rows[edges[number].right as usize]);
            for (from, to) in [(left, right), (right, left)] {
                let links = self.links[from as usize].iter_mut();
                links.filter(|link| link.other == to).for_each(|link| link.bridge = true);
            }
        }
    }
}

fn normal(pairs: &[(u32, u32)]) -> FastSet<(u32, u32)> {
    pairs.iter().map(|(left, right)| (*left.min(right), *left.max(right))).collect()
}

fn pairs(group: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    group.iter().enumerate().flat_map(|(at, left)| group[at + 1..].iter().map(|right| (*left, *right)))
}
