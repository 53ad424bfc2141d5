//! Options of a format, from the text a user wrote to values.

use encoding_rs::Encoding;
use voxhouse_engine::source::FormatOptions;
use voxhouse_engine::{Error, Result};

/// Refuses a name that is not in `known`.
pub(super) fn check_names(format: &str, options: &FormatOptions, known: &[&str]) -> Result<()> {
    let Some(unknown) = options.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let hint = if known.is_empty() {
        format!("Format {format} has no options.")
    } else {
        format!("The options are {}.", known.join(", "))
    };
    Err(Error::invalid_argument(format!("option \"{unknown}\" does not exist for format {format}"))
        .with_hint(hint))
}

pub(super) fn flag(options: &FormatOptions, name: &str, default: bool) -> Result<bool> {
    let Some(text) = options.get(name) else { return Ok(default) };
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(Error::invalid_argument(format!("option \"{name}\" must be true or false, not \"{text}\""))),
    }
}

pub(super) fn count(options: &FormatOptions, name: &str) -> Result<Option<u64>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    match text.parse() {
        Ok(count) => Ok(Some(count)),
        Err(_) => {
            Err(Error::invalid_argument(format!("option \"{name}\" must be a whole number, not \"{text}\"")))
        }
    }
}

/// One ASCII character that cannot end a line; `tab` and `\t` are the tabulator.
pub(super) fn character(options: &FormatOptions, name: &str) -> Result<Option<u8>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    let byte = match text.as_str() {
        "tab" | "\\t" => b'\t',
        one => match one.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => *byte,
            _ => {
                return Err(Error::invalid_argument(format!(
                    "option \"{name}\" must be one single-byte character, not \"{text}\""
                )));
            }
        },
    };
    Ok(Some(byte))
}

/// Names between commas, without the blanks around them.
pub(super) fn names(options: &FormatOptions, name: &str) -> Vec<String> {
    let text = options.get(name).map(String::as_str).unwrap_or_default();
    text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// The encoding of a text file; UTF-8 when the user names none.
pub(super) fn encoding(options: &FormatOptions) -> Result<&'static Encoding> {
    let Some(label) = options.get("encoding") else { return Ok(encoding_rs::UTF_8) };
    // PostgreSQL writes an underscore where the web's names have a hyphen: EUC_KR.
    Encoding::for_label_no_replacement(label.as_bytes())
        .or_else(|| Encoding::for_label_no_replacement(label.replace('_', "-").as_bytes()))
        .ok_or_else(|| {
            Error::invalid_argument(format!("encoding \"{label}\" does not exist")).with_hint(
                "Common encodings are utf-8, gb18030, gbk, big5, shift_jis, euc-kr, utf-16le and windows-1252.",
            )
        })
}
