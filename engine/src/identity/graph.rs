//! Who is who: identifiers and the rows that carry them, joined into persons.
//!
//! Nodes are identifiers; rows join them. A source record joins all of its identifiers; an order joins its number
//! with the identifier it was placed under; a feedback row joins its identifier with its order.
//!
//! A record that the last refresh assigned to a person gives its identifiers to that person. An identifier that
//! two such persons hold is *contested*: it joins nothing, and a row under it belongs to the one who holds it in
//! the row's own source system, if that is one. A *blocked* identifier says nothing at all. All others are free:
//! a component of them belongs to the person with whom its rows share an identifier, if that is one, and is a
//! person of its own otherwise. The result depends on the set of rows only, not on their order.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::components::Components;
use super::key::{is_scoped, normalise};
use super::policy::{Policy, is_placeholder};

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

/// No person, no node.
const NONE: u32 = u32::MAX;

/// A row: its nodes are `links[from..to]`.
#[derive(Debug, Clone, Copy)]
struct Row {
    from: u32,
    to: u32,
    system: u32,
    /// The person that the last refresh gave a record.
    person: u32,
}

#[derive(Debug, Default)]
pub struct Graph {
    nodes: HashMap<Identifier, u32>,
    /// By node, the records that hold it.
    holders: Vec<u32>,
    links: Vec<u32>,
    rows: Vec<Row>,
    systems: HashMap<String, u32>,
    /// The persons of the last refresh.
    persons: Vec<String>,
    person_numbers: HashMap<String, u32>,
    policies: Vec<Policy>,
    blocked_by_user: HashSet<(String, String)>,
}

impl Graph {
    /// `blocked_by_user`: types and normal forms of values that somebody has blocked.
    pub fn new(policies: Vec<Policy>, blocked_by_user: HashSet<(String, String)>) -> Self {
        Self { policies, blocked_by_user, ..Self::default() }
    }

    /// A source record; `person` is whom the last refresh took it for. Returns the number of the row.
    pub fn add_record(
        &mut self,
        source_system: &str,
        identifiers: impl IntoIterator<Item = Identifier>,
        person: Option<&str>,
    ) -> u32 {
        let person = person.map_or(NONE, |person| self.person(person));
        let row = self.add(source_system, identifiers, person);
        for link in self.row_links(row) {
            self.holders[self.links[link] as usize] += 1;
        }
        row
    }

    /// A row of another table. Returns its number.
    pub fn add_row(&mut self, source_system: &str, identifiers: impl IntoIterator<Item = Identifier>) -> u32 {
        self.add(source_system, identifiers, NONE)
    }

    fn add(
        &mut self,
        source_system: &str,
        identifiers: impl IntoIterator<Item = Identifier>,
        person: u32,
    ) -> u32 {
        let from = self.links.len() as u32;
        for identifier in identifiers {
            let next = self.nodes.len() as u32;
            let node = *self.nodes.entry(identifier).or_insert(next);
            if node == next {
                self.holders.push(0);
            }
            self.links.push(node);
        }
        let system = match self.systems.get(source_system) {
            Some(known) => *known,
            None => {
                let next = self.systems.len() as u32;
                self.systems.insert(source_system.to_owned(), next);
                next
            }
        };
        self.rows.push(Row { from, to: self.links.len() as u32, system, person });
        self.rows.len() as u32 - 1
    }

    fn person(&mut self, person: &str) -> u32 {
        if let Some(known) = self.person_numbers.get(person) {
            return *known;
        }
        let next = self.persons.len() as u32;
        self.persons.push(person.to_owned());
        self.person_numbers.insert(person.to_owned(), next);
        next
    }

    fn row_links(&self, row: u32) -> std::ops::Range<usize> {
        self.rows.get(row as usize).map_or(0..0, |row| row.from as usize..row.to as usize)
    }

    /// Whether a value says nothing.
    fn is_blocked(&self, identifier: &Identifier, records: u32) -> bool {
        let Identifier { key_type, value, .. } = identifier;
        if is_scoped(key_type) {
            return false;
        }
        let by_user = !self.blocked_by_user.is_empty()
            && self.blocked_by_user.contains(&(key_type.clone(), value.clone()));
        let policy = self.policies.iter().find(|policy| policy.key_type == *key_type);
        by_user
            || is_placeholder(key_type, value)
            || policy.is_some_and(|policy| records > policy.most_records)
    }

