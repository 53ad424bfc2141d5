//! Connected components of a graph whose nodes are numbered from 0: union–find with path halving.

#[derive(Debug, Default)]
pub struct Components {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Components {
    /// A node of its own.
    pub fn add(&mut self) -> u32 {
        let node = self.parent.len() as u32;
        self.parent.push(node);
        self.size.push(1);
        node
    }

    pub fn find(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    pub fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.find(left), self.find(right));
        if left == right {
            return;
        }
        let (big, small) =
            if self.size[left as usize] >= self.size[right as usize] { (left, right) } else { (right, left) };
        self.parent[small as usize] = big;
        self.size[big as usize] += self.size[small as usize];
    }

    pub fn len(&self) -> usize {
        self.parent.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_are_joined_share_a_root() {
        let mut graph = Components::default();
        let nodes: Vec<u32> = (0..6).map(|_| graph.add()).collect();
        graph.join(nodes[0], nodes[1]);
        graph.join(nodes[4], nodes[5]);
        graph.join(nodes[1], nodes[5]);
        assert_eq!(graph.find(nodes[0]), graph.find(nodes[4]));
        assert_ne!(graph.find(nodes[0]), graph.find(nodes[2]));
    }
}
