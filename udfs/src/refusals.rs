//! What a kernel refuses, as an error of the product: SQLSTATE 22023 with the kernel's own words.

use voxhouse_engine::Error;

macro_rules! refusals {
    ($($invalid:ty),+ $(,)?) => {
        $(impl From<$invalid> for Error {
            fn from(invalid: $invalid) -> Self {
                let error = Error::invalid_argument(invalid.message);
                match invalid.hint {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                }
            }
        })+
    };
}

refusals!(
    crate::identity::Invalid,
    crate::inference::Invalid,
    crate::journey::Invalid,
    crate::opinions::Invalid,
    crate::privacy::Invalid,
    crate::regression::Invalid,
    crate::search::Invalid,
    crate::sentiment::Invalid,
);
