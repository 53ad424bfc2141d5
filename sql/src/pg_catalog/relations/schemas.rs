//! `pg_namespace`, `pg_database`, `pg_description` and `pg_shdescription`.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::Oid;
use voxhouse_engine::catalog::access::Secured;

use crate::pg_catalog::Visible;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::grants;

/// The one database.
pub(in crate::pg_catalog) const DATABASE_OID: Oid = 5;
/// PostgreSQL's number for UTF8.
pub(in crate::pg_catalog) const UTF8: i32 = 6;
pub(in crate::pg_catalog) const DEFAULT_TABLESPACE: i64 = 1663;

/// The relations whose objects have comments; `pg_description.classoid` names them.
pub(in crate::pg_catalog) const PG_CLASS: Oid = 1259;
pub(in crate::pg_catalog) const PG_NAMESPACE: Oid = 2615;
pub(in crate::pg_catalog) const PG_PROC: Oid = 1255;
pub(in crate::pg_catalog) const PG_DATABASE: Oid = 1262;

pub(super) fn namespaces(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &visible.entities().schemas,
        &[
            ("oid", |schema| schema.oid.into()),
            ("nspname", |schema| (&schema.name).into()),
            ("nspowner", |schema| schema.owner.into()),
            ("nspacl", |schema| schema.acl.clone().into()),
        ],
    )
}

pub(super) fn databases(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let acl = grants::shown(&Secured::database(&visible.catalog));
    let rows = [(visible.database.clone(), visible.entities().system_owner, acl)];
    definition.fill(
        &rows,
        &[
            ("oid", |_| DATABASE_OID.into()),
            ("datname", |(name, ..)| name.into()),
            ("datdba", |(_, owner, _)| (*owner).into()),
            ("datacl", |(.., acl)| acl.clone().into()),
            ("encoding", |_| UTF8.into()),
            ("datlocprovider", |_| "c".into()),
            ("datallowconn", |_| true.into()),
            ("datconnlimit", |_| (-1).into()),
            ("dattablespace", |_| DEFAULT_TABLESPACE.into()),
            ("datcollate", |_| "C.UTF-8".into()),
            ("datctype", |_| "C.UTF-8".into()),
        ],
    )
}

/// A comment: object, class, column (0: the object itself), text.
pub(in crate::pg_catalog) type Comment<'a> = (Oid, Oid, i16, &'a str);

pub(in crate::pg_catalog) fn comments(visible: &Visible) -> Vec<Comment<'_>> {
    let entities = visible.entities();
    let mut comments = Vec::new();
    for schema in &entities.schemas {
        comments.extend(schema.comment.as_deref().map(|text| (schema.oid, PG_NAMESPACE, 0, text)));
    }
    for relation in &entities.relations {
        comments.extend(relation.comment.as_deref().map(|text| (relation.oid, PG_CLASS, 0, text)));
        for column in &relation.columns {
            comments
                .extend(column.comment.as_deref().map(|text| (relation.oid, PG_CLASS, column.number, text)));
        }
    }
    for function in entities.functions.iter().filter(|function| !function.description.is_empty()) {
        comments.push((function.oid, PG_PROC, 0, &function.description));
    }
    comments
}

pub(super) fn descriptions(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &comments(visible),
        &[
            ("objoid", |(object, ..)| (*object).into()),
            ("classoid", |(_, class, ..)| (*class).into()),
            ("objsubid", |(_, _, column, _)| (*column).into()),
            ("description", |(.., text)| (*text).to_owned().into()),
        ],
    )
}

pub(in crate::pg_catalog) const DATABASE_COMMENT: &str = "customer experience warehouse";

pub(super) fn shared_descriptions(definition: &Definition, _: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &[DATABASE_COMMENT],
        &[
            ("objoid", |_| DATABASE_OID.into()),
            ("classoid", |_| PG_DATABASE.into()),
            ("description", |text| (*text).into()),
        ],
    )
}
