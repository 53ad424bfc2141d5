//! How an effect is told: the columns that the causal functions share.

use datafusion::scalar::ScalarValue;

use crate::inference::causal::{Effect, Errors};
use crate::report::{Column, Row, Type};

pub(super) const ESTIMATE: Column = ("estimate", Type::Double);
pub(super) const STD_ERROR: Column = ("std_error", Type::Double);
pub(super) const STATISTIC: Column = ("statistic", Type::Double);
pub(super) const P_VALUE: Column = ("p_value", Type::Double);
pub(super) const CONF_LOW: Column = ("conf_low", Type::Double);
pub(super) const CONF_HIGH: Column = ("conf_high", Type::Double);

/// The columns from `estimate` to `conf_high`; all but the first NULL where nothing tells the errors.
pub(super) fn cells(effect: &Effect) -> Row {
    let of = |read: fn(&Errors) -> f64| ScalarValue::from(effect.errors.as_ref().map(read));
    vec![
        ScalarValue::from(effect.estimate),
        of(|errors| errors.std_error),
        of(|errors| errors.statistic),
        of(|errors| errors.p_value),
        of(|errors| errors.conf_low),
        of(|errors| errors.conf_high),
    ]
}
