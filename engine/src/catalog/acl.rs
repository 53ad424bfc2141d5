//! Access control lists: who may do what with an object, and who said so.
//!
//! As in PostgreSQL an object without a list has the default of its class, and a list is written out in full,
//! the owner's own privileges included, when the first GRANT or REVOKE changes it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One right on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Privilege {
    Insert,
    Select,
    Update,
    Delete,
    Truncate,
    References,
    Trigger,
    Execute,
    Usage,
    Create,
    Temporary,
    Connect,
}

/// In the order in which PostgreSQL prints the letters of an ACL item.
const LETTERS: [(Privilege, char, &str); 12] = [
    (Privilege::Insert, 'a', "INSERT"),
    (Privilege::Select, 'r', "SELECT"),
    (Privilege::Update, 'w', "UPDATE"),
    (Privilege::Delete, 'd', "DELETE"),
    (Privilege::Truncate, 'D', "TRUNCATE"),
    (Privilege::References, 'x', "REFERENCES"),
    (Privilege::Trigger, 't', "TRIGGER"),
    (Privilege::Execute, 'X', "EXECUTE"),
    (Privilege::Usage, 'U', "USAGE"),
    (Privilege::Create, 'C', "CREATE"),
    (Privilege::Temporary, 'T', "TEMPORARY"),
    (Privilege::Connect, 'c', "CONNECT"),
];

impl Privilege {
    pub fn all() -> impl Iterator<Item = Privilege> {
        LETTERS.iter().map(|(privilege, ..)| *privilege)
    }

    /// The privilege of a word of GRANT, in any case; `TEMP` is TEMPORARY.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = if word.eq_ignore_ascii_case("temp") { "TEMPORARY" } else { word };
        LETTERS
            .iter()
            .find(|(_, _, known)| known.eq_ignore_ascii_case(word))
            .map(|(privilege, ..)| *privilege)
    }

    pub fn word(self) -> &'static str {
        LETTERS.iter().find(|(known, ..)| *known == self).map_or("", |(_, _, word)| word)
    }

    fn letter(self) -> char {
        LETTERS.iter().find(|(known, ..)| *known == self).map_or('?', |(_, letter, _)| *letter)
    }
}

/// A set of privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrivilegeSet(u16);

impl PrivilegeSet {
    pub const NONE: Self = Self(0);

    pub const fn of(privileges: &[Privilege]) -> Self {
        let mut bits = 0;
        let mut next = 0;
        while next < privileges.len() {
            bits |= 1 << privileges[next] as u16;
            next += 1;
        }
        Self(bits)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u16) != 0
    }

    pub fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        Privilege::all().filter(move |privilege| self.contains(*privilege))
    }
}

impl From<Privilege> for PrivilegeSet {
    fn from(privilege: Privilege) -> Self {
        Self::of(&[privilege])
    }
}

/// What privileges can be granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectClass {
    /// Tables, views, materialised views.
    Relation,
    Column,
    Sequence,
    Function,
    Schema,
    Pipe,
    Database,
}

impl ObjectClass {
    /// Every privilege there is on an object of the class: what ALL means.
    pub const fn all(self) -> PrivilegeSet {
        use Privilege::*;
        match self {
            ObjectClass::Relation => {
                PrivilegeSet::of(&[Insert, Select, Update, Delete, Truncate, References, Trigger])
            }
            ObjectClass::Column => PrivilegeSet::of(&[Insert, Select, Update, References]),
            ObjectClass::Sequence => PrivilegeSet::of(&[Select, Update, Usage]),
            ObjectClass::Function => PrivilegeSet::of(&[Execute]),
            ObjectClass::Schema => PrivilegeSet::of(&[Usage, Create]),
            ObjectClass::Pipe => PrivilegeSet::of(&[Usage]),
            ObjectClass::Database => PrivilegeSet::of(&[Create, Temporary, Connect]),
        }
    }

    /// What everybody may do with a new object of the class.
    pub const fn open_to_public(self) -> PrivilegeSet {
        match self {
            ObjectClass::Function => PrivilegeSet::of(&[Privilege::Execute]),
            ObjectClass::Database => PrivilegeSet::of(&[Privilege::Temporary, Privilege::Connect]),
            _ => PrivilegeSet::NONE,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            ObjectClass::Relation => "relation",
            ObjectClass::Column => "column",
            ObjectClass::Sequence => "sequence",
            ObjectClass::Function => "function",
            ObjectClass::Schema => "schema",
            ObjectClass::Pipe => "pipe",
            ObjectClass::Database => "database",
        }
    }
}

/// What one role granted to another, or to everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AclItem {
    /// `None`: PUBLIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub by: String,
    #[serde(with = "letters")]
    pub rights: Rights,
}

/// Privileges, and those of them that the holder may pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    pub held: PrivilegeSet,
    /// Part of `held`, but for the owner, who may always grant.
    pub grantable: PrivilegeSet,
}

impl Rights {
    pub fn plain(held: PrivilegeSet) -> Self {
        Self { held, grantable: PrivilegeSet::NONE }
    }

    fn is_empty(self) -> bool {
        self.held.is_empty() && self.grantable.is_empty()
    }
}

/// PostgreSQL's letters; a star behind one that may be passed on.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for privilege in self.held.union(self.grantable).iter() {
            write!(f, "{}", privilege.letter())?;
            if self.grantable.contains(privilege) {
                f.write_str("*")?;
            }
        }
        Ok(())
    }
}

