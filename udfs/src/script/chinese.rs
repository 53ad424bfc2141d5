//! Simplified and traditional characters, by the dictionaries of OpenCC: the longest phrase wins, so that 头发
//! becomes 頭髮 and 发展 becomes 發展. Region-neutral: no words are exchanged, only characters.

use std::sync::LazyLock;

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;

static SIMPLIFY: LazyLock<Option<OpenCC>> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::T2s).ok());
static COMPLICATE: LazyLock<Option<OpenCC>> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::S2t).ok());

/// `text` in simplified characters; what has no simplified form stays.
pub(crate) fn to_simplified(text: &str) -> String {
    convert(&SIMPLIFY, text)
}

/// `text` in traditional characters; what has no traditional form stays.
pub(crate) fn to_traditional(text: &str) -> String {
    convert(&COMPLICATE, text)
}

/// The dictionaries are part of the program, and a test loads both.
fn convert(converter: &LazyLock<Option<OpenCC>>, text: &str) -> String {
    match converter.as_ref() {
        Some(converter) if !text.is_ascii() => converter.convert(text),
        _ => text.to_owned(),
    }
}
