//! `CREATE EXTERNAL TABLE name LOCATION 'where'`: a Delta table of another program, to be read where it lies.

use datafusion::sql::sqlparser::ast::CreateTable;
use voxhouse_engine::catalog::access::{READ_FILES_ROLE, denied};
use voxhouse_engine::catalog::ddl::{Ddl, Effect, NewTable};
use voxhouse_engine::catalog::locations::{is_outside_of_root, refuse_warehouse_files};
use voxhouse_engine::{Error, Result};

use crate::dialect::Statement;
use crate::query::names::new_name;
use crate::session::Session;
use crate::wire::backend::Outcome;

pub async fn create(session: &mut Session, statement: &Statement, create: &CreateTable) -> Result<Outcome> {
    session.require_no_block("CREATE EXTERNAL TABLE")?;
    session.require_changeable("CREATE EXTERNAL TABLE", false)?;
    let Some(from) = create.location.clone() else {
        return Err(Error::syntax("CREATE EXTERNAL TABLE needs a LOCATION"));
    };
    if !create.columns.is_empty() || !create.constraints.is_empty() {
        return Err(Error::not_supported("an external table has the columns of its log")
            .with_hint("Leave the columns out; a view can rename and cast them."));
    }
    let context = session.context(&statement.text).await?;
    let name = new_name(&create.name, &context.visible)?;
    // Before anything is asked of a store.
    refuse_warehouse_files(&context.visible.catalog, &from)?;
    if is_outside_of_root(&from) && !context.visible.access().has_role(READ_FILES_ROLE) {
        return Err(denied("external table", &name.name).with_detail(format!(
            "Only roles with privileges of the \"{READ_FILES_ROLE}\" role may read outside of the warehouse."
        )));
    }
    let warehouse = std::sync::Arc::clone(&session.instance.warehouse);
    let (columns, partition_by) = warehouse.external(&from)?.external_columns().await?;
    let table = NewTable { columns, partition_by, external: Some(from), ..NewTable::default() };
    let location = format!("_external/{}", uuid());
    let ddl = Ddl::CreateTable { name, table, location, if_not_exists: create.if_not_exists };
    let author = session.author(statement);
    let effects = warehouse.register(&author, vec![ddl]).await?;
    for effect in effects {
        if let Effect::Skipped { kind, reason } = effect {
            session.notice_of(kind, reason);
        }
    }
    Ok(Outcome::Done("CREATE TABLE".into()))
}

/// A place that no table has had: handles are kept by it.
fn uuid() -> String {
    format!("{:032x}", rand::random::<u128>())
}
