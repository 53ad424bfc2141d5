//! Which steps simultaneous events can fill, each event one step.
//!
//! Steps and events form a bipartite graph; a run of steps can be filled when the run has a matching, found by
//! augmenting paths (Kuhn 1955). A step that as many events meet as there are steps can always be filled, so
//! no more events than that are looked at for a step: the work has a bound whatever the number of events.

use crate::journey::event::MAX_CONDITIONS;

/// For each level i from 0 to `levels`: the furthest step k such that the steps i + 1 to k can be filled by
/// different events (k = i if not even the next one can). `single` are the conditions met by events of one
/// condition, `several` the condition sets of the others.
pub(super) fn reaches(single: u64, several: &[u64], levels: usize) -> Vec<usize> {
    let mut assignment = Assignment::new(several);
    let mut furthest = 0;
    let mut found = Vec::with_capacity(levels + 1);
    for level in 0..=levels {
        if level > 0 {
            assignment.free(level - 1);
        }
        furthest = furthest.max(level);
        while furthest < MAX_CONDITIONS && (single & (1 << furthest) != 0 || assignment.fill(furthest)) {
            furthest += 1;
        }
        found.push(furthest);
    }
    found
}

/// The step that each event fills.
struct Assignment {
    events: Vec<(u64, Option<usize>)>,
    visited: Vec<bool>,
}

impl Assignment {
    fn new(several: &[u64]) -> Self {
        let mut seen = [0_usize; MAX_CONDITIONS];
        let mut events = Vec::new();
        for conditions in several {
            let mut scarce = false;
            for (step, seen) in seen.iter_mut().enumerate() {
                if conditions & (1 << step) != 0 {
                    scarce |= *seen < MAX_CONDITIONS;
                    *seen += 1;
                }
            }
            if scarce {
                events.push((*conditions, None));
            }
        }
        Self { visited: vec![false; events.len()], events }
    }

    fn free(&mut self, step: usize) {
        for (_, fills) in &mut self.events {
            if *fills == Some(step) {
                *fills = None;
            }
        }
    }

    fn fill(&mut self, step: usize) -> bool {
        self.visited.fill(false);
        self.augment(step)
    }

    /// At most one call deep for each step.
    fn augment(&mut self, step: usize) -> bool {
        for place in 0..self.events.len() {
            let (conditions, fills) = self.events[place];
            if conditions & (1 << step) == 0 || self.visited[place] {
                continue;
            }
            self.visited[place] = true;
            if fills.is_none_or(|other| self.augment(other)) {
                self.events[place].1 = Some(step);
                return true;
            }
        }
        false
    }
}
