//! What people have decided: these records are one person, those are not.
//!
//! Decisions stand above the model. They are pairs of records; a decision about customers has several. A pair
//! that was withdrawn counts no more.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::error::{Error, ErrorKind, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Merge,
    Unmerge,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Merge => "merge",
            Verdict::Unmerge => "unmerge",
        }
    }
}

/// Two records, named `source_system/record_id`, and what was decided about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub decision_id: String,
    pub verdict: Verdict,
    pub record_a: String,
    pub record_b: String,
    pub reason: String,
    pub decided_by: String,
    /// Microseconds since 1970.
    pub decided_at: i64,
    pub withdrawn_by: Option<String>,
    pub withdrawn_at: Option<i64>,
}

impl Decision {
    pub fn stands(&self) -> bool {
        self.withdrawn_at.is_none()
    }

    fn joins(&self, one: &str, other: &str) -> bool {
        (self.record_a == one && self.record_b == other) || (self.record_a == other && self.record_b == one)
    }
}

/// Who decides, when and why.
#[derive(Debug, Clone)]
pub struct Author {
    pub role: String,
    pub at: i64,
    pub reason: String,
}

/// All decisions, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    pub all: Vec<Decision>,
}

impl Decisions {
    pub fn standing(&self) -> impl Iterator<Item = &Decision> {
        self.all.iter().filter(|decision| decision.stands())
    }

    /// The number behind the last decision's: ids are `d1`, `d2` …
    fn next_id(&self) -> String {
        let number = |decision: &Decision| decision.decision_id.strip_prefix('d')?.parse::<u64>().ok();
        format!("d{}", self.all.iter().filter_map(number).max().unwrap_or(0) + 1)
    }

    /// Decides that two groups of records are one person. Refused when a standing decision says otherwise.
    pub fn merge(&mut self, left: &[String], right: &[String], author: &Author) -> Result<String> {
        let mut pairs: Vec<(&String, &String)> = Vec::new();
        if let (Some(first), Some(second)) = (left.iter().min(), right.iter().min()) {
            pairs.extend(right.iter().map(|record| (first, record)));
            pairs.extend(left.iter().filter(|record| *record != first).map(|record| (record, second)));
        }
        self.add(Verdict::Merge, &pairs, author)
    }

    /// Decides that records are not the person of the others. Standing merges of a record with one of the others
    /// are withdrawn by it: whoever takes a person apart takes back that it was put together.
    pub fn unmerge(&mut self, leaving: &[String], staying: &[String], author: &Author) -> Result<String> {
        for decision in &mut self.all {
            let crosses = |one: &String, other: &String| leaving.contains(one) && staying.contains(other);
            let (a, b) = (&decision.record_a, &decision.record_b);
            if decision.verdict == Verdict::Merge && decision.stands() && (crosses(a, b) || crosses(b, a)) {
                decision.withdrawn_at = Some(author.at);
                decision.withdrawn_by = Some(author.role.clone());
            }
        }
        let pairs: Vec<_> =
            leaving.iter().flat_map(|one| staying.iter().map(move |other| (one, other))).collect();
        self.add(Verdict::Unmerge, &pairs, author)
    }

    /// Takes a decision back.
    pub fn withdraw(&mut self, decision_id: &str, author: &Author) -> Result<()> {
        let mut found = false;
        for decision in self.all.iter_mut().filter(|decision| decision.decision_id == decision_id) {
            found |= decision.stands();
            if decision.stands() {
                decision.withdrawn_at = Some(author.at);
                decision.withdrawn_by = Some(author.role.clone());
            }
        }
        if !found {
            let message = format!("decision \"{decision_id}\" does not exist or was withdrawn");
            return Err(Error::new(ErrorKind::UndefinedObject, message)
                .with_hint("id.decisions lists them; withdrawn_at is NULL where they stand."));
        }
        Ok(())
    }

    fn add(&mut self, verdict: Verdict, pairs: &[(&String, &String)], author: &Author) -> Result<String> {
        let decision_id = self.next_id();
        for (one, other) in pairs {
            let (record_a, record_b) = if one <= other { (one, other) } else { (other, one) };
            self.all.push(Decision {
                decision_id: decision_id.clone(),
                verdict,
                record_a: (*record_a).clone(),
                record_b: (*record_b).clone(),
                reason: author.reason.clone(),
                decided_by: author.role.clone(),
                decided_at: author.at,
                withdrawn_by: None,
                withdrawn_at: None,
            });
        }
        self.check()?;
        Ok(decision_id)
    }

    /// Refuses decisions that cannot all be true, with two that contradict each other.
    pub fn check(&self) -> Result<()> {
        let mut neighbours: BTreeMap<&str, Vec<&Decision>> = BTreeMap::new();
        for decision in self.standing().filter(|decision| decision.verdict == Verdict::Merge) {
            neighbours.entry(&decision.record_a).or_default().push(decision);
            neighbours.entry(&decision.record_b).or_default().push(decision);
        }
        for apart in self.standing().filter(|decision| decision.verdict == Verdict::Unmerge) {
            if let Some(path) = path(&neighbours, &apart.record_a, &apart.record_b) {
                return Err(contradiction(&path, apart));
            }
        }
        Ok(())
    }

