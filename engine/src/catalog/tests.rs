//! Privileges without a store: drafts over drafts.

use super::access::{Access, Follow, Secured};
use super::acl::{ObjectClass, Privilege};
use super::ddl::{Ddl, Draft, Effect, Grant, GrantTarget, GrantedPrivilege, NewTable, RoleDdl, RoleOptions};
use super::{CatalogSnapshot, Column, Object, QualifiedName, Relation, SqlType};
use crate::error::Result;

/// A catalog that grows by one statement at a time.
struct World(CatalogSnapshot);

impl World {
    fn new() -> Self {
        let mut world = World(CatalogSnapshot::default());
        let first = RoleOptions { superuser: Some(true), ..RoleOptions::default() };
        world.run("voxhouse", &create_role("voxhouse", first)).unwrap();
        for role in ["ana", "bob", "carl"] {
            world.run("voxhouse", &create_role(role, RoleOptions::default())).unwrap();
        }
        let schema = Ddl::CreateSchema { name: "s".into(), owner: None, if_not_exists: false };
        world.run("voxhouse", &schema).unwrap();
        world.run("voxhouse", &create_table("t")).unwrap();
        world
    }

    fn run(&mut self, role: &str, ddl: &Ddl) -> Result<Effect> {
        let mut draft = Draft::new(&self.0, role);
        let effect = draft.apply(ddl)?;
        self.0 = draft.snapshot().as_ref().clone();
        Ok(effect)
    }

