//! Training without labels.
//!
//! u of equal values is exact: the pairs of rows that agree on a value are Σ f(f − 1)/2 over its frequencies f,
//! one pass over each column, less the matches among them. u of alike values comes from random pairs that no
//! blocking rule brings together. λ and m come from expectation–maximisation over the counted patterns of the
//! candidate pairs; m of a column only from pairs that agree on an identifier other than the column (the
//! anchors), or where there are few of those, from pairs that were found without looking at the column.
//!
//! Records of different people who live together agree on more than chance explains. They are a class of
//! their own, with the probability η and the levels h.

use super::Kind;
use super::compare::{Comparer, EQUAL, LEVELS, MOST_COLUMNS, Pattern, UNEQUAL, equal_level, level};
use super::hash::{FastMap, Random};
use super::intern::MISSING;
use super::model::{Comparison, Model, millibits, probability};
use super::table::{Column, Table};

/// Random pairs that are drawn for the levels of unequal values.
const SAMPLE: usize = 400_000;
const MOST_ROUNDS: usize = 60;
/// Levels of values so rare that agreement can stand for the truth.
const ANCHORING: std::ops::Range<usize> = 1..4;
/// Pairs that m is worth before any was seen.
const PRIOR_PAIRS: f64 = 10.0;
/// Fewer expected matches at a level than this are none.
const UNSEEN: f64 = 0.5;
/// Expected pairs that agree on an anchor from which they alone teach.
const ENOUGH_ANCHORED: f64 = 300.0;
/// Share of the pairs that agree on an anchor which chance may explain.
const MOST_CHANCE: f64 = 0.1;

/// A pattern of candidate pairs, the columns it may teach, and how many pairs have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PatternCount {
    pub(crate) pattern: Pattern,
    pub(crate) untouched: u16,
    pub(crate) pairs: f64,
}

/// Counts patterns. The result is sorted: it does not depend on the order of pairs.
pub(crate) fn count_patterns(patterns: &[Pattern], untouched: &[u16]) -> Vec<PatternCount> {
    let mut counts: FastMap<(Pattern, u32), u32> = FastMap::default();
    for (pattern, untouched) in patterns.iter().zip(untouched) {
        *counts.entry((*pattern, u32::from(*untouched))).or_default() += 1;
    }
    let mut counted: Vec<PatternCount> = counts
        .into_iter()
        .map(|((pattern, untouched), pairs)| PatternCount {
            pattern,
            untouched: untouched as u16,
            pairs: f64::from(pairs),
        })
        .collect();
    counted.sort_unstable_by_key(|count| (count.pattern, count.untouched));
    counted
}

/// What is known about a column before anything is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Agreement {
    /// Pairs in which both rows have a value.
    pub(crate) pairs: f64,
    /// By level of equal values, the pairs at it.
    pub(crate) equal: [f64; LEVELS],
    /// By level of equal values, the rows at it.
    pub(crate) rows: [f64; LEVELS],
    /// By level of unequal values, its probability for random pairs.
    pub(crate) unequal: [f64; LEVELS],
    /// By level of unequal values, whether a random pair was at it.
    pub(crate) drawn: [bool; LEVELS],
}

/// Counts the agreeing pairs of a column exactly.
pub(crate) fn agreement(table: &Table, column: &Column, across_sources: bool) -> Agreement {
    let mut known = Agreement {
        pairs: 0.0,
        equal: [0.0; LEVELS],
        rows: [0.0; LEVELS],
        unequal: [0.0; LEVELS],
        drawn: [false; LEVELS],
    };
    for count in column.counts() {
        let f = f64::from(*count);
        known.rows[equal_level(*count)] += if *count > 1 { f } else { 0.0 };
        known.equal[equal_level(*count)] += f * (f - 1.0) / 2.0;
    }
    let present = column.present() as f64;
    known.pairs = present * (present - 1.0) / 2.0;
    if across_sources {
        subtract_within(table, column, &mut known);
    }
    known
}

fn subtract_within(table: &Table, column: &Column, known: &mut Agreement) {
    let mut of_source: FastMap<u32, u32> = FastMap::default();
    let mut of_value: FastMap<u64, u32> = FastMap::default();
    for row in 0..table.rows() as u32 {
        let code = column.code(row);
        if code != MISSING {
            *of_source.entry(table.source(row)).or_default() += 1;
            *of_value.entry(u64::from(code) << 32 | u64::from(table.source(row))).or_default() += 1;
        }
    }
    let pairs = |count: u32| f64::from(count) * (f64::from(count) - 1.0) / 2.0;
    known.pairs -= of_source.values().map(|count| pairs(*count)).sum::<f64>();
    for (key, count) in of_value {
        let total = column.counts().get((key >> 32) as usize).copied().unwrap_or(0);
        known.equal[equal_level(total)] -= pairs(count);
    }
}

