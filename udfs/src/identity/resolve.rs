//! From a table to entities: rules, candidates, patterns, model, edges, clusters.

use super::block::{self, Candidates, Key, Limits, Part, Rule, RuleReport, candidates};
use super::cluster::{Constraints, Edge, contract};
use super::compare::{Comparer, Pattern};
use super::groups::Groups;
use super::hash::FastMap;
use super::intern::MISSING;
use super::model::Model;
use super::table::Table;
use super::train::{Agreement, PatternCount, agreement, count_patterns, first, sample, train};
use super::union_find::UnionFind;
use super::{Invalid, Kind, defaults};

/// Everything that can be set; the defaults serve without a look at the data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Each source holds an entity at most once.
    pub(crate) across_sources: bool,
    /// Weight from which a pair links, in thousandths of a bit.
    pub(crate) threshold: i32,
    /// Records of one entity at most.
    pub(crate) largest: usize,
    pub(crate) seed: u64,
    /// Pairs that all rules may give; beyond, a run is refused before anything is compared. `None` leaves it to
    /// the number of rows.
    pub(crate) most_pairs: Option<u64>,
    /// Rows that somebody said are one entity, and rows that are not.
    pub(crate) must: Vec<(u32, u32)>,
    pub(crate) cannot: Vec<(u32, u32)>,
    /// Columns that decide by themselves where they agree, and where they plainly differ.
    pub(crate) merging: Vec<String>,
    pub(crate) separating: Vec<String>,
}

/// A pair links from two bits below even odds on: the model counts evidence between columns as independent and
/// is cautious for it, and a wrong link still has to stand against all other pairs of its cluster.
pub(crate) const DEFAULT_THRESHOLD: i32 = -2000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            across_sources: false,
            threshold: DEFAULT_THRESHOLD,
            largest: 1000,
            seed: 1,
            most_pairs: None,
            must: Vec::new(),
            cannot: Vec::new(),
            merging: Vec::new(),
            separating: Vec::new(),
        }
    }
}

/// What a run finds.
#[derive(Debug, Clone)]
pub(crate) struct Resolution {
    pub(crate) model: Model,
    pub(crate) rules: Vec<Rule>,
    pub(crate) limits: Limits,
    pub(crate) reports: Vec<RuleReport>,
    pub(crate) counts: Vec<PatternCount>,
    /// Candidate pairs, all of which were compared.
    pub(crate) compared: u64,
    /// Candidate pairs at or above the threshold less ten bits, in order.
    pub(crate) edges: Vec<Edge>,
    /// By edge, the levels of its comparisons.
    pub(crate) patterns: Vec<Pattern>,
    /// By row, the entity: the least row of it.
    pub(crate) labels: Vec<u32>,
    /// By rule, which rows have a key in common; empty where rows have several keys under one rule.
    pub(crate) groups: Vec<Groups>,
}

/// Resolves a table with nothing but its columns' kinds.
/// Columns that only repeat others are taken out of it.
pub(crate) fn resolve(table: &mut Table, settings: &Settings) -> Result<Resolution, Invalid> {
    let Plan { rules, limits, known, first, pairs } = plan(table, settings);
    let table = &*table;
    let most = Limits { pairs: settings.most_pairs.unwrap_or(u64::MAX), ..limits };
    let (found, groups) = grouped(table, &rules, most)?;
    let patterns = compared(table, &found);
    let counts = count_patterns(&patterns, &found.untouched);
    let mut model = train(first, &known, &counts, pairs);
    model.merging = mask(&model, &settings.merging);
    model.separating = mask(&model, &settings.separating);
    Ok(Resolution { counts, ..concluded(table, model, (rules, limits, groups), found, &patterns, settings) })
}

/// What a table is resolved by, before any of its pairs is made.
struct Plan {
    rules: Vec<Rule>,
    limits: Limits,
    known: Vec<Agreement>,
    first: Model,
    /// Pairs of rows that could match.
    pairs: f64,
}