mod letters {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{LETTERS, PrivilegeSet, Rights};

    pub(super) fn serialize<S: Serializer>(rights: &Rights, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(rights)
    }

    /// A letter of a later release is left out: what is not understood is not granted.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rights, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut rights = Rights::default();
        let mut last = PrivilegeSet::NONE;
        for letter in text.chars() {
            if letter == '*' {
                rights.grantable = rights.grantable.union(last);
                continue;
            }
            last = LETTERS
                .iter()
                .find(|(_, known, _)| *known == letter)
                .map_or(PrivilegeSet::NONE, |(privilege, ..)| (*privilege).into());
            rights.held = rights.held.union(last);
        }
        Ok(rights)
    }
}

/// `ana=r/voxhouse`, as PostgreSQL prints it.
impl fmt::Display for AclItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(role) = &self.to {
            f.write_str(&quoted(role))?;
        }
        write!(f, "={}/{}", self.rights, quoted(&self.by))
    }
}

fn quoted(role: &str) -> String {
    let plain = role.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if plain { role.to_owned() } else { format!("\"{}\"", role.replace('"', "\"\"")) }
}

/// The items of one object, at most one a pair of grantee and grantor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acl(pub Vec<AclItem>);

impl Acl {
    /// What an object of a class has that nobody granted anything on.
    pub fn default_of(class: ObjectClass, owner: &str) -> Self {
        let mut acl = Self::default();
        acl.add(None, owner, Rights::plain(class.open_to_public()));
        if class != ObjectClass::Column {
            acl.add(Some(owner), owner, Rights::plain(class.all()));
        }
        acl
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, to: Option<&str>, by: &str) -> Option<usize> {
        self.0.iter().position(|item| item.to.as_deref() == to && item.by == by)
    }

    pub fn add(&mut self, to: Option<&str>, by: &str, rights: Rights) {
        if rights.is_empty() {
            return;
        }
        match self.place(to, by) {
            Some(place) => {
                let known = &mut self.0[place].rights;
                known.held = known.held.union(rights.held);
                known.grantable = known.grantable.union(rights.grantable);
            }
            None => self.0.push(AclItem { to: to.map(str::to_owned), by: by.to_owned(), rights }),
        }
    }

    /// Takes privileges away, or with `option_only` no more than the right to pass them on.
    pub fn take(&mut self, to: Option<&str>, by: &str, privileges: PrivilegeSet, option_only: bool) {
        let Some(place) = self.place(to, by) else { return };
        let rights = &mut self.0[place].rights;
        rights.grantable = rights.grantable.without(privileges);
        if !option_only {
            rights.held = rights.held.without(privileges);
        }
        self.0.retain(|item| !item.rights.is_empty());
    }

    pub fn merge(&mut self, other: &Acl) {
        for item in &other.0 {
            self.add(item.to.as_deref(), &item.by, item.rights);
        }
    }

    /// What a role may pass on by grants of others.
    pub fn grantable_by(&self, role: &str) -> PrivilegeSet {
        let own = self.0.iter().filter(|item| item.to.as_deref() == Some(role));
        own.fold(PrivilegeSet::NONE, |all, item| all.union(item.rights.grantable))
    }

    /// Another role in the place of one, as grantee and grantor.
    #[must_use]
    pub fn with_role_replaced(&self, old: &str, new: &str) -> Self {
        let mut replaced = Self::default();
        for item in &self.0 {
            let to = item.to.as_deref().map(|to| if to == old { new } else { to });
            let by = if item.by == old { new } else { &item.by };
            replaced.add(to, by, item.rights);
        }
        replaced
    }

    pub fn names(&self, role: &str) -> bool {
        self.0.iter().any(|item| item.to.as_deref() == Some(role) || item.by == role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_printed_and_read_in_postgresql_letters() {
        let mut acl = Acl::default_of(ObjectClass::Relation, "voxhouse");
        let select = PrivilegeSet::from(Privilege::Select);
        acl.add(Some("Ana B"), "voxhouse", Rights { held: select, grantable: select });
        acl.add(None, "voxhouse", Rights::plain(PrivilegeSet::of(&[Privilege::Insert, Privilege::Update])));
        let shown: Vec<String> = acl.0.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["voxhouse=arwdDxt/voxhouse", "\"Ana B\"=r*/voxhouse", "=aw/voxhouse"]);
        let text = serde_json::to_string(&acl).unwrap();
        assert_eq!(serde_json::from_str::<Acl>(&text).unwrap(), acl, "{text}");
    }

    #[test]
    fn a_privilege_of_a_later_release_is_not_granted() {
        let item: AclItem = serde_json::from_str(r#"{"to":"ana","by":"voxhouse","rights":"rm*"}"#).unwrap();
        assert_eq!(item.rights, Rights::plain(Privilege::Select.into()));
    }

    #[test]
    fn what_is_taken_goes_with_the_right_to_pass_it_on() {
        let both = PrivilegeSet::of(&[Privilege::Select, Privilege::Insert]);
        let mut acl = Acl::default();
        acl.add(Some("ana"), "voxhouse", Rights { held: both, grantable: both });
        acl.take(Some("ana"), "voxhouse", Privilege::Select.into(), true);
        assert_eq!(acl.0[0].to_string(), "ana=a*r/voxhouse");
        acl.take(Some("ana"), "voxhouse", both, false);
        assert!(acl.is_empty());
    }
}