/// Patterns of random pairs. They do not depend on the order of rows.
pub(crate) fn sample(table: &Table, across_sources: bool, seed: u64) -> Vec<Pattern> {
    let mut order: Vec<u32> = (0..table.rows() as u32).collect();
    order.sort_unstable_by_key(|row| (table.keys()[*row as usize], *row));
    let mut random = Random::new(seed);
    let mut comparer = Comparer::default();
    let rows = order.len() as u64;
    let mut patterns = Vec::new();
    for _ in 0..SAMPLE.min(table.rows() * table.rows().saturating_sub(1) / 2) {
        let (left, right) = (random.below(rows), random.below(rows));
        let (left, right) = (order[left as usize], order[right as usize]);
        if left != right && !(across_sources && table.source(left) == table.source(right)) {
            patterns.push(comparer.pattern(table, left, right));
        }
    }
    patterns
}

/// A model from random pairs and the frequencies alone: what comes before any candidate is known.
pub(crate) fn first(table: &Table, sample: &[Pattern], known: &mut [Agreement], pairs: f64) -> Model {
    unequal_u(sample.iter().copied(), known);
    let model = start(table, known, pairs);
    // Matches among the random pairs are no measure of chance.
    unequal_u(sample.iter().copied().filter(|pattern| model.weight(*pattern) < 0), known);
    start(table, known, pairs)
}

fn unequal_u(sample: impl Iterator<Item = Pattern>, known: &mut [Agreement]) {
    let mut counts = vec![[0.0; LEVELS]; known.len()];
    for pattern in sample {
        for (at, count) in counts.iter_mut().enumerate() {
            count[level(pattern, at)] += 1.0;
        }
    }
    for (known, count) in known.iter_mut().zip(&counts) {
        let total: f64 = count[1..].iter().sum();
        for level in UNEQUAL {
            known.unequal[level] = (count[level] + 0.5) / (total + 1.0);
            known.drawn[level] = count[level] > 0.0;
        }
    }
}

fn start(table: &Table, known: &[Agreement], pairs: f64) -> Model {
    let columns = table.columns.iter().zip(known);
    let comparisons = columns.map(|(column, known)| start_comparison(column, known)).collect();
    let lambda = (table.rows() as f64 / 2.0 / pairs.max(1.0)).min(0.5);
    let mut model = Model {
        lambda,
        prior: 0,
        eta: lambda / 10.0,
        related_prior: 0,
        comparisons,
        merging: 0,
        separating: 0,
    };
    weigh(&mut model);
    model
}

/// The model that explains the counts best, from `model` on.
pub(crate) fn train(mut model: Model, known: &[Agreement], counts: &[PatternCount], pairs: f64) -> Model {
    for _ in 0..MOST_ROUNDS {
        let before = model.clone();
        improve(&mut model, known, counts, pairs);
        if unchanged(&before, &model) {
            break;
        }
    }
    model
}

/// Stops when no weight moves by more than a hundredth of a bit.
fn unchanged(before: &Model, after: &Model) -> bool {
    let weights = |model: &Model| -> Vec<i32> {
        model.comparisons.iter().flat_map(|c| c.weights).chain([model.prior]).collect()
    };
    weights(before).iter().zip(weights(after)).all(|(a, b)| (a - b).abs() <= 10)
}

/// m and u before the first round.
fn start_comparison(column: &Column, known: &Agreement) -> Comparison {
    let m = expected_m(known);
    let mut u = known.unequal;
    let names_one = matches!(column.kind, Kind::Phone | Kind::Email | Kind::Identifier);
    for level in EQUAL {
        let matches = if names_one {
            0.9 * known.equal[level]
        } else {
            0.5 * known.equal[level].min(known.rows[level])
        };
        u[level] = equal_u(known, level, matches);
    }
    let lived_in = matches!(column.kind, Kind::Address | Kind::Category | Kind::Number);
    let h = if lived_in { m } else { u };
    let weights = [0; LEVELS];
    Comparison { column: column.name.clone(), kind: column.kind, m, u, h, weights, related: weights }
}

/// Whether records of different entities share such values for other reasons than chance.
fn shared(kind: Kind) -> bool {
    matches!(kind, Kind::Phone | Kind::Email | Kind::Address | Kind::Category | Kind::Number)
}

/// m as far as it can be guessed: most matches agree, on a value that is as frequent as it is among rows.
fn expected_m(known: &Agreement) -> [f64; LEVELS] {
    const EQUAL_AMONG_MATCHES: f64 = 0.8;
    let mut m = [0.0; LEVELS];
    let rows: f64 = known.rows.iter().sum();
    for level in EQUAL {
        m[level] = EQUAL_AMONG_MATCHES * (known.rows[level] + 0.01) / (rows + 0.08);
    }
    for level in UNEQUAL {
        m[level] = (1.0 - EQUAL_AMONG_MATCHES) / 7.0;
    }
    m
}