    fn fails(&mut self, role: &str, ddl: &Ddl) -> &'static str {
        self.run(role, ddl).unwrap_err().sqlstate()
    }

    fn reads(&self, role: &str) -> bool {
        Access::of(&self.0, role).may(&self.0.secured_relation(&table()), Privilege::Select)
    }

    fn acl(&self) -> String {
        let items = self.0.secured_relation(&table()).full_acl().into_owned();
        items.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

fn table() -> QualifiedName {
    QualifiedName::new("s", "t")
}

fn create_role(name: &str, options: RoleOptions) -> Ddl {
    let name = name.to_owned();
    Ddl::Role(RoleDdl::Create { name, options, in_roles: vec![], members: vec![], if_not_exists: false })
}

fn create_table(name: &str) -> Ddl {
    let columns = vec![Column::new("a", SqlType::BigInt), Column::new("b", SqlType::Text)];
    let table = NewTable { columns, ..NewTable::default() };
    Ddl::CreateTable {
        name: QualifiedName::new("s", name),
        table,
        location: format!("s/{name}"),
        if_not_exists: false,
    }
}

fn select(to: Option<&str>) -> Grant {
    Grant {
        revoke: false,
        privileges: vec![GrantedPrivilege { privilege: Some(Privilege::Select), columns: vec![] }],
        targets: vec![GrantTarget::Relation(table())],
        roles: vec![to.map(str::to_owned)],
        grant_option: false,
        cascade: false,
        granted_by: None,
    }
}

fn member(role: &str, of: &str) -> Ddl {
    Ddl::Role(RoleDdl::Grant { roles: vec![of.into()], to: vec![role.into()], admin: false })
}

#[test]
fn a_role_has_what_it_inherits() {
    let mut world = World::new();
    world.run("voxhouse", &Ddl::Grant(select(Some("carl")))).unwrap();
    world.run("voxhouse", &member("bob", "carl")).unwrap();
    world.run("voxhouse", &member("ana", "bob")).unwrap();
    assert!(world.reads("ana") && world.reads("bob") && world.reads("carl"));
    let options = RoleOptions { inherit: Some(false), ..RoleOptions::default() };
    world.run("voxhouse", &Ddl::Role(RoleDdl::Alter { name: "bob".into(), options })).unwrap();
    assert!(!world.reads("ana") && !world.reads("bob"));
    assert!(world.0.roles_of("ana", Follow::Every).contains("carl"));
    assert_eq!(world.fails("voxhouse", &member("carl", "ana")), "0LP01");
}

#[test]
fn grants_hang_on_the_grants_that_they_come_from() {
    let mut world = World::new();
    assert_eq!(world.fails("ana", &Ddl::Grant(select(Some("bob")))), "42501");
    let passing_on = |to| Ddl::Grant(Grant { grant_option: true, ..select(Some(to)) });
    world.run("voxhouse", &passing_on("ana")).unwrap();
    world.run("ana", &passing_on("bob")).unwrap();
    world.run("bob", &Ddl::Grant(select(Some("carl")))).unwrap();
    assert_eq!(world.acl(), "voxhouse=arwdDxt/voxhouse ana=r*/voxhouse bob=r*/ana carl=r/bob");
    assert_eq!(world.fails("bob", &passing_on("ana")), "0LP01", "in a circle");
    let revoke = Grant { revoke: true, ..select(Some("ana")) };
    assert_eq!(world.fails("voxhouse", &Ddl::Grant(revoke.clone())), "2BP01");
    world.run("voxhouse", &Ddl::Grant(Grant { cascade: true, ..revoke })).unwrap();
    assert_eq!(world.acl(), "voxhouse=arwdDxt/voxhouse");
    assert!(!world.reads("carl"));
}

#[test]
fn a_role_that_is_needed_stays() {
    let mut world = World::new();
    let drop = Ddl::Role(RoleDdl::Drop { names: vec!["ana".into()], if_exists: false });
    world.run("voxhouse", &Ddl::Grant(select(Some("ana")))).unwrap();
    assert_eq!(world.fails("voxhouse", &drop), "2BP01");
    world.run("voxhouse", &Ddl::Grant(Grant { revoke: true, ..select(Some("ana")) })).unwrap();
    world.run("voxhouse", &member("ana", "bob")).unwrap();
    world.run("voxhouse", &drop).unwrap();
    assert!(world.0.role("ana").is_none());
}

#[test]
fn everybody_means_everybody_and_the_owner_can_do_without() {
    let mut world = World::new();
    assert!(!world.reads("bob"));
    world.run("voxhouse", &Ddl::Grant(select(None))).unwrap();
    assert!(world.reads("bob"));
    // Even an owner holds what the list says, but always gives it back to itself.
    let owner = super::ddl::OwnerDdl::Change {
        target: super::ddl::OwnedTarget::Relation { name: table(), kind: super::ddl::DropKind::Table },
        to: "ana".into(),
    };
    world.run("voxhouse", &Ddl::Owner(owner)).unwrap();
    assert_eq!(world.acl(), "ana=arwdDxt/ana =r/ana");
    world.run("ana", &Ddl::Grant(Grant { revoke: true, ..select(Some("ana")) })).unwrap();
    world.run("ana", &Ddl::Grant(Grant { revoke: true, ..select(None) })).unwrap();
    assert!(!world.reads("ana"));
    world.run("ana", &Ddl::Grant(select(Some("ana")))).unwrap();
    assert!(world.reads("ana"));
}

#[test]
fn createrole_is_no_way_to_the_top() {
    let mut world = World::new();
    let maker = RoleOptions { create_role: Some(true), ..RoleOptions::default() };
    world.run("voxhouse", &create_role("maker", maker)).unwrap();
    world.run("voxhouse", &member("carl", "voxhouse_monitor")).unwrap();
    world.run("maker", &create_role("made", RoleOptions::default())).unwrap();
    world.run("maker", &member("made", "bob")).unwrap();
    let superuser = RoleOptions { superuser: Some(true), ..RoleOptions::default() };
    let password = RoleOptions { verifier: Some(None), ..RoleOptions::default() };
    let alter = |name: &str, options: &RoleOptions| {
        Ddl::Role(RoleDdl::Alter { name: name.into(), options: options.clone() })
    };
    for ddl in [
        create_role("root", superuser.clone()),
        alter("made", &superuser),
        alter("voxhouse", &password),
        alter("carl", &password),
        member("maker", "voxhouse"),
        member("maker", "voxhouse_monitor"),
        member("maker", "carl"),
        member("made", "pg_read_all_data"),
    ] {
        assert_eq!(world.fails("maker", &ddl), "42501", "{ddl:?}");
    }
    world.run("maker", &alter("made", &password)).unwrap();
}

#[test]
fn what_is_made_gets_the_default_privileges_of_its_maker() {
    let mut world = World::new();
    let grant = super::ddl::DefaultGrant {
        for_roles: vec!["voxhouse".into()],
        schemas: vec!["s".into()],
        class: ObjectClass::Relation,
        revoke: false,
        privileges: select(None).privileges,
        roles: vec![Some("ana".into())],
        grant_option: false,
        cascade: false,
    };
    world.run("voxhouse", &Ddl::DefaultPrivileges(grant)).unwrap();
    world.run("voxhouse", &create_table("later")).unwrap();
    let later = world.0.relation(&QualifiedName::new("s", "later")).map(Secured::relation).unwrap();
    assert!(Access::of(&world.0, "ana").may(&later, Privilege::Select));
    assert!(!world.reads("ana"), "what was there before stays as it was");
}

#[test]
fn a_catalog_of_before_is_read_as_it_was_meant() {
    let role = r#"{"kind":"role","oid":16384,"name":"ana","superuser":false,"login":true}"#;
    let Object::Role(role) = serde_json::from_str(role).unwrap() else { panic!("not a role") };
    assert!(
        role.inherit && !role.create_role && role.connection_limit.is_none() && role.member_of.is_empty()
    );
    let view = r#"{"kind":"view","oid":16385,"schema":"s","name":"v","owner":"voxhouse","query":"SELECT 1 AS a",
        "columns":[{"name":"a","type":"bigint"}]}"#;
    let Object::View(view) = serde_json::from_str(view).unwrap() else { panic!("not a view") };
    assert_eq!((&view.acl, &view.columns[0].acl), (&None, &None));
    let catalog = CatalogSnapshot::default();
    assert!(
        Access::of(&catalog, "voxhouse").may(&Secured::relation(Relation::View(&view)), Privilege::Select)
    );
    assert!(!Access::of(&catalog, "ana").may(&Secured::relation(Relation::View(&view)), Privilege::Select));
}
