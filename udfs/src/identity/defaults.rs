//! Blocking rules from the data alone: each key by itself or with a key of another column, the most selective
//! first, as many as the budget of pairs allows.

use super::Kind;
use super::block::{Estimate, Key, KeyHashes, Limits, MOST_RULES, Part, Rule, estimate};
use super::compare::Comparer;
use super::model::{Model, probability};
use super::table::Table;

/// A rule may take this share of the budget.
const SHARE_OF_ONE: f64 = 0.25;
/// Rules of which fewer pairs look like matches are not worth their cost.
const LEAST_PRECISION: f64 = 0.001;
/// Rules that bring fewer new matches a record are not worth their time.
const LEAST_GAIN: f64 = 0.0003;

/// The limits for a table: about `PAIRS_A_ROW` pairs for each record.
pub(crate) fn limits(rows: usize, across_sources: bool) -> Limits {
    const PAIRS_A_ROW: u64 = 5;
    const AT_LEAST: u64 = 600_000;
    Limits { group: 100, pairs: AT_LEAST + PAIRS_A_ROW * rows as u64, across_sources }
}

/// The rules for a table: those whose pairs look most like matches under a first model, until the budget of
/// pairs is spent.
pub(crate) fn rules(table: &Table, first: &Model, limits: Limits) -> Vec<Rule> {
    let keys: Vec<Key> = (0..table.columns.len()).flat_map(|column| keys_of(table, column)).collect();
    let hashes = KeyHashes::new(table, &keys);
    let mut priced: Vec<Priced> = Vec::new();
    let mut comparer = Comparer::default();
    for rule in possible(&keys) {
        let known = estimate(&hashes, table, &rule, limits);
        if known.pairs > 0.0 && known.pairs <= limits.pairs as f64 * SHARE_OF_ONE {
            let precision = precision(first, table, &known.sample, &mut comparer);
            priced.push(Priced { rule, known, precision });
        }
    }
    choose(table, &hashes, first, priced, limits)
}

/// Takes out names that are put together from two other columns: comparing both would count the same evidence
/// twice, and the parts say more.
pub(crate) fn leave_out_repeated(table: &mut Table) {
    let repeated: Vec<bool> = (0..table.columns.len())
        .map(|whole| {
            let parts =
                (0..table.columns.len()).filter(|part| *part != whole && is_part(table, *part, whole));
            parts.count() >= 2
        })
        .collect();
    let mut at = 0;
    table.columns.retain(|_| {
        at += 1;
        !repeated[at - 1]
    });
}

/// Whether the words of one name are nearly always among the words of another that has more.
fn is_part(table: &Table, part: usize, whole: usize) -> bool {
    let (part, whole) = (&table.columns[part], &table.columns[whole]);
    if part.kind != Kind::Name || whole.kind != Kind::Name {
        return false;
    }
    let (mut both, mut inside) = (0, 0);
    for row in 0..table.rows() as u32 {
        let (a, b) = (part.value(part.code(row)), whole.value(whole.code(row)));
        if !a.is_empty() && !b.is_empty() {
            both += 1;
            let words = |text: &str, word: &str| text.split(' ').any(|other| other == word);
            inside += usize::from(a.len() < b.len() && a.split(' ').all(|word| words(b, word)));
        }
    }
    both > 0 && inside * 10 >= both * 8
}

struct Priced {
    rule: Rule,
    known: Estimate,
    /// Share of its pairs that look like matches.
    precision: f64,
}

fn choose(
    table: &Table,
    hashes: &KeyHashes,
    first: &Model,
    mut priced: Vec<Priced>,
    limits: Limits,
) -> Vec<Rule> {
    let texts = table.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Text);
    let mut rules: Vec<Rule> =
        texts.map(|(column, _)| Rule { keys: vec![Key { column, part: Part::Words }] }).collect();
    let mut left = limits.pairs as f64;
    let worth = 1.0 + table.rows() as f64 * LEAST_GAIN;
    let mut comparer = Comparer::default();
    priced.sort_by(|a, b| b.precision.total_cmp(&a.precision).then(b.known.pairs.total_cmp(&a.known.pairs)));
    for offer in priced {
        let new: Vec<(u32, u32)> = offer
            .known
            .sample
            .iter()
            .filter(|(a, b)| !rules.iter().any(|rule| finds(hashes, table, rule, *a, *b)))
            .copied()
            .collect();
        let share = new.len() as f64 / offer.known.sample.len().max(1) as f64;
        let precision = precision(first, table, &new, &mut comparer);
        let pairs = offer.known.pairs * share;
        if pairs <= left
            && precision >= LEAST_PRECISION
            && pairs * precision >= worth
            && rules.len() < MOST_RULES
        {
            left -= pairs;
            rules.push(offer.rule);
        }
    }
    rules
}

fn finds(hashes: &KeyHashes, table: &Table, rule: &Rule, left: u32, right: u32) -> bool {
    let key = hashes.row(table, rule, left);
    key.is_some() && key == hashes.row(table, rule, right)
}

/// The share of pairs that look like matches.
fn precision(first: &Model, table: &Table, pairs: &[(u32, u32)], comparer: &mut Comparer) -> f64 {
    let likely = pairs.iter().map(|(a, b)| probability(first.weight(comparer.pattern(table, *a, *b))));
    likely.sum::<f64>() / pairs.len().max(1) as f64
}

fn possible(keys: &[Key]) -> Vec<Rule> {
    let single = keys.iter().filter(|key| !matches!(key.part, Part::Year | Part::MonthDay));
    let mut rules: Vec<Rule> = single.map(|key| Rule { keys: vec![*key] }).collect();
    for (at, first) in keys.iter().enumerate() {
        for second in keys[at + 1..].iter().filter(|second| second.column != first.column) {
            rules.push(Rule { keys: vec![*first, *second] });
        }
    }
    rules
}

fn keys_of(table: &Table, column: usize) -> Vec<Key> {
    let parts: &[Part] = match table.columns[column].kind {
        Kind::Name => &[Part::Aspect, Part::Head, Part::Tail],
        Kind::Phone => &[Part::Whole, Part::Aspect],
        Kind::Email => &[Part::Whole, Part::Aspect],
        Kind::Address => &[Part::Whole, Part::Head, Part::Aspect],
        Kind::Date => &[Part::Whole, Part::Year, Part::MonthDay],
        Kind::Identifier | Kind::Category | Kind::Number => &[Part::Whole],
        Kind::Text => &[],
    };
    parts.iter().map(|part| Key { column, part: *part }).collect()
}