    /// Ends the building: each person gets an id that only depends on who belongs to it.
    pub fn into_persons(self) -> Persons {
        let nodes = self.states();
        let contested = self.contested(&nodes);
        let mut components = Components::default();
        for _ in &nodes {
            components.add();
        }
        for row in self.rows.iter().filter(|row| row.person == NONE) {
            let free = self.links_of(row).iter().filter(|node| nodes[**node as usize] == State::Free);
            let mut first = None;
            for node in free {
                components.join(*first.get_or_insert(*node), *node);
            }
        }
        let owners = self.owners(&nodes, &contested, &mut components);
        self.finish(&nodes, &contested, &mut components, &owners)
    }

    fn links_of(&self, row: &Row) -> &[u32] {
        self.links.get(row.from as usize..row.to as usize).unwrap_or_default()
    }

    /// By node, to whom it belongs.
    fn states(&self) -> Vec<State> {
        let mut states = vec![State::Free; self.holders.len()];
        for (identifier, node) in &self.nodes {
            if self.is_blocked(identifier, self.holders[*node as usize]) {
                states[*node as usize] = State::Blocked;
            }
        }
        for row in self.rows.iter().filter(|row| row.person != NONE) {
            for node in self.links_of(row) {
                let state = &mut states[*node as usize];
                *state = match *state {
                    State::Free => State::Owned(row.person),
                    State::Owned(person) if person != row.person => State::Contested,
                    other => other,
                };
            }
        }
        states
    }

    /// By contested node and source system, the one person who holds it there; [`NONE`] when there are several.
    fn contested(&self, nodes: &[State]) -> HashMap<(u32, u32), u32> {
        let mut held: HashMap<(u32, u32), u32> = HashMap::new();
        for row in self.rows.iter().filter(|row| row.person != NONE) {
            for node in self.links_of(row) {
                if nodes[*node as usize] == State::Contested {
                    let person = held.entry((*node, row.system)).or_insert(row.person);
                    if *person != row.person {
                        *person = NONE;
                    }
                }
            }
        }
        held
    }

    /// By root of a free component, the person whose identifiers its rows share; [`NONE`] for several.
    fn owners(
        &self,
        nodes: &[State],
        contested: &HashMap<(u32, u32), u32>,
        components: &mut Components,
    ) -> HashMap<u32, u32> {
        let mut owners: HashMap<u32, u32> = HashMap::new();
        for row in self.rows.iter().filter(|row| row.person == NONE) {
            let links = self.links_of(row);
            let Some(free) = links.iter().find(|node| nodes[**node as usize] == State::Free) else {
                continue;
            };
            let root = components.find(*free);
            for node in links {
                if let Some(person) = owner(nodes, contested, *node, row.system) {
                    let known = owners.entry(root).or_insert(person);
                    if *known != person {
                        *known = NONE;
                    }
                }
            }
        }
        owners
    }

    /// By root of a free component, the number of its person; new persons are added to `ids`.
    fn free_persons(
        &self,
        nodes: &[State],
        components: &mut Components,
        owners: &HashMap<u32, u32>,
        ids: &mut Vec<String>,
    ) -> HashMap<u32, u32> {
        let mut anchors: HashMap<u32, &Identifier> = HashMap::new();
        for (identifier, node) in &self.nodes {
            if nodes[*node as usize] != State::Free {
                continue;
            }
            let anchor = anchors.entry(components.find(*node)).or_insert(identifier);
            if rank(identifier) < rank(anchor) {
                *anchor = identifier;
            }
        }
        let mut persons = HashMap::new();
        for (root, anchor) in anchors {
            let person = match owners.get(&root).filter(|owner| **owner != NONE) {
                Some(owner) => *owner,
                // An order that names nobody is nobody's; it must not become a person of its own.
                None if anchor.key_type == "order_id" => continue,
                None => {
                    ids.push(fresh_id(anchor, |id| self.person_numbers.contains_key(id)));
                    ids.len() as u32 - 1
                }
            };
            persons.insert(root, person);
        }
        persons
    }

