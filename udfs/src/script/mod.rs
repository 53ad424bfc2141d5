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

pub(crate) use address_key::address_key;
pub(crate) use chinese::{to_simplified, to_traditional};
pub(crate) use company_key::company_key;
pub(crate) use email::email_normalize;
pub(crate) use language::language;
pub(crate) use name_key::name_key;
pub(crate) use phone::phone_normalize;
pub(crate) use pinyin::{pinyin, pinyin_initials};
pub(crate) use width::{fold, half_width, is_han};

#[cfg(test)]
mod tests;
