//! Blocking: which pairs of records are worth a comparison.
//!
//! A rule is one key or two; records with equal keys are candidates. A group of more records than the cap says
//! nothing about who is who (a placeholder phone, a hotline, a common name) and gives no pairs. What a rule
//! costs is known before it runs.

use super::compare::MOST_COLUMNS;
use super::hash::{combine, hash_bytes, mix};
use super::intern::MISSING;
use super::table::{Column, Table};
use super::{Invalid, Kind};

/// What part of a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Whole,
    /// The second form of the value: how a name sounds, a phone with its middle masked …
    Aspect,
    /// The first letters of a name's sound or of an address.
    Head,
    /// The last letters of a name's sound, the last digits of a phone.
    Tail,
    Year,
    MonthDay,
    /// Each of the rare words of a text.
    Words,
}

/// A key of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) column: usize,
    pub(crate) part: Part,
}

/// Records that agree on all keys are candidates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rule {
    pub(crate) keys: Vec<Key>,
}

/// What a rule costs and yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleReport {
    /// Readable: `phone` or `sound of name, date_of_birth`.
    pub(crate) rule: String,
    pub(crate) pairs: u64,
    /// Records in the largest group that is compared.
    pub(crate) largest_group: usize,
    /// Groups above the cap, and the records in them.
    pub(crate) skipped_groups: usize,
    pub(crate) skipped_records: usize,
}

/// Limits of candidate generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Records of a group that are still compared with each other.
    pub(crate) group: usize,
    /// Pairs that all rules may give.
    pub(crate) pairs: u64,
    /// Only records of different sources can be the same entity.
    pub(crate) across_sources: bool,
}

/// Most rare words of one text that serve as keys.
const WORDS_A_TEXT: usize = 12;

/// Most rules of a run: their number is kept in one byte.
pub(crate) const MOST_RULES: usize = 255;

/// Candidate pairs, sorted, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidates {
    /// Lower row in the upper half, higher row in the lower half.
    pub(crate) pairs: Vec<u64>,
    /// By pair, one bit for each column that a rule which found the pair does not look at.
    pub(crate) untouched: Vec<u16>,
    pub(crate) reports: Vec<RuleReport>,
}

impl Candidates {
    pub(crate) fn rows(pair: u64) -> (u32, u32) {
        ((pair >> 32) as u32, pair as u32)
    }

    pub(crate) fn contains(&self, left: u32, right: u32) -> bool {
        let pair = u64::from(left.min(right)) << 32 | u64::from(left.max(right));
        self.pairs.binary_search(&pair).is_ok()
    }
}

/// What each rule costs, by counts of keys alone: no pair is made, let alone compared.
pub(crate) fn costs(table: &Table, rules: &[Rule], limits: Limits) -> Vec<RuleReport> {
    let cost = |rule: &Rule| cost(table, rule, &row_keys(table, rule, limits.group), limits);
    rules.iter().take(MOST_RULES).map(cost).collect()
}

fn cost(table: &Table, rule: &Rule, keys: &[(u64, u32)], limits: Limits) -> RuleReport {
    RuleReport { rule: describe(table, rule), ..measure(keys, limits) }
}

/// Refuses rules that give more pairs than allowed.
pub(crate) fn require_within(reports: &[RuleReport], most: u64) -> Result<(), Invalid> {
    let pairs: u64 = reports.iter().map(|report| report.pairs).sum();
    match reports.iter().max_by_key(|report| report.pairs) {
        Some(dearest) if pairs > most => {
            let (rule, cost) = (&dearest.rule, dearest.pairs);
            let message = format!("blocking rules give {pairs} pairs, more than {most}");
            Err(Invalid::new(message).with_detail(format!("The rule \"{rule}\" gives {cost}.")))
        }
        _ => Ok(()),
    }
}

/// Runs the rules, and shows the sorted keys of each to `keep`.
pub(crate) fn candidates(
    table: &Table,
    rules: &[Rule],
    limits: Limits,
    mut keep: impl FnMut(&[(u64, u32)]),
) -> Result<Candidates, Invalid> {
    let mut packed = Vec::new();
    let mut reports = Vec::new();
    for (number, rule) in rules.iter().enumerate().take(MOST_RULES) {
        let keys = row_keys(table, rule, limits.group);
        reports.push(cost(table, rule, &keys, limits));
        if require_within(&reports, limits.pairs).is_err() {
            require_within(&costs(table, rules, limits), limits.pairs)?;
        }
        let pairs = emit(table, &keys, number as u64, limits, &mut packed);
        if let Some(report) = reports.last_mut() {
            report.pairs = pairs;
        }
        keep(&keys);
    }
    packed.sort_unstable();
    Ok(distinct(&packed, rules, reports))
}