fn plan(table: &mut Table, settings: &Settings) -> Plan {
    defaults::leave_out_repeated(table);
    let table = &*table;
    let mut limits = defaults::limits(table.rows(), settings.across_sources);
    limits.pairs = limits.pairs.min(settings.most_pairs.unwrap_or(u64::MAX));
    let pairs = all_pairs(table, settings.across_sources);
    let mut known: Vec<_> =
        table.columns.iter().map(|column| agreement(table, column, settings.across_sources)).collect();
    let sampled = sample(table, settings.across_sources, settings.seed);
    let first = first(table, &sampled, &mut known, pairs);
    let mut rules = defaults::rules(table, &first, limits);
    rules_of_identifiers(table, &mut rules);
    Plan { rules, limits, known, first, pairs }
}

/// What the blocking rules of a run without a model would cost, by counts of keys.
pub(crate) fn costs(table: &mut Table, settings: &Settings) -> Vec<RuleReport> {
    let Plan { rules, limits, .. } = plan(table, settings);
    block::costs(table, &rules, limits)
}

/// The same of a run under a model that was trained before.
pub(crate) fn costs_again(
    table: &mut Table,
    model: &Model,
    rules: &[Rule],
    limits: Limits,
) -> Vec<RuleReport> {
    keep_compared(table, model);
    block::costs(table, rules, limits)
}

/// Resolves a table under a model that was trained before. The table is frozen at the frequencies of the
/// training, and may hold columns that the model does not compare.
pub(crate) fn resolve_again(
    table: &mut Table,
    mut model: Model,
    rules: Vec<Rule>,
    limits: Limits,
    settings: &Settings,
) -> Result<Resolution, Invalid> {
    keep_compared(table, &model);
    model.merging = mask(&model, &settings.merging);
    model.separating = mask(&model, &settings.separating);
    let table = &*table;
    let most = Limits { pairs: most_pairs(table.rows(), settings), ..limits };
    let (found, groups) = grouped(table, &rules, most)?;
    let patterns = compared(table, &found);
    Ok(concluded(table, model, (rules, limits, groups), found, &patterns, settings))
}

fn keep_compared(table: &mut Table, model: &Model) {
    table.columns.retain(|column| model.comparisons.iter().any(|known| known.column == column.name));
}

fn grouped(table: &Table, rules: &[Rule], limits: Limits) -> Result<(Candidates, Vec<Groups>), Invalid> {
    // A text has many keys under one rule.
    let one_key = rules.iter().flat_map(|rule| &rule.keys).all(|key| key.part != Part::Words);
    let mut groups = Vec::new();
    let found = candidates(table, rules, limits, |keys| {
        if one_key {
            groups.push(Groups::new(keys, table.rows(), limits.group));
        }
    })?;
    Ok((found, groups))
}

/// Who agrees on an identifier is always compared: of few records no rule looks worth its cost.
fn rules_of_identifiers(table: &Table, rules: &mut Vec<Rule>) {
    for (column, known) in table.columns.iter().enumerate() {
        let rule = Rule { keys: vec![Key { column, part: Part::Whole }] };
        let identifies = matches!(known.kind, Kind::Phone | Kind::Email | Kind::Identifier);
        if identifies && !rules.contains(&rule) {
            rules.insert(0, rule);
        }
    }
}

/// Pairs that the rules of an earlier training may give.
pub(crate) fn most_pairs(rows: usize, settings: &Settings) -> u64 {
    settings.most_pairs.unwrap_or_else(|| 10 * defaults::limits(rows, false).pairs)
}

/// One bit for each comparison of the named columns.
pub(crate) fn mask(model: &Model, names: &[String]) -> u16 {
    let named = |column: &str| names.iter().any(|name| name == column);
    let columns = model.comparisons.iter().enumerate().take(super::compare::MOST_COLUMNS);
    columns.filter(|(_, known)| named(&known.column)).fold(0, |mask, (at, _)| mask | 1 << at)
}

fn compared(table: &Table, found: &Candidates) -> Vec<Pattern> {
    let mut comparer = Comparer::default();
    let pattern = |pair: &u64| {
        let (left, right) = Candidates::rows(*pair);
        comparer.pattern(table, left, right)
    };
    found.pairs.iter().map(pattern).collect()
}

