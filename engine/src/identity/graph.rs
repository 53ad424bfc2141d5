//! Who is who: identifiers and the rows that carry them, joined into persons.
//!
//! Nodes are identifiers. A source record joins all of its identifiers; an order joins its number with the
//! identifier it was placed under; a feedback row joins its identifier with its order. A person is a connected
//! component. The result depends on the set of rows only, not on their order.

use std::collections::HashMap;

use super::components::Components;
use super::key::{is_scoped, normalise};

/// An identifier: its type, the source system for types that need one, and its normal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    pub key_type: String,
    pub source_system: Option<String>,
    pub value: String,
}

impl Identifier {
    pub fn new(key_type: &str, source_system: &str, value: &str) -> Option<Self> {
        let value = normalise(key_type, value)?;
        let source_system = is_scoped(key_type).then(|| source_system.to_owned());
        Some(Self { key_type: key_type.to_owned(), source_system, value })
    }
}

#[derive(Debug, Default)]
pub struct Graph {
    nodes: HashMap<Identifier, u32>,
    components: Components,
}

impl Graph {
    /// The node of an identifier; the same for the same identifier.
    pub fn node(&mut self, identifier: Identifier) -> u32 {
        let components = &mut self.components;
        *self.nodes.entry(identifier).or_insert_with(|| components.add())
    }

    /// Says that all of these belong to one person. Returns a node of that person, if there is any.
    pub fn join(&mut self, identifiers: impl IntoIterator<Item = Identifier>) -> Option<u32> {
        let mut first = None;
        for identifier in identifiers {
            let node = self.node(identifier);
            match first {
                None => first = Some(node),
                Some(first) => self.components.join(first, node),
            }
        }
        first
    }

    /// Ends the building: each person gets an id that only depends on who belongs to it.
    pub fn into_persons(mut self) -> Persons {
        let mut anchors: HashMap<u32, &Identifier> = HashMap::new();
        for (identifier, node) in &self.nodes {
            let root = self.components.find(*node);
            let anchor = anchors.entry(root).or_insert(identifier);
            if rank(identifier) < rank(anchor) {
                *anchor = identifier;
            }
        }
        let ids: HashMap<u32, String> =
            anchors.into_iter().map(|(root, anchor)| (root, customer_id(anchor))).collect();
        let of_node = (0..self.components.len() as u32)
            .map(|node| ids.get(&self.components.find(node)).cloned().unwrap_or_default())
            .collect();
        let mut identifiers: Vec<(Identifier, u32)> = self.nodes.into_iter().collect();
        identifiers.sort();
        Persons { of_node, identifiers }
    }
}

/// Records before other identifiers: the id of a person then survives a change of phone.
fn rank(identifier: &Identifier) -> (bool, &Identifier) {
    (identifier.key_type != "record_id", identifier)
}

fn customer_id(anchor: &Identifier) -> String {
    const NAMESPACE: uuid::Uuid = uuid::Uuid::from_u128(0x766f_7868_6f75_7365_0063_7573_746f_6d65);
    let scope = anchor.source_system.as_deref().unwrap_or("");
    let name = format!("{}\u{1f}{scope}\u{1f}{}", anchor.key_type, anchor.value);
    uuid::Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

/// The persons of a graph.
#[derive(Debug)]
pub struct Persons {
    of_node: Vec<String>,
    identifiers: Vec<(Identifier, u32)>,
}

impl Persons {
    /// The person of a node.
    pub fn customer_id(&self, node: u32) -> &str {
        &self.of_node[node as usize]
    }

    /// Every identifier and its person, in order.
    pub fn identifiers(&self) -> impl Iterator<Item = (&Identifier, &str)> {
        self.identifiers.iter().map(|(identifier, node)| (identifier, self.customer_id(*node)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key_type: &str, value: &str) -> Identifier {
        Identifier::new(key_type, "shop", value).unwrap()
    }

    #[test]
    fn records_that_share_an_identifier_are_one_person_whatever_the_order() {
        let rows = [
            vec![id("record_id", "1"), id("phone", "13912345678")],
            vec![id("record_id", "2"), id("email", "a@b.cn")],
            vec![id("record_id", "3"), id("email", "A@b.cn"), id("phone", "+86 13912345678")],
            vec![id("record_id", "4"), id("phone", "13800000000")],
        ];
        let persons = |order: &[usize]| {
            let mut graph = Graph::default();
            let mut nodes = vec![0; rows.len()];
            for row in order {
                nodes[*row] = graph.join(rows[*row].clone()).unwrap();
            }
            let persons = graph.into_persons();
            nodes.iter().map(|node| persons.customer_id(*node).to_owned()).collect::<Vec<_>>()
        };
        let forward = persons(&[0, 1, 2, 3]);
        assert_eq!(forward, persons(&[3, 2, 1, 0]));
        assert_eq!((&forward[0], &forward[1]), (&forward[1], &forward[2]));
        assert_ne!(forward[0], forward[3]);
    }

    #[test]
    fn a_record_number_means_nothing_in_another_system() {
        let one = Identifier::new("record_id", "shop", "7").unwrap();
        let other = Identifier::new("record_id", "wechat", "7").unwrap();
        assert_ne!(one, other);
        assert_eq!(Identifier::new("phone", "shop", "1"), Identifier::new("phone", "wechat", "1"));
    }
}
