//! Access control lists as PostgreSQL shows them.

use voxhouse_engine::catalog::access::Secured;
use voxhouse_engine::catalog::acl::{Acl, PrivilegeSet};
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName};

/// The items of a list, as `aclitem` prints them.
pub(super) fn items(acl: &Acl) -> Vec<String> {
    acl.0.iter().map(ToString::to_string).collect()
}

/// `None`, as in PostgreSQL, for an object that has the default of its class.
pub(super) fn shown(object: &Secured<'_>) -> Option<Vec<String>> {
    let is_plain =
        object.acl.is_none() && object.open == object.class.open_to_public() && object.reader.is_none();
    (!is_plain).then(|| items(&object.full_acl()))
}

/// One privilege that one role has from another.
pub(super) struct Granted {
    pub(super) grantor: String,
    /// `None`: PUBLIC.
    pub(super) grantee: Option<String>,
    pub(super) privilege: &'static str,
    pub(super) grantable: bool,
}

/// The privileges of a list, one by one.
pub(super) fn exploded(acl: &Acl, owner: &str, among: PrivilegeSet) -> Vec<Granted> {
    let mut all = Vec::new();
    for item in &acl.0 {
        for privilege in item.rights.held.intersection(among).iter() {
            all.push(Granted {
                grantor: item.by.clone(),
                grantee: item.to.clone(),
                privilege: privilege.word(),
                grantable: item.to.as_deref() == Some(owner) || item.rights.grantable.contains(privilege),
            });
        }
    }
    all
}

pub(super) fn of_relation<'a>(catalog: &'a CatalogSnapshot, schema: &str, name: &str) -> Secured<'a> {
    catalog.secured_relation(&QualifiedName::new(schema, name))
}
