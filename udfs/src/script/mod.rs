//! Languages and scripts: which language a text is in, simplified and traditional characters, pinyin, and the
//! keys under which names, numbers and addresses of one person agree.

mod address_key;
mod chinese;
mod company_key;
mod email;
mod language;
mod name_key;
mod phone;
mod pinyin;
mod width;

pub use address_key::address_key;
pub use chinese::{to_simplified, to_traditional};
pub use company_key::company_key;
pub use email::email_normalize;
pub use language::language;
pub use name_key::name_key;
pub use phone::phone_normalize;
pub use pinyin::{pinyin, pinyin_initials};
pub(crate) use width::{fold, half_width, is_han};

pub use crate::privacy::id_card_valid;

#[cfg(test)]
mod tests;
