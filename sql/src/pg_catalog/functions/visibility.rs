//! Whether an object's name alone finds it, along the search path.

use voxhouse_engine::Result;
use voxhouse_engine::catalog::{Oid, TEMPORARY_SCHEMA};

use super::{Call, Cell, Function, function};
use crate::pg_catalog::relations::fixed_procedures;
use crate::pg_catalog::types;

pub(super) const FUNCTIONS: &[Function] = &[
    function("pg_table_is_visible", "i", "boolean", |call| {
        Ok(oid(call).and_then(|oid| call.visible.entities().is_visible(oid)).into())
    }),
    function("pg_type_is_visible", "i", "boolean", |call| {
        Ok(oid(call).and_then(types::by_oid).map(|_| true).into())
    }),
    function("pg_function_is_visible", "i", "boolean", function_is_visible),
    // The rest of these live in pg_catalog, which is always searched.
    function("pg_operator_is_visible", "i", "boolean", always),
    function("pg_opclass_is_visible", "i", "boolean", always),
    function("pg_opfamily_is_visible", "i", "boolean", always),
    function("pg_collation_is_visible", "i", "boolean", always),
    function("pg_conversion_is_visible", "i", "boolean", always),
    function("pg_statistics_obj_is_visible", "i", "boolean", always),
    function("pg_ts_config_is_visible", "i", "boolean", always),
    function("pg_ts_dict_is_visible", "i", "boolean", always),
    function("pg_ts_parser_is_visible", "i", "boolean", always),
    function("pg_ts_template_is_visible", "i", "boolean", always),
    function("pg_my_temp_schema", "", "oid", |call| {
        let own = call.visible.entities().schema(TEMPORARY_SCHEMA);
        Ok(i64::from(own.map_or(0, |schema| schema.oid)).into())
    }),
    // Nobody sees the temporary schema of another session.
    function("pg_is_other_temp_schema", "i", "boolean", |_| Ok(false.into())),
    function("pg_relation_is_publishable", "o", "boolean", |_| Ok(false.into())),
];

fn oid(call: &Call<'_>) -> Option<Oid> {
    Oid::try_from(call.int(0)?).ok()
}

fn always(_: &Call<'_>) -> Result<Cell> {
    Ok(true.into())
}

fn function_is_visible(call: &Call<'_>) -> Result<Cell> {
    let Some(oid) = oid(call) else { return Ok(Cell::Null) };
    let entities = call.visible.entities();
    if entities.function(oid).is_some() {
        // Functions of the warehouse resolve whatever the search path says.
        return Ok(true.into());
    }
    Ok(fixed_procedures().contains_key(&oid).then_some(true).into())
}
