//! Taxonomies: tags with their queries, and finding them.

use std::collections::HashSet;

use super::automaton::{Automaton, Occurrence};
use super::query::{Places, Query};
use crate::opinions::Invalid;
use crate::opinions::sentence::fold;

/// A tag found at a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagHit<'a> {
    pub(crate) tag: &'a str,
    /// The tag above it; empty at the top.
    pub(crate) parent: &'a str,
    /// Characters of the text, the end exclusive.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The row of the taxonomy that matched, as `name:row`, rows counted from 1.
    pub(crate) rule: &'a str,
}

#[derive(Debug)]
struct Rule {
    tag: Box<str>,
    parent: Box<str>,
    id: Box<str>,
    include: Query,
    exclude: Option<Query>,
}

/// A compiled taxonomy.
#[derive(Debug)]
pub(crate) struct Taxonomy {
    rules: Vec<Rule>,
    automaton: Automaton,
    /// Of each term, the rules that it may make true.
    triggered: Vec<Vec<usize>>,
    /// Rules that may hold without any term, such as `NOT a`.
    always: Vec<usize>,
}

impl Taxonomy {
    /// Compiles rows of (tag, parent, include query, exclude query). A row without an include query only
    /// names a tag.
    ///
    /// # Errors
    /// A tag without name, a parent that is no tag, a query that is not well formed.
    pub(crate) fn compile<'r>(
        name: &str,
        rows: impl IntoIterator<Item = (&'r str, &'r str, &'r str, &'r str)>,
    ) -> Result<Self, Invalid> {
        let rows: Vec<_> = rows.into_iter().collect();
        let known: HashSet<&str> = rows.iter().map(|(tag, ..)| *tag).collect();
        let mut parents = rows.iter().map(|(_, parent, ..)| *parent);
        if let Some(lost) = parents.find(|parent| !parent.is_empty() && !known.contains(parent)) {
            return Err(Invalid::new(format!("parent \"{lost}\" is not a tag of taxonomy \"{name}\"")));
        }
        Self::of_rows(name, rows, |_, number| format!("{name}:{number}"))
    }

    /// Compiles the rows of a table, whose order means nothing: a rule is called by its tag, and a parent need
    /// not have a row of its own.
    ///
    /// # Errors
    /// A tag without name, a query that is not well formed.
    pub(crate) fn edited<'r>(
        name: &str,
        rows: impl IntoIterator<Item = (&'r str, &'r str, &'r str, &'r str)>,
    ) -> Result<Self, Invalid> {
        Self::of_rows(name, rows, |tag, _| format!("{name}:{tag}"))
    }

    fn of_rows<'r>(
        name: &str,
        rows: impl IntoIterator<Item = (&'r str, &'r str, &'r str, &'r str)>,
        id: impl Fn(&str, usize) -> String,
    ) -> Result<Self, Invalid> {
        let mut automaton = Automaton::default();
        let mut rules = Vec::new();
        for (index, (tag, parent, include, exclude)) in rows.into_iter().enumerate() {
            if tag.trim().is_empty() {
                return Err(Invalid::new(format!("row {} of taxonomy \"{name}\" has no tag", index + 1)));
            }
            let of_tag = |error: Invalid| Invalid {
                message: format!("tag \"{tag}\" of taxonomy \"{name}\": {}", error.message),
                ..error
            };
            let exclude = Query::parse(exclude, &mut automaton).map_err(of_tag)?;
            if let Some(include) = Query::parse(include, &mut automaton).map_err(of_tag)? {
                let id = id(tag, index + 1).into();
                rules.push(Rule { tag: tag.into(), parent: parent.into(), id, include, exclude });
            }
        }
        automaton.link();
        Ok(Self::index(rules, automaton))
    }

    /// Reads a table of tab-separated rows with the header `tag parent include exclude`.
    ///
    /// # Errors
    /// As [`Taxonomy::compile`].
    pub(crate) fn from_tsv(name: &str, table: &str) -> Result<Self, Invalid> {
        let rows = table.lines().skip(1).filter(|row| !row.trim().is_empty()).map(|row| {
            let mut cells = row.split('\t').map(str::trim);
            let mut next = || cells.next().unwrap_or_default();
            (next(), next(), next(), next())
        });
        Self::compile(name, rows)
    }

    fn index(rules: Vec<Rule>, automaton: Automaton) -> Self {
        let mut triggered = vec![Vec::new(); automaton.terms()];
        let mut always = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            match rule.include.triggers() {
                Some(terms) => terms.into_iter().for_each(|term| triggered[term].push(index)),
                None => always.push(index),
            }
        }
        Self { rules, automaton, triggered, always }
    }

    /// The tags of the taxonomy that have a query, in the order of its rows.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.tag.as_ref())
    }
}

