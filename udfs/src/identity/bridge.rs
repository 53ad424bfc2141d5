//! Bridges: links without which a cluster falls apart. They are what a person should look at first.
//!
//! Depth-first search with low points (Tarjan 1974, *A note on finding the bridges of a graph*), without
//! recursion.

use super::cluster::Edge;

/// Numbers of the edges that are the only way between their two sides. Edges to nodes outside `0..nodes`, and
/// from a node to itself, are no links.
pub(crate) fn bridges(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut search = Search::new(nodes, edges);
    for node in 0..nodes {
        if search.entered[node] == 0 {
            search.visit(node, edges);
        }
    }
    search.found.sort_unstable();
    search.found
}

struct Search {
    /// By node, its edges.
    of_node: Vec<Vec<usize>>,
    /// By node, when it was entered; 0 for never.
    entered: Vec<usize>,
    /// By node, the earliest node that it or what is below it reaches.
    low: Vec<usize>,
    clock: usize,
    found: Vec<usize>,
}

impl Search {
    fn new(nodes: usize, edges: &[Edge]) -> Self {
        let mut of_node = vec![Vec::new(); nodes];
        for (number, edge) in edges.iter().enumerate() {
            if edge.left != edge.right && (edge.left.max(edge.right) as usize) < nodes {
                of_node[edge.left as usize].push(number);
                of_node[edge.right as usize].push(number);
            }
        }
        Self { of_node, entered: vec![0; nodes], low: vec![0; nodes], clock: 0, found: Vec::new() }
    }

    fn enter(&mut self, node: usize) {
        self.clock += 1;
        self.entered[node] = self.clock;
        self.low[node] = self.clock;
    }

    fn visit(&mut self, start: usize, edges: &[Edge]) {
        // The node, the edge it was reached by, and the place in its list of edges.
        let mut path = vec![(start, usize::MAX, 0)];
        self.enter(start);
        while let Some((node, came_by, at)) = path.last_mut() {
            let (node, came_by) = (*node, *came_by);
            if let Some(number) = self.of_node[node].get(*at).copied() {
                *at += 1;
                let other = (edges[number].left ^ edges[number].right ^ node as u32) as usize;
                if number != came_by && self.entered[other] == 0 {
                    self.enter(other);
                    path.push((other, number, 0));
                } else if number != came_by {
                    self.low[node] = self.low[node].min(self.entered[other]);
                }
                continue;
            }
            path.pop();
            if let Some((above, _, _)) = path.last() {
                self.low[*above] = self.low[*above].min(self.low[node]);
                if self.low[node] > self.entered[*above] {
                    self.found.push(came_by);
                }
            }
        }
    }
}
