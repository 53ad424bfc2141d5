//! Connected components of numbered nodes: union–find with path halving; the smaller number becomes the root,
//! so that a component is named by its least node whatever the order of the edges.

#[derive(Debug, Clone, Default)]
pub(crate) struct UnionFind {
    parent: Vec<u32>,
}

impl UnionFind {
    /// Nodes `0..nodes`, each on its own.
    pub(crate) fn new(nodes: usize) -> Self {
        Self { parent: (0..nodes as u32).collect() }
    }

    /// The least node of the component of `node`; a node that does not exist is its own component.
    pub(crate) fn find(&mut self, mut node: u32) -> u32 {
        let parent = self.parent.as_mut_slice();
        if node as usize >= parent.len() {
            return node;
        }
        while parent[node as usize] != node {
            let above = parent[parent[node as usize] as usize];
            parent[node as usize] = above;
            node = above;
        }
        node
    }

    /// Joins two components; false when they were one. An edge to a node that does not exist is no edge.
    pub(crate) fn join(&mut self, left: u32, right: u32) -> bool {
        if left.max(right) as usize >= self.parent.len() {
            return false;
        }
        let (left, right) = (self.find(left), self.find(right));
        self.parent[left.max(right) as usize] = left.min(right);
        left != right
    }

    /// By node, the least node of its component.
    pub(crate) fn into_labels(mut self) -> Vec<u32> {
        for node in 0..self.parent.len() {
            // A parent is never greater, and the ones below are labels already.
            self.parent[node] = self.parent[self.parent[node] as usize];
        }
        self.parent
    }

    pub(crate) fn len(&self) -> usize {
        self.parent.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parent.is_empty()
    }
}