fn concluded(
    table: &Table,
    model: Model,
    (rules, limits, groups): (Vec<Rule>, Limits, Vec<Groups>),
    found: Candidates,
    patterns: &[Pattern],
    settings: &Settings,
) -> Resolution {
    let compared = found.pairs.len() as u64;
    let (edges, patterns) = edges(&found, patterns, &model, settings.threshold);
    let labels = clusters(table, &model, &edges, settings);
    let (reports, counts) = (found.reports, Vec::new());
    Resolution { model, rules, limits, reports, counts, compared, edges, patterns, labels, groups }
}

/// Pairs of rows that could match.
fn all_pairs(table: &Table, across_sources: bool) -> f64 {
    let pairs = |rows: f64| rows * (rows - 1.0) / 2.0;
    let mut total = pairs(table.rows() as f64);
    if across_sources {
        let mut sizes: Vec<f64> = Vec::new();
        for row in 0..table.rows() as u32 {
            let source = table.source(row) as usize;
            sizes.resize(sizes.len().max(source + 1), 0.0);
            sizes[source] += 1.0;
        }
        total -= sizes.into_iter().map(pairs).sum::<f64>();
    }
    total
}

/// Edges are kept down to this far below the threshold.
pub(crate) const KEPT_BELOW: i32 = 10_000;

/// The scored candidates that are worth keeping, down to ten bits below the threshold, and their patterns.
fn edges(
    found: &Candidates,
    patterns: &[Pattern],
    model: &Model,
    threshold: i32,
) -> (Vec<Edge>, Vec<Pattern>) {
    let scored = found.pairs.iter().zip(patterns).map(|(pair, pattern)| {
        let (left, right) = Candidates::rows(*pair);
        (Edge { left, right, weight: model.weight(*pattern) }, *pattern)
    });
    scored.filter(|(edge, _)| edge.weight >= threshold - KEPT_BELOW).unzip()
}

/// Components up to this size have all of their pairs compared before they are cut.
const COMPARED_IN_FULL: usize = 256;

/// Clusters of a table under a model.
pub(crate) fn clusters(table: &Table, model: &Model, edges: &[Edge], settings: &Settings) -> Vec<u32> {
    let mut forest = UnionFind::new(table.rows());
    for edge in edges.iter().filter(|edge| edge.weight >= settings.threshold) {
        forest.join(edge.left, edge.right);
    }
    for (left, right) in &settings.must {
        forest.join(*left, *right);
    }
    let mut labels = forest.into_labels();
    let decided = Decided::new(&settings.must, &settings.cannot);
    let members = members(&labels);
    let by_component = edges_by_component(edges, &labels);
    let mut comparer = Comparer::default();
    let mut at = 0;
    for rows in members.chunk_by(|a, b| a.0 == b.0).filter(|rows| rows.len() > 1) {
        let component = rows[0].0;
        while by_component.get(at).is_some_and(|edge| edge.0 < component) {
            at += 1;
        }
        let own = by_component[at..].partition_point(|edge| edge.0 == component);
        let inside = by_component[at..at + own].iter().map(|(_, edge)| edges[*edge as usize]);
        let nodes = rows.iter().map(|(_, row)| *row).collect();
        let terms = Terms { table, model, settings, decided: &decided };
        terms.cut(nodes, inside, &mut comparer, &mut labels);
    }
    labels
}

/// By row, the rows of which people have decided something about the two.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    pub(crate) must: FastMap<u32, Vec<u32>>,
    pub(crate) cannot: FastMap<u32, Vec<u32>>,
}

impl Decided {
    pub(crate) fn new(must: &[(u32, u32)], cannot: &[(u32, u32)]) -> Self {
        let by_row = |pairs: &[(u32, u32)]| {
            let mut others: FastMap<u32, Vec<u32>> = FastMap::default();
            for (left, right) in pairs {
                others.entry(*left).or_default().push(*right);
                others.entry(*right).or_default().push(*left);
            }
            others
        };
        Self { must: by_row(must), cannot: by_row(cannot) }
    }
}

/// What components are cut by.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) table: &'a Table,
    pub(crate) model: &'a Model,
    pub(crate) settings: &'a Settings,
    pub(crate) decided: &'a Decided,
}

