//! The functions that clients call on the catalog, as data: name, arguments, result, and a body over one row.
//!
//! A body reads what the session sees through [`Call`]. All of these are cheap and called on few rows, so they
//! run row by row; NULL in any argument gives NULL unless the definition says otherwise.

mod acl;
mod arrays;
mod definitions;
mod names;
mod privileges;
mod processes;
mod server;
mod sizes;
mod visibility;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use datafusion::scalar::ScalarValue;
use parking_lot::RwLock;
use voxhouse_engine::catalog::Oid;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::Visible;
use super::cell::{Cell, arrow_type, to_array};
pub(super) use acl::{ACL_COLUMNS, ACL_EXPLODE};
pub(super) use arrays::EXPAND_ARRAY;

pub(super) use definitions::{index_definition, view_definition};
pub(super) use names::{ObjectKind, object_name, parse_name, quote_ident};

/// A function, as data.
struct Function {
    name: &'static str,
    /// A letter an argument, those behind `?` optional: `o` an object (number or name), `i` integer, `n` nothing but an
    /// integer, `t` text, `b` boolean, `a` anything, `s` anything as text; `*` repeats the last.
    arguments: &'static str,
    /// A Postgres type.
    returns: &'static str,
    /// NULL in, NULL out.
    strict: bool,
    /// Whether each call may give another answer, or does something: then it is not called while planning.
    volatile: bool,
    body: Body,
}

type Body = fn(&Call<'_>) -> Result<Cell>;

const fn function(
    name: &'static str,
    arguments: &'static str,
    returns: &'static str,
    body: Body,
) -> Function {
    Function { name, arguments, returns, strict: true, volatile: false, body }
}

/// A function that does something.
const fn action(name: &'static str, arguments: &'static str, returns: &'static str, body: Body) -> Function {
    Function { name, arguments, returns, strict: true, volatile: true, body }
}

const fn called_on_null(
    name: &'static str,
    arguments: &'static str,
    returns: &'static str,
    body: Body,
) -> Function {
    Function { name, arguments, returns, strict: false, volatile: false, body }
}

const fn volatile(
    name: &'static str,
    arguments: &'static str,
    returns: &'static str,
    body: Body,
) -> Function {
    Function { name, arguments, returns, strict: false, volatile: true, body }
}

/// One call: a row of arguments, and what the session sees.
struct Call<'a> {
    visible: &'a Visible,
    arguments: Vec<Cell>,
    fields: &'a [FieldRef],
}

impl Call<'_> {
    fn len(&self) -> usize {
        self.arguments.len()
    }

    fn text(&self, place: usize) -> Option<&str> {
        match self.arguments.get(place) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn int(&self, place: usize) -> Option<i64> {
        match self.arguments.get(place) {
            Some(Cell::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The relation that an argument means by number or name. `None`: NULL, or there is none of that number.
    ///
    /// # Errors
    /// Undefined table, for a name without a relation.
    fn relation_oid(&self, place: usize) -> Result<Option<Oid>> {
        self.object(place, ObjectKind::Class)
    }

    fn object(&self, place: usize, kind: ObjectKind) -> Result<Option<Oid>> {
        match self.arguments.get(place) {
            Some(Cell::Int(value)) => Ok(Oid::try_from(*value).ok()),
            Some(Cell::Text(text)) => names::resolve(self.visible, kind, text).map(Some),
            _ => Ok(None),
        }
    }
}

/// Every function of the catalog. They read `current` when they are called, so the session puts what the
/// statement sees there before it plans.
pub fn scalar_functions(current: Arc<RwLock<Arc<Visible>>>) -> Vec<Arc<ScalarUDF>> {
    let groups = [
        acl::FUNCTIONS,
        definitions::FUNCTIONS,
        names::FUNCTIONS,
        privileges::FUNCTIONS,
        processes::FUNCTIONS,
        server::FUNCTIONS,
        sizes::FUNCTIONS,
        visibility::FUNCTIONS,
    ];
    let functions = groups.into_iter().flatten();
    functions
        .map(|function| {
            let signature = signature(function);
            Arc::new(ScalarUDF::from(CatalogFunction { function, signature, current: Arc::clone(&current) }))
        })
        .chain([Arc::new(arrays::expand_array()), Arc::new(acl::acl_explode(Arc::clone(&current)))])
        .collect()
}

struct CatalogFunction {
    function: &'static Function,
    signature: Signature,
    current: Arc<RwLock<Arc<Visible>>>,
}

impl fmt::Debug for CatalogFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogFunction").field("name", &self.function.name).finish_non_exhaustive()
    }
}

/// Two sessions' functions of one name differ: each reads its own catalog.
impl PartialEq for CatalogFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && Arc::ptr_eq(&self.current, &other.current)
    }
}