/// u of a level of equal values when `matches` of its pairs match. A share of the pairs is always taken for
/// chance, or one wrong identifier would outweigh everything else.
fn equal_u(known: &Agreement, level: usize, matches: f64) -> f64 {
    const LEAST_SHARE: f64 = 0.002;
    let equal = known.equal[level];
    let chance = (equal - matches).max(LEAST_SHARE * equal) + 0.5;
    (chance / known.pairs.max(1.0)).min(1.0)
}

fn weigh(model: &mut Model) {
    let chance = (1.0 - model.lambda - model.eta).max(0.05);
    model.prior = millibits(model.lambda / chance);
    model.related_prior = millibits(model.eta / chance);
    model.comparisons.iter_mut().for_each(Comparison::weigh);
}

/// Expected pairs of a class by column and level.
struct Class {
    total: f64,
    /// Of all pairs.
    seen: Vec<[f64; LEVELS]>,
    /// Of the pairs that were found without looking at the column.
    taught: Vec<[f64; LEVELS]>,
    /// Of the pairs that agree on an anchor other than the column.
    anchored: Vec<[f64; LEVELS]>,
}

impl Class {
    fn new(columns: usize) -> Self {
        Self {
            total: 0.0,
            seen: vec![[0.0; LEVELS]; columns],
            taught: vec![[0.0; LEVELS]; columns],
            anchored: vec![[0.0; LEVELS]; columns],
        }
    }

    fn add(&mut self, count: &PatternCount, expected: f64, anchors: u16) {
        self.total += expected;
        for (at, (seen, taught)) in self.seen.iter_mut().zip(&mut self.taught).enumerate() {
            let level = level(count.pattern, at);
            seen[level] += expected;
            taught[level] += expected * f64::from(count.untouched >> at & 1);
            if anchors & !(1 << at) != 0 {
                self.anchored[at][level] += expected;
            }
        }
    }

    /// Probabilities of the levels of a column, `expected` being worth a few pairs.
    fn levels(&self, column: usize, expected: &[f64; LEVELS]) -> [f64; LEVELS] {
        let anchored: f64 = self.anchored[column][1..].iter().sum();
        let taught = if anchored >= ENOUGH_ANCHORED { &self.anchored[column] } else { &self.taught[column] };
        let total: f64 = taught[1..].iter().sum();
        let mut levels = [0.0; LEVELS];
        for level in 1..LEVELS {
            levels[level] = (taught[level] + PRIOR_PAIRS * expected[level]) / (total + PRIOR_PAIRS);
        }
        levels
    }
}

/// One round: how likely each pattern is a match or related, then what that makes of the model.
fn improve(model: &mut Model, known: &[Agreement], counts: &[PatternCount], pairs: f64) {
    let columns = model.comparisons.len();
    let (mut matches, mut related) = (Class::new(columns), Class::new(columns));
    let trusted = trusted(model, known);
    for count in counts {
        let expected = count.pairs * probability(model.weight(count.pattern));
        matches.add(count, expected, anchors(count.pattern, trusted));
        related.add(count, (count.pairs - expected) * probability(model.related_odds(count.pattern)), 0);
    }
    model.lambda = ((matches.total + 1.0) / pairs.max(2.0)).min(0.8);
    model.eta = ((related.total + 0.01) / pairs.max(2.0)).min(0.1);
    for (at, (comparison, known)) in model.comparisons.iter_mut().zip(known).enumerate() {
        comparison.m = matches.levels(at, &expected_m(known));
        comparison.h = if shared(comparison.kind) { related.levels(at, &comparison.u) } else { comparison.u };
        for level in EQUAL {
            let explained = matches.seen[at][level] + related.seen[at][level];
            comparison.u[level] = equal_u(known, level, explained);
        }
        // Of a level that neither matches nor random pairs were at, nothing is known: it speaks for nothing.
        for level in UNEQUAL.filter(|level| !known.drawn[*level] && matches.seen[at][*level] < UNSEEN) {
            comparison.m[level] = comparison.u[level];
            comparison.h[level] = comparison.u[level];
        }
    }
    weigh(model);
}

/// Columns on which agreement is nearly always a match: one bit each.
fn trusted(model: &Model, known: &[Agreement]) -> u16 {
    let mut mask = 0;
    for (at, (comparison, known)) in model.comparisons.iter().zip(known).enumerate() {
        let equal: f64 = ANCHORING.map(|level| known.equal[level]).sum();
        let chance: f64 = ANCHORING.map(|level| comparison.u[level] * known.pairs).sum();
        let identifies = matches!(comparison.kind, Kind::Identifier | Kind::Email);
        if identifies && equal >= 100.0 && chance <= MOST_CHANCE * equal {
            mask |= 1 << at;
        }
    }
    mask
}

/// The anchors on which a pattern agrees.
fn anchors(pattern: Pattern, trusted: u16) -> u16 {
    let equal = (0..MOST_COLUMNS).filter(|at| ANCHORING.contains(&level(pattern, *at)));
    equal.fold(0, |mask, at| mask | 1 << at) & trusted
}
