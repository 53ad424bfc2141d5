//! `count(DISTINCT (a, b))`: rows are counted by a key of bytes, which a set of them holds in less memory than rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use super::{call, name_of, plain_arguments};

const ROW_KEY: &str = "__row_key";

/// Bytes that are alike for rows that are alike; NULLs are.
pub(super) fn row_key() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(RowKey { signature: Signature::variadic_any(Volatility::Immutable) }))
}

pub(super) fn count_keys(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if name_of(function).as_deref() != Some("count") {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    if list.duplicate_treatment != Some(DuplicateTreatment::Distinct) {
        return;
    }
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(counted))] = list.args.as_mut_slice() else { return };
    let fields = match counted {
        Expr::Tuple(fields) => fields.clone(),
        Expr::Function(row) if name_of(row).as_deref() == Some("row") => match plain_arguments(row) {
            Some(fields) => fields.into_iter().cloned().collect(),
            None => return,
        },
        _ => return,
    };
    *counted = call(ROW_KEY, fields);
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowKey {
    signature: Signature,
}

impl ScalarUDFImpl for RowKey {
    fn name(&self) -> &str {
        ROW_KEY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns: Vec<ArrayRef> = args
            .args
            .iter()
            .map(|column| column.clone().into_array(args.number_rows))
            .collect::<Result<_>>()?;
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
        let keys = BinaryArray::from_iter_values(rows.iter());
        Ok(ColumnarValue::Array(Arc::new(keys)))
    }
}
