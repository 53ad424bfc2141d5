//! Ids that last: a cluster keeps the id of the entity with which it shares the most records.

use super::hash::{FastMap, FastSet};

/// By row, the id of its entity. `before` holds the id that each row had, `labels` its cluster now, `keys` a
/// number that names the row whatever its place. Clusters that inherit nothing are numbered from `next` on.
///
/// The greatest overlap chooses first; among equals the older id, then the cluster with the least key. An id
/// goes to one cluster, and a cluster gets one id.
pub(crate) fn carry_over(before: &[Option<u64>], labels: &[u32], keys: &[u64], next: u64) -> Vec<u64> {
    let mut overlaps: FastMap<(u64, u32), u64> = FastMap::default();
    let mut least: FastMap<u32, u64> = FastMap::default();
    for (row, label) in labels.iter().enumerate() {
        let key = keys.get(row).copied().unwrap_or(row as u64);
        let entry = least.entry(*label).or_insert(key);
        *entry = key.min(*entry);
        if let Some(id) = before.get(row).copied().flatten() {
            *overlaps.entry((id, *label)).or_default() += 1;
        }
    }
    let mut ranked: Vec<(u64, u64, u64, u32)> =
        overlaps.into_iter().map(|((id, label), rows)| (u64::MAX - rows, id, least[&label], label)).collect();
    ranked.sort_unstable();
    let mut given: FastMap<u32, u64> = FastMap::default();
    let mut taken: FastSet<u64> = FastSet::default();
    for (_, id, _, label) in ranked {
        if !given.contains_key(&label) && taken.insert(id) {
            given.insert(label, id);
        }
    }
    let mut fresh: Vec<(u64, u32)> = least.into_iter().map(|(label, key)| (key, label)).collect();
    fresh.retain(|(_, label)| !given.contains_key(label));
    fresh.sort_unstable();
    let mut next = next;
    for (_, label) in fresh {
        while taken.contains(&next) {
            next = next.saturating_add(1);
        }
        given.insert(label, next);
        next = next.saturating_add(1);
    }
    labels.iter().map(|label| given.get(label).copied().unwrap_or(next)).collect()
}
