//! `pg_cancel_backend` and `pg_terminate_backend`.

use voxhouse_engine::catalog::access::SIGNAL_ROLE;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{Call, Function, action};

pub(super) const FUNCTIONS: &[Function] = &[
    action("pg_cancel_backend", "i", "boolean", |call| {
        let Some(process_id) = process_of(call, "cancel", "query", "query is being canceled")? else {
            return Ok(false.into());
        };
        if process_id == call.visible.process_id {
            // This statement and no later one, however many of its workers call the function at once.
            return Err(Error::new(ErrorKind::Cancelled, "canceling statement due to user request"));
        }
        Ok(call.visible.processes.cancel(process_id).into())
    }),
    // The second argument is how long PostgreSQL waits for the end; here nobody waits.
    action("pg_terminate_backend", "i?i", "boolean", |call| {
        let Some(process_id) = process_of(call, "terminate", "process", "process is being terminated")?
        else {
            return Ok(false.into());
        };
        Ok(call.visible.processes.terminate(process_id).into())
    }),
];

/// The process that is meant, if there is one.
///
/// # Errors
/// Insufficient privilege, unless the caller has the privileges of its role or those of `pg_signal_backend`. That of
/// a superuser is for superusers.
fn process_of(call: &Call<'_>, verb: &str, what: &str, passive: &str) -> Result<Option<i32>> {
    let Some(process_id) = call.int(0).and_then(|id| i32::try_from(id).ok()) else { return Ok(None) };
    let Some(owner) = call.visible.processes.role_of(process_id) else { return Ok(None) };
    let access = call.visible.access();
    let is_superusers = call.visible.entities().role(&owner).is_some_and(|role| role.superuser);
    if access.is_superuser() || (!is_superusers && (access.has_role(&owner) || access.has_role(SIGNAL_ROLE)))
    {
        return Ok(Some(process_id));
    }
    let message = if is_superusers {
        format!("must be a superuser to {verb} superuser {what}")
    } else {
        format!("must be a member of the role whose {passive} or member of pg_signal_backend")
    };
    Err(Error::new(ErrorKind::InsufficientPrivilege, message))
}
