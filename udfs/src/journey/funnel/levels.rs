//! The best chain of each level so far.
//!
//! Of the chains of a level only the one that starts latest can matter for what follows: any later event that
//! extends another one within the window extends it too. Chains that start together differ only in what the
//! winner reports: the first found took its steps earliest and stays. A chain's beginning is a chain of the
//! level below, so starts never rise with the level.

use super::assignment;
use crate::journey::event::first_conditions;

/// Row i holds the best chain of level i + 1: its times, or only its start.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels {
    with_times: bool,
    reach: usize,
    rows: Vec<i64>,
}

impl Levels {
    pub(super) fn new(with_times: bool) -> Self {
        Self { with_times, ..Self::default() }
    }

    pub(super) fn clear(&mut self) {
        self.reach = 0;
        self.rows.clear();
    }

    /// The deepest level reached.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// The chain of the deepest level reached.
    pub(super) fn deepest(&self) -> &[i64] {
        let Some(row) = self.reach.checked_sub(1) else { return &[] };
        let begin = self.place(row);
        &self.rows[begin..begin + self.width(row)]
    }

    /// One event: each chain takes at most one step.
    pub(super) fn take_one(&mut self, conditions: u64, time: i64, window: i64) {
        let mut open = conditions & first_conditions(self.reach.saturating_add(1));
        while open != 0 {
            let row = open.ilog2() as usize;
            open &= !(1 << row);
            self.extend(row, row, time, window);
        }
    }

    /// Simultaneous events with one condition each: a chain takes as many steps as there are in a row.
    pub(super) fn take_in_step_order(&mut self, conditions: u64, time: i64, window: i64) {
        let mut open = conditions;
        while open != 0 {
            let row = open.trailing_zeros() as usize;
            if row > self.reach {
                return;
            }
            open &= open - 1;
            self.extend(row, row, time, window);
        }
    }

    /// Simultaneous events: those of one condition together in `single`, the others in `several`.
    pub(super) fn take_any_order(&mut self, single: u64, several: &[u64], time: i64, window: i64) {
        let reached = self.reach;
        // A chain of level i can take the steps from i + 1 to reaches[i].
        let reaches = assignment::reaches(single, several, reached);
        let deepest = reaches.last().copied().unwrap_or(0);
        for level in (1..=deepest).rev() {
            let below = &reaches[..level.min(reaches.len())];
            // The latest start is that of the lowest chain that can; of those that start with it the highest
            // took its steps earliest.
            let Some(lowest) = below.iter().position(|to| *to >= level) else { continue };
            let start = self.start(lowest, time);
            let highest = (lowest..below.len()).rev().find(|from| self.start(*from, time) == start);
            self.offer(level - 1, highest.unwrap_or(lowest), reached, time, window);
        }
    }

    /// The start of the best chain of `level`; a chain without a step would start now.
    fn start(&self, level: usize, now: i64) -> i64 {
        level.checked_sub(1).map_or(now, |row| self.rows[self.place(row)])
    }

    fn extend(&mut self, row: usize, from: usize, time: i64, window: i64) {
        if from <= self.reach {
            self.offer(row, from, self.reach, time, window);
        }
    }

    /// Offers row `row` the chain of level `from` with its missing steps at `time`; the levels up to `reached`
    /// have a chain already.
    fn offer(&mut self, row: usize, from: usize, reached: usize, time: i64, window: i64) {
        let start = self.start(from, time);
        let (begin, width) = (self.place(row), self.width(row));
        if time.saturating_sub(start) > window || (row < reached && start <= self.rows[begin]) {
            return;
        }
        self.reach = self.reach.max(row + 1);
        if self.rows.len() < begin + width {
            self.rows.resize(begin + width, 0);
        }
        self.rows[begin..begin + width].fill(time);
        if let Some(source) = from.checked_sub(1) {
            let (chain, length) = (self.place(source), self.width(source));
            self.rows.copy_within(chain..chain + length, begin);
        }
    }

    fn place(&self, row: usize) -> usize {
        if self.with_times { row * (row + 1) / 2 } else { row }
    }

    fn width(&self, row: usize) -> usize {
        if self.with_times { row + 1 } else { 1 }
    }
}