/// The tags of a text, by place, then by row of the taxonomy.
pub(crate) fn tags<'t>(text: &str, taxonomy: &'t Taxonomy) -> Vec<TagHit<'t>> {
    let chars: Vec<char> = text.chars().map(fold).collect();
    let mut occurrences: Vec<Occurrence> = Vec::new();
    taxonomy.automaton.find(&chars, &mut occurrences);
    let mut candidates: Vec<usize> = taxonomy.always.clone();
    let mut seen = vec![false; taxonomy.triggered.len()];
    for Occurrence { term, .. } in &occurrences {
        if !std::mem::replace(&mut seen[*term], true) {
            candidates.extend(&taxonomy.triggered[*term]);
        }
    }
    candidates.sort_unstable();
    candidates.dedup();
    if candidates.is_empty() {
        return Vec::new();
    }
    occurrences.sort_by_key(|occurrence| (occurrence.span.start, occurrence.span.end));
    let mut places = Places::default();
    places.fill(&chars, taxonomy.automaton.terms(), &occurrences);
    let mut hits: Vec<(usize, TagHit<'t>)> = Vec::new();
    for index in candidates {
        let rule = &taxonomy.rules[index];
        let excluded = rule.exclude.as_ref().is_some_and(|exclude| exclude.holds(&places));
        if excluded || !rule.include.holds(&places) {
            continue;
        }
        let mut spans = rule.include.spans(&places);
        if spans.is_empty() {
            // A query of nothing but NOT rests on the text as a whole.
            spans.push(0..chars.len());
        }
        hits.extend(spans.into_iter().map(|span| (index, hit(rule, span.start, span.end))));
    }
    hits.sort_by_key(|(index, hit)| (hit.start, hit.end, *index));
    hits.into_iter().map(|(_, hit)| hit).collect()
}

fn hit(rule: &Rule, start: usize, end: usize) -> TagHit<'_> {
    TagHit { tag: &rule.tag, parent: &rule.parent, start, end, rule: &rule.id }
}

/// The taxonomies that come with the program.
pub(crate) const SHIPPED_NAMES: [&str; 5] = ["retail", "food_delivery", "hotel", "telecom", "dealer"];

/// The table of a taxonomy that comes with the program: `retail`, `food_delivery`, `hotel`, `telecom`, `dealer`.
///
/// # Errors
/// Another name.
pub(crate) fn shipped(name: &str) -> Result<&'static str, Invalid> {
    match name {
        "retail" => Ok(include_str!("../data/taxonomy_retail.tsv")),
        "food_delivery" => Ok(include_str!("../data/taxonomy_food_delivery.tsv")),
        "hotel" => Ok(include_str!("../data/taxonomy_hotel.tsv")),
        "telecom" => Ok(include_str!("../data/taxonomy_telecom.tsv")),
        "dealer" => Ok(include_str!("../data/taxonomy_dealer.tsv")),
        other => Err(Invalid::new(format!("taxonomy \"{other}\" does not exist"))
            .with_hint("The taxonomies are retail, food_delivery, hotel, telecom and dealer.")),
    }
}
