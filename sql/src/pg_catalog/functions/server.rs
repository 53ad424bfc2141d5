//! What a session asks of the server: version, names, addresses, settings.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::{Call, Cell, Function, action, called_on_null, function, volatile};
use crate::pg_catalog::SERVER_VERSION;
use crate::pg_catalog::relations::schemas::UTF8;

pub(super) const FUNCTIONS: &[Function] = &[
    function("version", "", "text", |_| Ok(version().into())),
    function("current_database", "", "name", |call| Ok((&call.visible.database).into())),
    function("current_catalog", "", "name", |call| Ok((&call.visible.database).into())),
    function("current_schema", "", "name", |call| Ok(current_schema(call).into())),
    function("current_schemas", "b", "name[]", current_schemas),
    function("current_user", "", "name", |call| Ok((&call.visible.role).into())),
    function("current_role", "", "name", |call| Ok((&call.visible.role).into())),
    function("user", "", "name", |call| Ok((&call.visible.role).into())),
    function("session_user", "", "name", |call| Ok((&call.visible.session_role).into())),
    function("pg_get_userbyid", "i", "name", |call| {
        let oid = call.int(0).and_then(|oid| u32::try_from(oid).ok());
        Ok(oid.map(|oid| call.visible.entities().role_name(oid)).into())
    }),
    function("pg_backend_pid", "", "integer", |call| Ok(call.visible.process_id.into())),
    function("pg_postmaster_start_time", "", "timestamp with time zone", |call| {
        Ok(Cell::Timestamp(call.visible.server_started_at))
    }),
    function("pg_conf_load_time", "", "timestamp with time zone", |call| {
        Ok(Cell::Timestamp(call.visible.server_started_at))
    }),
    function("pg_is_in_recovery", "", "boolean", |_| Ok(false.into())),
    // The catalog's version counts the transactions that change it.
    function("txid_current", "", "bigint", |call| Ok((call.visible.catalog.version() as i64).into())),
    function("pg_my_temp_schema", "", "oid", |_| Ok(Cell::Int(0))),
    function("pg_is_other_temp_schema", "i", "boolean", |_| Ok(false.into())),
    function("pg_encoding_to_char", "i", "name", |call| {
        Ok(if call.int(0) == Some(UTF8.into()) { "UTF8" } else { "" }.into())
    }),
    function("pg_char_to_encoding", "t", "integer", |call| {
        let is_utf8 =
            call.text(0).is_some_and(|name| matches!(name.to_lowercase().as_str(), "utf8" | "utf-8"));
        Ok(if is_utf8 { UTF8 } else { -1 }.into())
    }),
    function("getdatabaseencoding", "", "name", |_| Ok("UTF8".into())),
    function("pg_client_encoding", "", "name", |_| Ok("UTF8".into())),
    function("pg_tablespace_location", "i", "text", |_| Ok("".into())),
    function("inet_client_addr", "", "inet", |call| {
        Ok(call.visible.client.address.map(|at| at.ip().to_string()).into())
    }),
    function("inet_client_port", "", "integer", |call| {
        Ok(call.visible.client.address.map(|at| i32::from(at.port())).into())
    }),
    function("inet_server_addr", "", "inet", |call| {
        Ok(call.visible.client.server_address.map(|at| at.ip().to_string()).into())
    }),
    function("inet_server_port", "", "integer", |call| {
        Ok(call.visible.client.server_address.map(|at| i32::from(at.port())).into())
    }),
    called_on_null("current_setting", "t?b", "text", current_setting),
    volatile("set_config", "ttb", "text", set_config),
    function("host", "t", "text", |call| {
        Ok(call.text(0).map(|address| address.split('/').next().unwrap_or(address).to_owned()).into())
    }),
    function("age", "n", "integer", transaction_age),
    action("pg_is_wal_replay_paused", "", "boolean", |_| Err(no_recovery())),
    action("pg_get_wal_replay_pause_state", "", "text", |_| Err(no_recovery())),
    // Nothing is ever locked.
    function("pg_blocking_pids", "i", "integer[]", |_| Ok(Vec::<i64>::new().into())),
    function("pg_advisory_unlock_all", "", "void", |_| Ok("".into())),
];

/// The PostgreSQL that clients may take this for, and what it is.
fn version() -> String {
    format!("PostgreSQL {SERVER_VERSION} (Voxhouse {})", env!("CARGO_PKG_VERSION"))
}

/// The schema that new objects go to: the first of the path that exists and was named.
fn current_schema(call: &Call<'_>) -> Option<String> {
    let entities = call.visible.entities();
    entities.search_path.get(entities.implicit_schemas).cloned()
}

/// With `true`, the schemas that are searched without being named too.
fn current_schemas(call: &Call<'_>) -> Result<Cell> {
    let entities = call.visible.entities();
    let with_implicit = call.arguments.first() == Some(&Cell::Bool(true));
    let skipped = if with_implicit { 0 } else { entities.implicit_schemas };
    Ok(entities.search_path.iter().skip(skipped).cloned().collect::<Vec<_>>().into())
}

/// How many transactions ago another began. Those of the bootstrap are older than any.
fn transaction_age(call: &Call<'_>) -> Result<Cell> {
    const FIRST_NORMAL: i64 = 3;
    let current = i64::try_from(call.visible.catalog.version()).unwrap_or(i64::MAX);
    let age =
        |of: i64| if of < FIRST_NORMAL { i32::MAX } else { i32::try_from(current - of).unwrap_or(i32::MAX) };
    Ok(call.int(0).map(age).into())
}

fn no_recovery() -> Error {
    Error::new(ErrorKind::PortalNotRunnable, "recovery is not in progress")
        .with_hint("Recovery control functions can only be executed during recovery.")
}

fn current_setting(call: &Call<'_>) -> Result<Cell> {
    let Some(name) = call.text(0) else { return Ok(Cell::Null) };
    match call.visible.session.setting(name) {
        Err(error)
            if error.kind() == ErrorKind::UndefinedObject
                && call.arguments.get(1) == Some(&Cell::Bool(true)) =>
        {
            Ok(Cell::Null)
        }
        found => Ok(found?.into()),
    }
}

fn set_config(call: &Call<'_>) -> Result<Cell> {
    let Some(name) = call.text(0) else {
        return Err(Error::new(ErrorKind::NullNotAllowed, "SET requires parameter name"));
    };
    let transaction_only = call.arguments.get(2) == Some(&Cell::Bool(true));
    Ok(call.visible.session.set(name, call.text(1), transaction_only)?.into())
}
