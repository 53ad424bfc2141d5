//! Clusters from weighted pairs: greedy additive edge contraction inside connected components (Keuper et al.
//! 2015, *Efficient decomposition of image and mesh graphs by lifted multicuts*).
//!
//! The two clusters with the greatest sum of weights between them are joined, again and again, as long as the
//! sum is positive. Two clusters that may not be joined, or that would be too large together, never are; those
//! that must be are joined first, whatever the sum.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::hash::{FastMap, FastSet};

/// A pair of nodes and the evidence that they belong together, in thousandths of a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) weight: i32,
}

/// What the clusters of a component must respect. Nodes are numbered within it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Constraints {
    pub(crate) must: Vec<(u32, u32)>,
    pub(crate) cannot: Vec<(u32, u32)>,
    /// Nodes of one cluster; 0 for no limit.
    pub(crate) largest: usize,
    /// What a pair without an edge weighs.
    pub(crate) absent: i32,
    /// Weights are cut to ±this.
    pub(crate) strongest: i32,
}

/// By node, the least node of its cluster. Ties go to the lower nodes, so number them by something that lasts.
pub(crate) fn contract(nodes: usize, edges: &[Edge], constraints: &Constraints) -> Vec<u32> {
    let mut state = Contraction::new(nodes, edges, constraints);
    for (left, right) in &constraints.must {
        let (left, right) = (state.root(*left), state.root(*right));
        if left != right {
            state.merge(left, right, i64::max);
        }
    }
    state.queue_all();
    while let Some((sum, Reverse(left), Reverse(right), stamp)) = state.queue.pop() {
        let current = state.alive(left) && state.alive(right) && state.stamp(left, right) == stamp;
        if current && state.allowed(left, right) && sum > 0 {
            state.merge(left, right, |a, b| a + b);
            state.queue_of(left);
        }
    }
    (0..nodes as u32).map(|node| state.root(node)).collect()
}

type Queued = (i64, Reverse<u32>, Reverse<u32>, u64);

struct Contraction<'a> {
    constraints: &'a Constraints,
    parent: Vec<u32>,
    size: Vec<u32>,
    /// By cluster, its neighbours: sum of weights and number of edges.
    neighbours: Vec<FastMap<u32, (i64, u32)>>,
    cannot: Vec<FastSet<u32>>,
    queue: BinaryHeap<Queued>,
}

impl<'a> Contraction<'a> {
    fn new(nodes: usize, edges: &[Edge], constraints: &'a Constraints) -> Self {
        let mut neighbours = vec![FastMap::<u32, (i64, u32)>::default(); nodes];
        let inside = |a: u32, b: u32| a != b && (a.max(b) as usize) < nodes;
        for edge in edges.iter().filter(|edge| inside(edge.left, edge.right)) {
            let weight = i64::from(edge.weight.clamp(-constraints.strongest, constraints.strongest));
            for (from, to) in [(edge.left, edge.right), (edge.right, edge.left)] {
                let entry = neighbours[from as usize].entry(to).or_default();
                *entry = (entry.0 + weight, entry.1 + 1);
            }
        }
        let mut cannot = vec![FastSet::default(); nodes];
        for (a, b) in constraints.cannot.iter().filter(|(a, b)| inside(*a, *b)) {
            cannot[*a as usize].insert(*b);
            cannot[*b as usize].insert(*a);
        }
        let (parent, size) = ((0..nodes as u32).collect(), vec![1; nodes]);
        Self { constraints, parent, size, neighbours, cannot, queue: BinaryHeap::new() }
    }

    fn root(&self, mut node: u32) -> u32 {
        while let Some(above) = self.parent.get(node as usize).filter(|above| **above != node) {
            node = *above;
        }
        node
    }

    fn alive(&self, node: u32) -> bool {
        self.parent[node as usize] == node
    }

    /// Changes whenever the sum between two clusters can have changed.
    fn stamp(&self, left: u32, right: u32) -> u64 {
        u64::from(self.size[left as usize]) << 32 | u64::from(self.size[right as usize])
    }

    fn allowed(&self, left: u32, right: u32) -> bool {
        let together = self.size[left as usize] as usize + self.size[right as usize] as usize;
        let fits = self.constraints.largest == 0 || together <= self.constraints.largest;
        fits && !self.cannot[left as usize].contains(&right)
    }

    fn queue_all(&mut self) {
        for node in (0..self.parent.len() as u32).filter(|node| self.alive(*node)).collect::<Vec<_>>() {
            self.queue_pairs(node, |node, other| node < other);
        }
    }

    fn queue_of(&mut self, node: u32) {
        self.queue_pairs(node, |_, _| true);
    }

    fn queue_pairs(&mut self, node: u32, wanted: impl Fn(u32, u32) -> bool) {
        let mut found = Vec::new();
        for (other, (sum, known)) in &self.neighbours[node as usize] {
            if wanted(node, *other) {
                let (left, right) = (node.min(*other), node.max(*other));
                let pairs = i64::from(self.size[left as usize]) * i64::from(self.size[right as usize]);
                let absent = (pairs - i64::from(*known)).max(0) * i64::from(self.constraints.absent);
                if sum + absent > 0 {
                    found.push((sum + absent, Reverse(left), Reverse(right), self.stamp(left, right)));
                }
            }
        }
        self.queue.extend(found);
    }

    /// Joins two clusters; the lower one stays. What speaks for and against a third is `combined`: evidence adds
    /// up. Where somebody has decided that the two are one, the stronger counts: whoever resembles one of them is
    /// the person, however little the other resembles.
    fn merge(&mut self, left: u32, right: u32, combined: fn(i64, i64) -> i64) {
        let (keep, gone) = (left.min(right), left.max(right));
        self.parent[gone as usize] = keep;
        self.size[keep as usize] += self.size[gone as usize];
        for (other, (sum, known)) in std::mem::take(&mut self.neighbours[gone as usize]) {
            self.neighbours[other as usize].remove(&gone);
            if other != keep {
                for (from, to) in [(keep, other), (other, keep)] {
                    let entry = self.neighbours[from as usize].entry(to).or_insert((sum, 0));
                    *entry =
                        if entry.1 == 0 { (sum, known) } else { (combined(entry.0, sum), entry.1 + known) };
                }
            }
        }
        for other in std::mem::take(&mut self.cannot[gone as usize]) {
            self.cannot[other as usize].remove(&gone);
            self.cannot[other as usize].insert(keep);
            self.cannot[keep as usize].insert(other);
        }
    }
}
