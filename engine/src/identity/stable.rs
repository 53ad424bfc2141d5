//! Ids that last: a cluster keeps the id of the customer with whom it shares the most records.

use std::collections::{BTreeMap, HashMap, HashSet};

/// The id that a record has or had, and since when: the smaller, the earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: String,
    pub since: i64,
}

/// By label, the id of its cluster.
///
/// `now` holds by row the id that it has now. The greatest overlap of rows chooses first; among equals the
/// cluster whose rows have had the id for longer, then the older id, then the least label. An id goes to one
/// cluster, and a cluster gets one id. A cluster that gets none by this takes back, by the same order, an id that
/// its rows had in the `past` and nobody has any more: so undoing a merge brings both ids back. What is left gets
/// an id from `fresh`, which is told the label and what is taken.
///
/// Rows are numbered by what lasts, source system and record id; so nothing depends on their order.
pub fn carry_over(
    labels: &[u32],
    now: &[Option<Held>],
    past: &[Vec<Held>],
    fresh: impl Fn(u32, &dyn Fn(&str) -> bool) -> String,
) -> HashMap<u32, String> {
    let mut given: HashMap<u32, String> = HashMap::new();
    let mut taken: HashSet<String> = HashSet::new();
    let current = now.iter().map(|held| held.iter().collect::<Vec<_>>());
    give(labels, current, &mut given, &mut taken);
    let former = past.iter().map(|held| held.iter().collect::<Vec<_>>());
    give(labels, former, &mut given, &mut taken);
    let known: HashSet<&str> =
        now.iter().flatten().chain(past.iter().flatten()).map(|held| held.id.as_str()).collect();
    let mut rest: Vec<u32> = labels.iter().copied().filter(|label| !given.contains_key(label)).collect();
    rest.sort_unstable();
    rest.dedup();
    for label in rest {
        let id = fresh(label, &|id| taken.contains(id) || known.contains(id));
        taken.insert(id.clone());
        given.insert(label, id);
    }
    given
}

/// Gives ids by overlap to the clusters that have none.
fn give<'a>(
    labels: &[u32],
    held: impl Iterator<Item = Vec<&'a Held>>,
    given: &mut HashMap<u32, String>,
    taken: &mut HashSet<String>,
) {
    // By id and label: rows, and the earliest that one of them had the id.
    let mut overlaps: BTreeMap<(&str, u32), (u64, i64)> = BTreeMap::new();
    let mut oldest: HashMap<&str, i64> = HashMap::new();
    for (label, held) in labels.iter().zip(held) {
        for held in held {
            let overlap = overlaps.entry((&held.id, *label)).or_insert((0, i64::MAX));
            *overlap = (overlap.0 + 1, overlap.1.min(held.since));
            let age = oldest.entry(&held.id).or_insert(i64::MAX);
            *age = held.since.min(*age);
        }
    }
    let mut ranked: Vec<_> = overlaps
        .into_iter()
        .map(|((id, label), (rows, since))| (u64::MAX - rows, since, oldest.get(id).copied(), id, label))
        .collect();
    ranked.sort_unstable();
    for (_, _, _, id, label) in ranked {
        if !given.contains_key(&label) && !taken.contains(id) {
            taken.insert(id.to_owned());
            given.insert(label, id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(id: &str, since: i64) -> Held {
        Held { id: id.to_owned(), since }
    }

    fn ids(labels: &[u32], now: &[Option<Held>], past: &[Vec<Held>]) -> Vec<String> {
        let given = carry_over(labels, now, past, |label, taken| {
            let id = format!("new {label}");
            if taken(&id) { format!("newer {label}") } else { id }
        });
        labels.iter().map(|label| given[label].clone()).collect()
    }

    #[test]
    fn the_greatest_overlap_keeps_the_id() {
        let now =
            [Some(held("a", 1)), Some(held("a", 1)), Some(held("a", 1)), Some(held("b", 1)), None, None];
        let past = vec![Vec::new(); 6];
        let after = ids(&[0, 0, 2, 2, 2, 5], &now, &past);
        assert_eq!(after, ["a", "a", "b", "b", "b", "new 5"]);
    }

    #[test]
    fn a_merge_undone_brings_both_ids_back() {
        // Row 0 was "a" from the start, row 1 was "b" and came to "a" by a merge.
        let now = [Some(held("a", 1)), Some(held("a", 5))];
        let past = [Vec::new(), vec![held("b", 1)]];
        assert_eq!(ids(&[0, 0], &now, &past), ["a", "a"]);
        assert_eq!(ids(&[0, 1], &now, &past), ["a", "b"]);
        // Whichever row comes first.
        let (now, past) = ([now[1].clone(), now[0].clone()], [past[1].clone(), past[0].clone()]);
        assert_eq!(ids(&[0, 1], &now, &past), ["b", "a"]);
    }

    #[test]
    fn an_id_of_somebody_is_never_given_anew() {
        let now = [Some(held("new 1", 1)), None];
        assert_eq!(ids(&[0, 1], &now, &[Vec::new(), Vec::new()]), ["new 1", "newer 1"]);
    }
}