impl Eq for CatalogFunction {}

impl Hash for CatalogFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

fn signature(function: &Function) -> Signature {
    let arguments = function.arguments;
    let required = arguments.find('?').unwrap_or(arguments.len());
    let form = if arguments.is_empty() {
        TypeSignature::Nullary
    } else if required == 0 {
        TypeSignature::OneOf(vec![TypeSignature::Nullary, TypeSignature::UserDefined])
    } else {
        TypeSignature::UserDefined
    };
    Signature::new(form, if function.volatile { Volatility::Volatile } else { Volatility::Stable })
}

fn coerced(letter: char, given: &DataType) -> DataType {
    match letter {
        'o' if is_text(given) => DataType::Utf8,
        'o' | 'i' | 'n' => DataType::Int64,
        't' | 's' => DataType::Utf8,
        'b' => DataType::Boolean,
        _ => given.clone(),
    }
}

impl CatalogFunction {
    /// The letters of a call with so many arguments. `None`: it cannot have so many.
    fn letters(&self, count: usize) -> Option<Vec<char>> {
        let arguments = self.function.arguments;
        let mut letters: Vec<char> = arguments.chars().filter(|letter| letter.is_ascii_lowercase()).collect();
        let mut required = arguments.find('?').unwrap_or(letters.len());
        if arguments.ends_with('*') {
            required -= 1;
            let last = *letters.last()?;
            letters.resize(letters.len().max(count), last);
        }
        letters.truncate(letters.len().min(count));
        (count >= required && letters.len() == count).then_some(letters)
    }

    fn call(&self, columns: &[ArrayRef], fields: &[FieldRef], rows: usize) -> Result<ArrayRef> {
        let visible = Arc::clone(&self.current.read());
        let mut cells = Vec::with_capacity(rows);
        for row in 0..rows {
            let arguments: Vec<Cell> = columns.iter().map(|column| cell_at(column, row)).collect();
            if self.function.strict && arguments.contains(&Cell::Null) {
                cells.push(Cell::Null);
            } else {
                cells.push((self.function.body)(&Call { visible: &visible, arguments, fields })?);
            }
        }
        to_array(&cells, &arrow_type(self.function.returns))
    }
}

impl ScalarUDFImpl for CatalogFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(arrow_type(self.function.returns))
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let field = Field::new(self.name(), arrow_type(self.function.returns), true);
        Ok(Arc::new(field.with_metadata([(TYPE_KEY.to_owned(), self.function.returns.to_owned())].into())))
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let letters = self.letters(given.len()).ok_or_else(|| {
            DataFusionError::from(Error::new(
                ErrorKind::UndefinedFunction,
                format!("function {} does not exist with {} arguments", self.name(), given.len()),
            ))
        })?;
        if letters
            .iter()
            .zip(given)
            .any(|(letter, given)| *letter == 'n' && !given.is_integer() && !given.is_null())
        {
            return Err(undefined(self.name(), given).into());
        }
        Ok(letters.into_iter().zip(given).map(|(letter, given)| coerced(letter, given)).collect())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let literal = !self.function.volatile
            && args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if literal { 1 } else { args.number_rows };
        let columns: Vec<ArrayRef> = args
            .args
            .iter()
            .map(|argument| plain(&argument.to_array(rows)?))
            .collect::<DataFusionResult<_>>()?;
        let array = self.call(&columns, &args.arg_fields, rows).map_err(DataFusionError::from)?;
        if literal {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

fn undefined(name: &str, given: &[DataType]) -> Error {
    let given: Vec<String> = given.iter().map(DataType::to_string).collect();
    Error::new(ErrorKind::UndefinedFunction, format!("function {name}({}) does not exist", given.join(", ")))
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Strings of any encoding as Utf8, integers as Int64; the rest as it is.
fn plain(array: &ArrayRef) -> DataFusionResult<ArrayRef> {
    let data_type = array.data_type();
    let target = if is_text(data_type) {
        DataType::Utf8
    } else if data_type.is_integer() {
        DataType::Int64
    } else {
        return Ok(Arc::clone(array));
    };
    Ok(cast(array, &target)?)
}

fn cell_at(column: &ArrayRef, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned().into(),
        DataType::Null => Cell::Null,
        DataType::List(item) if item.data_type() == &DataType::Int64 => {
            let list = column.as_list::<i32>().value(row);
            Cell::Ints(list.as_primitive::<Int64Type>().iter().flatten().collect())
        }
        // Only its type matters to the functions that take anything.
        _ => Cell::Bool(true),
    }
}
