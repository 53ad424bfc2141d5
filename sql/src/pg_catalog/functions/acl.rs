//! `aclexplode`, the items of an access control list as rows, and `acldefault`, the list of an object that has none.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use parking_lot::RwLock;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::names::quote_ident;
use super::{Call, Cell, Function, function};
use crate::pg_catalog::Visible;
use crate::pg_catalog::entities::Entities;

pub(in crate::pg_catalog) const ACL_EXPLODE: &str = "aclexplode";
/// The columns of its rows.
pub(in crate::pg_catalog) const ACL_COLUMNS: &[&str] =
    &["grantor", "grantee", "privilege_type", "is_grantable"];

/// PostgreSQL's letters of privileges, and their words.
const PRIVILEGES: &[(char, &str)] = &[
    ('a', "INSERT"),
    ('r', "SELECT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('T', "TEMPORARY"),
    ('c', "CONNECT"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
];

pub(super) const FUNCTIONS: &[Function] = &[function("acldefault", "ti", "aclitem[]", default_list)];

/// What PUBLIC and what the owner may do with an object of a kind, by letters.
fn default_list(call: &Call<'_>) -> Result<Cell> {
    let kind = call.text(0).unwrap_or_default();
    let (public, owner) = match kind {
        "c" => ("", ""),
        "r" => ("", "arwdDxt"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        "p" => ("", "sA"),
        _ => return Err(Error::invalid_argument(format!("unrecognized object type abbreviation: {kind}"))),
    };
    let oid = call.int(1).and_then(|oid| u32::try_from(oid).ok()).unwrap_or(0);
    let name = quote_ident(&call.visible.entities().role_name(oid));
    let public = (!public.is_empty()).then(|| format!("={public}/{name}"));
    let owner = (!owner.is_empty()).then(|| format!("{name}={owner}/{name}"));
    Ok(public.into_iter().chain(owner).collect::<Vec<_>>().into())
}

pub(super) fn acl_explode(current: Arc<RwLock<Arc<Visible>>>) -> ScalarUDF {
    AclExplode { signature: Signature::any(1, Volatility::Stable), current }.into()
}

/// Gives a list of records; a rewrite makes rows of them.
struct AclExplode {
    signature: Signature,
    current: Arc<RwLock<Arc<Visible>>>,
}

impl fmt::Debug for AclExplode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AclExplode").finish_non_exhaustive()
    }
}

impl PartialEq for AclExplode {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.current, &other.current)
    }
}

impl Eq for AclExplode {}

impl Hash for AclExplode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ACL_EXPLODE.hash(state);
    }
}

fn fields() -> Fields {
    let oid = |name: &str| {
        Field::new(name, DataType::Int64, true)
            .with_metadata([(TYPE_KEY.to_owned(), "oid".to_owned())].into())
    };
    Fields::from(vec![
        oid(ACL_COLUMNS[0]),
        oid(ACL_COLUMNS[1]),
        Field::new(ACL_COLUMNS[2], DataType::Utf8, true),
        Field::new(ACL_COLUMNS[3], DataType::Boolean, true),
    ])
}

impl ScalarUDFImpl for AclExplode {
    fn name(&self) -> &str {
        ACL_EXPLODE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
        let [list] = take_function_args(self.name(), arguments)?;
        let is_list = matches!(list, DataType::List(item) if item.data_type().is_string());
        if !is_list && !list.is_null() {
            let message = format!("function {ACL_EXPLODE}({list}) does not exist");
            return Err(Error::new(ErrorKind::UndefinedFunction, message).into());
        }
        Ok(DataType::new_list(DataType::Struct(fields()), true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let rows = args.number_rows;
        let [list] = take_function_args(self.name(), args.args)?;
        let list = cast(&list.into_array(rows)?, &DataType::new_list(DataType::Utf8, true))?;
        let visible = Arc::clone(&self.current.read());
        Ok(ColumnarValue::Array(explode(list.as_list::<i32>(), visible.entities())?))
    }
}

#[derive(Default)]
struct Exploded {
    grantors: Vec<i64>,
    grantees: Vec<i64>,
    privileges: Vec<&'static str>,
    grantable: Vec<bool>,
}

/// A list that is NULL has no rows either.
fn explode(lists: &ListArray, entities: &Entities) -> Result<ArrayRef> {
    let mut all = Exploded::default();
    let mut lengths = Vec::with_capacity(lists.len());
    for row in 0..lists.len() {
        let before = all.privileges.len();
        if lists.is_valid(row) {
            let items = lists.value(row);
            for item in items.as_string::<i32>().iter().flatten() {
                all.add(item, entities)?;
            }
        }
        lengths.push(all.privileges.len() - before);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(all.grantors)),
        Arc::new(Int64Array::from(all.grantees)),
        Arc::new(StringArray::from(all.privileges)),
        Arc::new(BooleanArray::from(all.grantable)),
    ];
    let records = StructArray::try_new(fields(), columns, None)?;
    let field = Arc::new(Field::new_list_field(DataType::Struct(fields()), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), Arc::new(records), None)?))
}

impl Exploded {
    /// `grantee=letters/grantor`; a star behind a letter: it may be granted on. Without a grantee: PUBLIC.
    fn add(&mut self, item: &str, entities: &Entities) -> Result<()> {
        let invalid =
            || Error::new(ErrorKind::InvalidText, format!("invalid access control item: \"{item}\""));
        let (grantee, rest) = role(item);
        let (letters, grantor) =
            rest.strip_prefix('=').and_then(|rest| rest.split_once('/')).ok_or_else(invalid)?;
        let number = |name: &str| match name {
            "" => Ok(0),
            name => entities.role(name).map(|role| i64::from(role.oid)).ok_or_else(invalid),
        };
        let (grantee, grantor) = (number(&grantee)?, number(&role(grantor).0)?);
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let known = PRIVILEGES.iter().find(|(known, _)| *known == letter).ok_or_else(invalid)?;
            self.grantors.push(grantor);
            self.grantees.push(grantee);
            self.privileges.push(known.1);
            self.grantable.push(letters.next_if_eq(&'*').is_some());
        }
        Ok(())
    }
}

/// A name, perhaps in double quotes, and what comes behind it.
fn role(text: &str) -> (String, &str) {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('=').unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut name = String::new();
    while let Some(end) = rest.find('"') {
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => break,
        }
    }
    (name, rest)
}