    /// Whether somebody has decided about two records.
    pub fn about(&self, one: &str, other: &str) -> Option<&Decision> {
        self.standing().find(|decision| decision.joins(one, other))
    }
}

/// The merges over which one record is another, the shortest way.
fn path<'a>(
    neighbours: &BTreeMap<&'a str, Vec<&'a Decision>>,
    from: &'a str,
    to: &str,
) -> Option<Vec<&'a Decision>> {
    let mut came_by: HashMap<&str, &'a Decision> = HashMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(record) = open.pop_front() {
        if record == to {
            let mut path = Vec::new();
            let mut at = record;
            while at != from {
                let by = came_by.get(at)?;
                path.push(*by);
                at = if by.record_a == at { &by.record_b } else { &by.record_a };
            }
            path.reverse();
            return Some(path);
        }
        for decision in neighbours.get(record).into_iter().flatten() {
            let next = if decision.record_a == record { &decision.record_b } else { &decision.record_a };
            if next != from && !came_by.contains_key(next.as_str()) {
                came_by.insert(next, decision);
                open.push_back(next);
            }
        }
    }
    None
}

fn contradiction(path: &[&Decision], apart: &Decision) -> Error {
    let mut merges: Vec<&str> = path.iter().map(|decision| decision.decision_id.as_str()).collect();
    merges.dedup();
    let told: Vec<String> = path
        .iter()
        .map(|merge| {
            let Decision { decision_id, record_a, record_b, decided_by, .. } = merge;
            format!("{decision_id} by {decided_by} says that {record_a} is {record_b}")
        })
        .collect();
    let message = format!("decisions {} and {} contradict each other", merges.join(", "), apart.decision_id);
    Error::new(ErrorKind::UniqueViolation, message)
        .with_detail(format!(
            "{}; {} by {} says that {} is not {}.",
            told.join(", "),
            apart.decision_id,
            apart.decided_by,
            apart.record_a,
            apart.record_b
        ))
        .with_hint("CALL id.undo('decision_id') takes one that stands back.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(at: i64) -> Author {
        Author { role: "ann".into(), at, reason: "she called".into() }
    }

    fn names(records: &[&str]) -> Vec<String> {
        records.iter().map(|record| (*record).to_owned()).collect()
    }

    #[test]
    fn a_merge_against_an_unmerge_is_refused_with_both_named() {
        let mut decisions = Decisions::default();
        decisions.unmerge(&names(&["s/3"]), &names(&["s/1", "s/2"]), &author(1)).unwrap();
        decisions.merge(&names(&["s/3"]), &names(&["s/4"]), &author(2)).unwrap();
        let refused = decisions.clone().merge(&names(&["s/4"]), &names(&["s/1"]), &author(3)).unwrap_err();
        assert_eq!(refused.sqlstate(), "23505");
        assert!(refused.message().contains("d1") && refused.message().contains("d3"), "{refused}");
        assert!(refused.detail().unwrap().contains("d2"), "the way goes over it");
        decisions.withdraw("d1", &author(4)).unwrap();
        decisions.merge(&names(&["s/4"]), &names(&["s/1"]), &author(5)).unwrap();
        assert_eq!(decisions.withdraw("d1", &author(6)).unwrap_err().sqlstate(), "42704");
    }

    #[test]
    fn an_unmerge_takes_back_what_put_the_records_together() {
        let mut decisions = Decisions::default();
        decisions.merge(&names(&["s/1", "s/2"]), &names(&["w/1", "w/2"]), &author(1)).unwrap();
        decisions.unmerge(&names(&["w/1", "w/2"]), &names(&["s/1", "s/2"]), &author(2)).unwrap();
        assert!(decisions.standing().all(|decision| decision.verdict == Verdict::Unmerge));
        // One record leaves, the other stays where it was put.
        let mut decisions = Decisions::default();
        decisions.merge(&names(&["s/1"]), &names(&["w/1", "w/2"]), &author(1)).unwrap();
        decisions.unmerge(&names(&["w/2"]), &names(&["s/1", "w/1"]), &author(2)).unwrap();
        assert!(decisions.about("w/1", "s/1").is_some_and(|decision| decision.verdict == Verdict::Merge));
        assert!(decisions.about("w/2", "s/1").is_some_and(|decision| decision.verdict == Verdict::Unmerge));
    }

    #[test]
    fn a_circle_of_decisions_ends() {
        let mut decisions = Decisions::default();
        for (a, b) in [("1", "2"), ("2", "3"), ("3", "1")] {
            decisions.merge(&names(&[a]), &names(&[b]), &author(1)).unwrap();
        }
        assert!(decisions.check().is_ok());
        // Going round: taking 2 out leaves 1 and 3 together.
        decisions.unmerge(&names(&["2"]), &names(&["1", "3"]), &author(2)).unwrap();
        assert!(decisions.about("1", "3").is_some());
    }
}