/// Packs two rows and a rule: 28, 28 and 8 bits.
fn pack(left: u32, right: u32, rule: u64) -> u64 {
    u64::from(left.min(right)) << 36 | u64::from(left.max(right)) << 8 | rule
}

fn distinct(packed: &[u64], rules: &[Rule], reports: Vec<RuleReport>) -> Candidates {
    let untouched: Vec<u16> = rules
        .iter()
        .map(|rule| rule.keys.iter().fold(u16::MAX, |mask, key| mask & !(1 << (key.column % MOST_COLUMNS))))
        .collect();
    let mut found = Candidates { reports, ..Candidates::default() };
    for group in packed.chunk_by(|a, b| a >> 8 == b >> 8) {
        let mask = group
            .iter()
            .fold(0, |mask, pair| mask | untouched.get((pair & 0xff) as usize).copied().unwrap_or(0));
        found.pairs.push((group[0] >> 36) << 32 | (group[0] >> 8 & 0x0fff_ffff));
        found.untouched.push(mask);
    }
    found
}

fn emit(table: &Table, keys: &[(u64, u32)], rule: u64, limits: Limits, packed: &mut Vec<u64>) -> u64 {
    let before = packed.len();
    for group in groups(keys).filter(|group| group.len() <= limits.group) {
        for (at, (_, left)) in group.iter().enumerate() {
            for (_, right) in &group[at + 1..] {
                if left != right && !(limits.across_sources && table.source(*left) == table.source(*right)) {
                    packed.push(pack(*left, *right, rule));
                }
            }
        }
    }
    (packed.len() - before) as u64
}

/// The groups of two or more records.
fn groups(keys: &[(u64, u32)]) -> impl Iterator<Item = &[(u64, u32)]> {
    keys.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1)
}

/// What a rule costs, without a name.
fn measure(keys: &[(u64, u32)], limits: Limits) -> RuleReport {
    let mut report =
        RuleReport { rule: String::new(), pairs: 0, largest_group: 0, skipped_groups: 0, skipped_records: 0 };
    for group in groups(keys) {
        if group.len() > limits.group {
            report.skipped_groups += 1;
            report.skipped_records += group.len();
        } else {
            report.pairs += (group.len() * (group.len() - 1) / 2) as u64;
            report.largest_group = report.largest_group.max(group.len());
        }
    }
    report
}

/// What a rule would cost, and some of the pairs it would give.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) pairs: f64,
    /// Records in groups above the cap.
    pub(crate) skipped: f64,
    pub(crate) sample: Vec<(u32, u32)>,
}

/// Prices a rule from a part of the rows.
pub(crate) fn estimate(hashes: &KeyHashes, table: &Table, rule: &Rule, limits: Limits) -> Estimate {
    const SAMPLE: usize = 400;
    // One row in `share`, by its key: a pair is seen once in share².
    let share = (table.rows() as u64 / 100_000).max(1);
    let chosen = (0..table.rows() as u32).zip(table.keys()).filter(|(_, key)| *key % share == 0);
    let mut keys: Vec<(u64, u32)> =
        chosen.filter_map(|(row, _)| hashes.row(table, rule, row).map(|key| (key, row))).collect();
    keys.sort_unstable();
    let limits = Limits { group: (limits.group / share as usize).max(2), ..limits };
    let measured = measure(&keys, limits);
    let mut found = Estimate {
        pairs: (measured.pairs * share * share) as f64,
        skipped: (measured.skipped_records as u64 * share) as f64,
        sample: Vec::new(),
    };
    let every = (measured.pairs as usize / SAMPLE).max(1);
    let mut seen = 0;
    for group in groups(&keys).filter(|group| group.len() <= limits.group) {
        for (at, (_, left)) in group.iter().enumerate() {
            for (_, right) in &group[at + 1..] {
                seen += 1;
                if seen % every == 0 {
                    found.sample.push((*left, *right));
                }
            }
        }
    }
    found
}

/// The keys of all rows under a rule, sorted. A text has one for each of its rare words.
fn row_keys(table: &Table, rule: &Rule, group: usize) -> Vec<(u64, u32)> {
    let mut keys: Vec<(u64, u32)> = match rule.keys.as_slice() {
        [Key { column, part: Part::Words }] => word_keys(table, *column, group),
        _ => {
            let hashes = KeyHashes::new(table, &rule.keys);
            (0..table.rows() as u32)
                .filter_map(|row| hashes.row(table, rule, row).map(|key| (key, row)))
                .collect()
        }
    };
    keys.sort_unstable();
    keys
}

