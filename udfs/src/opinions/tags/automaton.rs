//! All occurrences of many terms in one pass: the automaton of Aho and Corasick (1975) on characters.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use crate::opinions::sentence::fold;
use crate::opinions::terms::FastMap;

/// An occurrence of a term, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) term: usize,
    pub(crate) span: Range<usize>,
}

#[derive(Debug, Default)]
struct Node {
    /// The node of the longest proper ending that is a node.
    fall: usize,
    /// The nearest node on the way of falls where a term ends.
    next_end: usize,
    term: Option<usize>,
    depth: usize,
}

/// Terms by number.
#[derive(Debug)]
pub(crate) struct Automaton {
    nodes: Vec<Node>,
    edges: FastMap<(usize, char), usize>,
    numbers: HashMap<Box<[char]>, usize>,
}

impl Default for Automaton {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], edges: FastMap::default(), numbers: HashMap::new() }
    }
}

impl Automaton {
    /// The number of a term, new or known. [`Automaton::link`] must follow the last.
    pub(crate) fn insert(&mut self, term: &str) -> usize {
        let chars: Box<[char]> = term.chars().map(fold).collect();
        if let Some(&number) = self.numbers.get(&chars) {
            return number;
        }
        let mut node = 0;
        for &c in &chars {
            let depth = self.nodes[node].depth + 1;
            node = if let Some(&next) = self.edges.get(&(node, c)) {
                next
            } else {
                self.nodes.push(Node { depth, ..Node::default() });
                self.edges.insert((node, c), self.nodes.len() - 1);
                self.nodes.len() - 1
            };
        }
        let number = self.numbers.len();
        self.nodes[node].term = Some(number);
        self.numbers.insert(chars, number);
        number
    }

    pub(crate) fn terms(&self) -> usize {
        self.numbers.len()
    }

    /// Fills in the falls, breadth first.
    pub(crate) fn link(&mut self) {
        let mut children: Vec<Vec<(char, usize)>> = vec![Vec::new(); self.nodes.len()];
        for (&(from, c), &to) in &self.edges {
            children[from].push((c, to));
        }
        let mut queue: VecDeque<usize> = children[0].iter().map(|&(_, child)| child).collect();
        while let Some(node) = queue.pop_front() {
            for &(c, child) in &children[node] {
                let fall = self.step(self.nodes[node].fall, c);
                self.nodes[child].fall = fall;
                let ends = self.nodes[fall].term.is_some();
                self.nodes[child].next_end = if ends { fall } else { self.nodes[fall].next_end };
                queue.push_back(child);
            }
        }
    }

    fn step(&self, mut node: usize, c: char) -> usize {
        loop {
            if let Some(&next) = self.edges.get(&(node, c)) {
                return next;
            }
            if node == 0 {
                return 0;
            }
            node = self.nodes[node].fall;
        }
    }

    /// The occurrences in `chars`, which are folded, in the order of their ends.
    pub(crate) fn find(&self, chars: &[char], found: &mut Vec<Occurrence>) {
        found.clear();
        let mut node = 0;
        for (place, &c) in chars.iter().enumerate() {
            node = self.step(node, c);
            let mut end = if self.nodes[node].term.is_some() { node } else { self.nodes[node].next_end };
            while let Some(term) = self.nodes[end].term {
                let span = place + 1 - self.nodes[end].depth..place + 1;
                if stands_alone(chars, &span) {
                    found.push(Occurrence { term, span });
                }
                end = self.nodes[end].next_end;
            }
        }
    }
}

/// Whether no Latin word or number goes on over either edge.
fn stands_alone(chars: &[char], span: &Range<usize>) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_alphanumeric);
    let before = letter(Some(span.start)) && letter(span.start.checked_sub(1));
    let behind = letter(span.end.checked_sub(1)) && letter(Some(span.end));
    !before && !behind
}