    /// Identifiers that several persons hold, each with all of them.
    fn shared(&self, nodes: &[State]) -> Vec<(Identifier, u32)> {
        let is_contested = |node: u32| nodes[node as usize] == State::Contested;
        let rows = self.rows.iter().filter(|row| row.person != NONE);
        let held: BTreeSet<(u32, u32)> = rows
            .flat_map(|row| self.links_of(row).iter().map(|node| (*node, row.person)))
            .filter(|(node, _)| is_contested(*node))
            .collect();
        let mut shared = Vec::with_capacity(held.len());
        for (identifier, node) in self.nodes.iter().filter(|(_, node)| is_contested(**node)) {
            let holders = held.range((*node, 0)..=(*node, NONE));
            shared.extend(holders.map(|(_, person)| (identifier.clone(), *person)));
        }
        shared.sort();
        shared
    }

    fn finish(
        mut self,
        nodes: &[State],
        contested: &HashMap<(u32, u32), u32>,
        components: &mut Components,
        owners: &HashMap<u32, u32>,
    ) -> Persons {
        let mut ids = self.persons.clone();
        let free = self.free_persons(nodes, components, owners, &mut ids);
        let mut person_of = |node: u32, system: u32| match nodes[node as usize] {
            State::Free => free.get(&components.find(node)).copied(),
            _ => owner(nodes, contested, node, system),
        };
        let mut of_row = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            of_row.push(match row.person {
                NONE => {
                    self.links_of(row).iter().find_map(|node| person_of(*node, row.system)).unwrap_or(NONE)
                }
                person => person,
            });
        }
        let shared = self.shared(nodes);
        let mut identifiers = Vec::with_capacity(self.nodes.len());
        for (identifier, node) in std::mem::take(&mut self.nodes) {
            if let Some(person) = person_of(node, NONE) {
                identifiers.push((identifier, person));
            }
        }
        identifiers.sort();
        Persons { ids, of_row, identifiers, shared }
    }
}

/// To whom a node belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Owned(u32),
    Contested,
    Blocked,
}

/// The person of a node that is not free, as a row of a source system names it.
fn owner(nodes: &[State], contested: &HashMap<(u32, u32), u32>, node: u32, system: u32) -> Option<u32> {
    match nodes.get(node as usize)? {
        State::Owned(person) => Some(*person),
        State::Contested => contested.get(&(node, system)).copied().filter(|person| *person != NONE),
        State::Free | State::Blocked => None,
    }
}

/// Records before other identifiers, and orders last: the id of a person then survives a change of phone.
fn rank(identifier: &Identifier) -> (u8, &Identifier) {
    let rank = match identifier.key_type.as_str() {
        "record_id" => 0,
        "order_id" => 2,
        _ => 1,
    };
    (rank, identifier)
}

/// The id of a new person, made of the identifier that comes first; another one when it is taken.
pub fn fresh_id(anchor: &Identifier, taken: impl Fn(&str) -> bool) -> String {
    const NAMESPACE: uuid::Uuid = uuid::Uuid::from_u128(0x766f_7868_6f75_7365_0063_7573_746f_6d65);
    let scope = anchor.source_system.as_deref().unwrap_or("");
    let mut name = format!("{}\u{1f}{scope}\u{1f}{}", anchor.key_type, anchor.value);
    loop {
        let id = uuid::Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string();
        if !taken(&id) {
            return id;
        }
        name.push('\u{1f}');
    }
}

/// The persons of a graph.
#[derive(Debug)]
pub struct Persons {
    ids: Vec<String>,
    of_row: Vec<u32>,
    identifiers: Vec<(Identifier, u32)>,
    shared: Vec<(Identifier, u32)>,
}

impl Persons {
    /// The person of a row; `None` when nothing in it says who that is.
    pub fn customer_id(&self, row: u32) -> Option<&str> {
        self.id(*self.of_row.get(row as usize)?)
    }

    fn id(&self, person: u32) -> Option<&str> {
        self.ids.get(person as usize).map(String::as_str)
    }

    /// Every identifier that one person has, in order.
    pub fn identifiers(&self) -> impl Iterator<Item = (&Identifier, &str)> {
        self.named(&self.identifiers)
    }

    /// Identifiers that several persons have, each with all of them.
    pub fn shared(&self) -> impl Iterator<Item = (&Identifier, &str)> {
        self.named(&self.shared)
    }