impl Terms<'_> {
    /// Cuts a component, of which `edges` are the candidates inside, and writes the labels of its rows: the least
    /// row of each cluster.
    pub(crate) fn cut(
        self,
        mut nodes: Vec<u32>,
        edges: impl Iterator<Item = Edge>,
        comparer: &mut Comparer,
        labels: &mut [u32],
    ) {
        nodes.sort_unstable_by_key(|row| (self.table.keys()[*row as usize], *row));
        let local = if nodes.len() <= COMPARED_IN_FULL {
            all_edges(self.table, self.model, &nodes, self.settings.threshold, comparer)
        } else {
            local_edges(&nodes, edges, self.settings.threshold)
        };
        relabel(labels, &nodes, &contract(nodes.len(), &local, &self.constraints(&nodes)));
    }

    fn constraints(self, nodes: &[u32]) -> Constraints {
        let Self { table, settings, decided, .. } = self;
        let place = |row: &u32| {
            let key = table.keys().get(*row as usize)?;
            let at = nodes.partition_point(|node| (table.keys()[*node as usize], *node) < (*key, *row));
            (nodes.get(at) == Some(row)).then_some(at as u32)
        };
        let local = |others: &FastMap<u32, Vec<u32>>| -> Vec<(u32, u32)> {
            let decided = nodes.iter().zip(0..).filter_map(|(row, at)| Some((at, others.get(row)?)));
            let pairs = decided.flat_map(|(at, others)| others.iter().map(move |other| (at, other)));
            pairs.filter_map(|(at, other)| Some((at, place(other)?))).filter(|(a, b)| a < b).collect()
        };
        let mut constraints = Constraints {
            must: local(&decided.must),
            cannot: local(&decided.cannot),
            largest: settings.largest,
            absent: -500,
            strongest: 20_000,
        };
        if settings.across_sources {
            for (at, left) in nodes.iter().enumerate() {
                for (other, right) in nodes.iter().enumerate().skip(at + 1) {
                    if table.source(*left) == table.source(*right) {
                        constraints.cannot.push((at as u32, other as u32));
                    }
                }
            }
        }
        constraints
    }
}

fn members(labels: &[u32]) -> Vec<(u32, u32)> {
    let mut members: Vec<(u32, u32)> =
        labels.iter().enumerate().map(|(row, label)| (*label, row as u32)).collect();
    members.sort_unstable();
    members
}

/// Numbers of the edges inside a component, with its label, in order.
fn edges_by_component(edges: &[Edge], labels: &[u32]) -> Vec<(u32, u32)> {
    let label = |row: u32| labels.get(row as usize).copied().unwrap_or(MISSING);
    let mut inside: Vec<(u32, u32)> = edges
        .iter()
        .enumerate()
        .filter(|(_, edge)| label(edge.left) == label(edge.right))
        .map(|(number, edge)| (label(edge.left), number as u32))
        .collect();
    inside.sort_unstable();
    inside
}

fn all_edges(
    table: &Table,
    model: &Model,
    nodes: &[u32],
    threshold: i32,
    comparer: &mut Comparer,
) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(nodes.len() * (nodes.len() - 1) / 2);
    for (at, left) in nodes.iter().enumerate() {
        for (other, right) in nodes.iter().enumerate().skip(at + 1) {
            let weight = model.weight(comparer.pattern(table, *left, *right)) - threshold;
            edges.push(Edge { left: at as u32, right: other as u32, weight });
        }
    }
    edges
}

fn local_edges(nodes: &[u32], edges: impl Iterator<Item = Edge>, threshold: i32) -> Vec<Edge> {
    let places: FastMap<u32, u32> = nodes.iter().enumerate().map(|(at, row)| (*row, at as u32)).collect();
    edges
        .filter_map(|edge| {
            let (left, right) = (*places.get(&edge.left)?, *places.get(&edge.right)?);
            Some(Edge { left, right, weight: edge.weight - threshold })
        })
        .collect()
}

/// Writes the clusters of a component: each row's label becomes the least row of its cluster.
fn relabel(labels: &mut [u32], nodes: &[u32], clusters: &[u32]) {
    let mut least = vec![u32::MAX; nodes.len()];
    for (row, cluster) in nodes.iter().zip(clusters) {
        let least = &mut least[*cluster as usize];
        *least = (*least).min(*row);
    }
    for (row, cluster) in nodes.iter().zip(clusters) {
        labels[*row as usize] = least[*cluster as usize];
    }
}