fn word_keys(table: &Table, column: usize, group: usize) -> Vec<(u64, u32)> {
    let Some(column) = table.columns.get(column) else { return Vec::new() };
    let words = column.words();
    let mut keys = Vec::new();
    for row in 0..table.rows() as u32 {
        let code = column.code(row);
        if code == MISSING {
            continue;
        }
        let mut rare: Vec<(u32, u32)> = words
            .of(code)
            .iter()
            .map(|word| (words.rows(*word), *word))
            .filter(|(rows, _)| (2..=group as u32).contains(rows))
            .collect();
        // By the word itself where rows are equal: its code depends on the order of rows.
        rare.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| words.word(a.1).cmp(words.word(b.1))));
        keys.extend(rare.iter().take(WORDS_A_TEXT).map(|(_, word)| (mix(u64::from(*word)), row)));
    }
    keys
}

/// By key and value, what stands for the part of the value.
#[derive(Debug, Default)]
pub(crate) struct KeyHashes {
    parts: Vec<(Key, Vec<u32>)>,
}

impl KeyHashes {
    pub(crate) fn new<'a>(table: &Table, keys: impl IntoIterator<Item = &'a Key>) -> Self {
        let mut hashes = Self::default();
        for key in keys {
            let needed = !matches!(key.part, Part::Whole | Part::Aspect | Part::Words);
            if needed && !hashes.parts.iter().any(|(known, _)| known == key) {
                hashes.parts.push((*key, Vec::new()));
            }
        }
        hashes.extend(table);
        hashes
    }

    /// Takes in the values that the table has now beside those that it had.
    pub(crate) fn extend(&mut self, table: &Table) {
        for (key, hashes) in &mut self.parts {
            if let Some(column) = table.columns.get(key.column) {
                let new = hashes.len() as u32..column.counts().len() as u32;
                hashes.extend(new.map(|code| part_hash(column, code, key.part)));
            }
        }
    }

    /// Bytes that the hashes hold.
    pub(crate) fn size(&self) -> usize {
        self.parts.iter().map(|(_, hashes)| 4 * hashes.capacity()).sum()
    }

    /// The key of a row under a rule, if it has one.
    pub(crate) fn row(&self, table: &Table, rule: &Rule, row: u32) -> Option<u64> {
        let mut hash = 0;
        for key in &rule.keys {
            let column = table.columns.get(key.column)?;
            let code = column.code(row);
            let part = match key.part {
                Part::Whole => code,
                Part::Aspect => column.aspect_code(code),
                _ if code == MISSING => MISSING,
                _ => *self.parts.iter().find(|(known, _)| known == key)?.1.get(code as usize)?,
            };
            if part == MISSING {
                return None;
            }
            hash = combine(hash, u64::from(part) + 1);
        }
        Some(hash)
    }
}

fn part_hash(column: &Column, code: u32, part: Part) -> u32 {
    part_text(column, code, part)
        .map_or(MISSING, |text| (hash_bytes(text.as_bytes()) as u32).min(MISSING - 1))
}

fn part_text(column: &Column, code: u32, part: Part) -> Option<&str> {
    let value = column.value(code);
    let text = match (part, column.kind) {
        (Part::Head, Kind::Name) => head(column.aspect(code), 4),
        (Part::Tail, Kind::Name) => tail(value.rsplit(' ').next().unwrap_or(value), 64),
        (Part::Head, Kind::Address) => head(value, 6),
        (Part::Head | Part::Year, _) => head(value, 4),
        (Part::Tail | Part::MonthDay, _) => tail(value, 4),
        (Part::Whole | Part::Aspect | Part::Words, _) => value,
    };
    (!text.is_empty() && !text.contains('*')).then_some(text)
}

fn head(text: &str, letters: usize) -> &str {
    text.char_indices().nth(letters).map_or(text, |(end, _)| &text[..end])
}

fn tail(text: &str, letters: usize) -> &str {
    let skip = text.chars().count().saturating_sub(letters);
    text.char_indices().nth(skip).map_or(text, |(start, _)| &text[start..])
}

fn describe(table: &Table, rule: &Rule) -> String {
    let part = |key: &Key| {
        let name = table.columns.get(key.column).map_or("", |column| column.name.as_str());
        match key.part {
            Part::Whole => name.to_owned(),
            Part::Aspect => format!("form of {name}"),
            Part::Head => format!("start of {name}"),
            Part::Tail => format!("end of {name}"),
            Part::Year => format!("year of {name}"),
            Part::MonthDay => format!("day of {name}"),
            Part::Words => format!("rare words of {name}"),
        }
    };
    rule.keys.iter().map(part).collect::<Vec<_>>().join(", ")
}
