//! The functions by name. Those that begin with `__json` are what statements are rewritten to, never written by users.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{Expr, ScalarUDF};

use super::Form;
use super::function::{Definition, Gives, Kernel, Takes};
use super::{build, casts, edit, elements, path};
use Takes::{Any, Json, Text, Texts, Truth, Whole};

static FUNCTIONS: LazyLock<HashMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let both = [Form::Json, Form::Jsonb].into_iter().flat_map(of_form);
    both.chain(of_jsonb()).map(Definition::build).map(|udf| (udf.name().to_owned(), udf)).collect()
});

pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    FUNCTIONS.values().cloned()
}

/// A call of one of the functions.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Option<Expr> {
    FUNCTIONS.get(name).map(|function| function.call(arguments))
}

/// What `json` and `jsonb` both have.
fn of_form(form: Form) -> Vec<Definition> {
    let json = form.name();
    let one = |stem: &str, takes: &'static [Takes], gives: Gives, kernel: Kernel| {
        Definition::new(&format!("{json}_{stem}"), form, takes, gives, kernel)
    };
    let inner = |stem: &str, takes: &'static [Takes], gives: Gives, kernel: Kernel| {
        Definition::new(&format!("__{json}{stem}"), form, takes, gives, kernel)
    };
    let to = |name: &str| format!("{name}_to_{json}");
    let mut all = vec![
        one("typeof", &[Json], Gives::Text, path::type_of),
        one("array_length", &[Json], Gives::Whole, path::array_length),
        one("object_field", &[Json, Text], Gives::Json, path::object_field),
        one("object_field_text", &[Json, Text], Gives::Text, path::object_field_text),
        one("array_element", &[Json, Whole], Gives::Json, path::array_element),
        one("array_element_text", &[Json, Whole], Gives::Text, path::array_element_text),
        one("extract_path", &[Json, Text], Gives::Json, path::extract_path).variadic(),
        one("extract_path_text", &[Json, Text], Gives::Text, path::extract_path_text).variadic(),
        inner("_at_path", &[Json, Texts], Gives::Json, path::at_path),
        inner("_at_path_text", &[Json, Texts], Gives::Text, path::at_path_text),
        inner("", &[Json], Gives::Json, path::same),
        one("strip_nulls", &[Json], Gives::Json, edit::strip_nulls),
        one("build_array", &[Any], Gives::Json, build::build_array).variadic().on_null(),
        one("build_object", &[Any], Gives::Json, build::build_object).variadic().on_null(),
        one("object", &[Texts, Texts], Gives::Json, build::object).optional(1),
        Definition::new(&format!("to_{json}"), form, &[Any], Gives::Json, build::to_json),
    ];
    if form == Form::Json {
        for name in ["array", "row"] {
            let takes = &[Any, Truth];
            all.push(
                Definition::new(&to(name), form, takes, Gives::Json, build::to_json_in_lines).optional(1),
            );
        }
    }
    all.extend([
        inner("_row", &[Any], Gives::Json, build::row).variadic().on_null(),
        inner("_row_in_lines", &[Any], Gives::Json, build::row_in_lines).variadic().on_null(),
        inner("_row_element", &[Any], Gives::Text, build::row_element).variadic().on_null(),
        inner("_element", &[Any], Gives::Text, build::element),
        inner("_agg", &[Texts], Gives::Json, build::gathered),
        inner("_rows", &[Texts], Gives::Json, build::gathered_rows),
        inner("_agg_list", &[Any], Gives::Json, build::gathered_list),
        inner("_member", &[Any, Any], Gives::Text, build::member).on_null(),
        inner("_object_agg", &[Texts], Gives::Json, build::gathered_object),
        inner("_texts", &[Json], Gives::Texts, elements::texts),
    ]);
    let sets: [(&str, Kernel); 5] = [
        ("_array_elements", elements::array_elements),
        ("_array_elements_text", elements::array_elements_text),
        ("_each", elements::each),
        ("_each_text", elements::each_text),
        ("_object_keys", elements::object_keys),
    ];
    for (stem, kernel) in sets {
        all.push(inner(stem, &[Json], Gives::Rows, kernel));
        all.push(inner(&format!("{stem}_pairs"), &[Json], Gives::Pairs, kernel));
    }
    all
}

fn of_jsonb() -> Vec<Definition> {
    let one = |name: &str, takes: &'static [Takes], gives: Gives, kernel: Kernel| {
        Definition::new(name, Form::Jsonb, takes, gives, kernel)
    };
    vec![
        one("jsonb_contains", &[Json, Json], Gives::Truth, edit::contains),
        one("jsonb_exists", &[Json, Text], Gives::Truth, edit::exists),
        one("jsonb_exists_any", &[Json, Texts], Gives::Truth, edit::exists_any),
        one("jsonb_exists_all", &[Json, Texts], Gives::Truth, edit::exists_all),
        one("jsonb_cmp", &[Json, Json], Gives::Whole, edit::compare),
        one("jsonb_concat", &[Json, Json], Gives::Json, edit::concat),
        one("jsonb_delete", &[Json, Text], Gives::Json, edit::delete),
        one("__jsonb_delete_at", &[Json, Whole], Gives::Json, edit::delete_at),
        one("__jsonb_delete_all", &[Json, Texts], Gives::Json, edit::delete_all),
        one("jsonb_delete_path", &[Json, Texts], Gives::Json, edit::delete_path),
        one("jsonb_set", &[Json, Texts, Json, Truth], Gives::Json, edit::set).optional(1),
        one("jsonb_set_lax", &[Json, Texts, Json, Truth, Text], Gives::Json, edit::set_lax)
            .optional(2)
            .on_null(),
        one("jsonb_insert", &[Json, Texts, Json, Truth], Gives::Json, edit::insert).optional(1),
        one("__jsonb_scalar", &[Json, Text, Text], Gives::Text, casts::scalar),
        one("jsonb_pretty", &[Json], Gives::Text, edit::pretty),
    ]
}