    fn named<'a>(&'a self, list: &'a [(Identifier, u32)]) -> impl Iterator<Item = (&'a Identifier, &'a str)> {
        list.iter().filter_map(|(identifier, person)| Some((identifier, self.id(*person)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::defaults;
    use super::*;

    fn id(key_type: &str, value: &str) -> Identifier {
        Identifier::new(key_type, "shop", value).unwrap()
    }

    fn graph() -> Graph {
        Graph::new(defaults(), HashSet::new())
    }

    #[test]
    fn records_that_share_an_identifier_are_one_person_whatever_the_order() {
        let rows = [
            vec![id("record_id", "1"), id("phone", "13912345678")],
            vec![id("record_id", "2"), id("email", "a@b.cn")],
            vec![id("record_id", "3"), id("email", "A@b.cn"), id("phone", "+86 13912345678")],
            vec![id("record_id", "4"), id("phone", "13812345670")],
        ];
        let persons = |order: &[usize]| {
            let mut graph = graph();
            let mut numbers = vec![0; rows.len()];
            for row in order {
                numbers[*row] = graph.add_record("shop", rows[*row].clone(), None);
            }
            let persons = graph.into_persons();
            numbers.iter().map(|row| persons.customer_id(*row).unwrap().to_owned()).collect::<Vec<_>>()
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

    #[test]
    fn a_number_that_too_many_hold_joins_nobody() {
        let mut graph = graph();
        let rows: Vec<u32> = (0..31)
            .map(|n| {
                let identifiers = [id("record_id", &n.to_string()), id("phone", "4008001234")];
                graph.add_record("shop", identifiers, None)
            })
            .collect();
        let call = graph.add_row("shop", [id("phone", "400-800-1234")]);
        let persons = graph.into_persons();
        let found: HashSet<&str> = rows.iter().filter_map(|row| persons.customer_id(*row)).collect();
        assert_eq!(found.len(), 31);
        assert_eq!(persons.customer_id(call), None);
    }

    #[test]
    fn rows_follow_the_persons_of_the_last_refresh() {
        let mut graph = graph();
        graph.add_record("shop", [id("record_id", "1"), id("phone", "13912345678")], Some("ann"));
        graph.add_record("wechat", [id("record_id", "w"), id("phone", "13912345678")], Some("bob"));
        graph.add_record("shop", [id("record_id", "2"), id("email", "ann@x.cn")], Some("ann"));
        let by_phone = graph.add_row("shop", [id("phone", "13912345678"), id("order_id", "o1")]);
        let elsewhere = graph.add_row("hotline", [id("phone", "13912345678")]);
        let by_email = graph.add_row("mail", [id("email", "ann@x.cn")]);
        let by_order = graph.add_row("shop", [id("member_no", "77"), id("order_id", "o1")]);
        let new = graph.add_record("shop", [id("record_id", "3"), id("member_no", "77")], None);
        let torn = graph.add_record(
            "shop",
            [id("record_id", "4"), id("email", "ann@x.cn"), id("phone", "13912345678")],
            None,
        );
        let persons = graph.into_persons();
        for row in [by_phone, by_email, by_order, new, torn] {
            assert_eq!(persons.customer_id(row), Some("ann"), "row {row}");
        }
        assert_eq!(persons.customer_id(elsewhere), None, "two persons hold the number");
        assert_eq!(persons.shared().count(), 2);
    }

    #[test]
    fn a_new_record_does_not_glue_two_persons() {
        let mut graph = graph();
        graph.add_record("shop", [id("record_id", "1"), id("phone", "13912345678")], Some("ann"));
        graph.add_record("shop", [id("record_id", "2"), id("email", "bob@x.cn")], Some("bob"));
        let both = graph.add_record(
            "shop",
            [id("record_id", "3"), id("email", "bob@x.cn"), id("phone", "13912345678")],
            None,
        );
        let persons = graph.into_persons();
        assert!(!["ann", "bob"].contains(&persons.customer_id(both).unwrap()));
    }

    #[test]
    fn an_id_that_is_taken_is_not_given_again() {
        let anchor = id("record_id", "1");
        let first = fresh_id(&anchor, |_| false);
        let second = fresh_id(&anchor, |id| id == first);
        assert_ne!(first, second);
    }
}
