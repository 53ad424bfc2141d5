//! What the number in a cell means: its style's number format tells dates from quantities.

use std::collections::HashMap;

use voxhouse_engine::Result;

use super::xml::{Name, Node, Xml};

/// What a number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Number,
    /// Zeros in front up to so many digits.
    Padded(usize),
    Date,
    DateAndTime,
    Time,
    /// Hours beyond a day.
    Elapsed,
}

/// The meanings by number of style.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<Meaning>);

impl Styles {
    pub(super) fn read(mut xml: Xml) -> Result<Self> {
        let mut formats: HashMap<u32, Meaning> = HashMap::new();
        let mut styles = Vec::new();
        let mut in_styles = false;
        loop {
            match xml.next()? {
                Node::Open(element) => match element.name {
                    Name::NumberFormat => {
                        let id = element.attribute("numFmtId").and_then(|id| id.parse().ok());
                        if let (Some(id), Some(code)) = (id, element.attribute("formatCode")) {
                            formats.insert(id, meaning(&code));
                        }
                    }
                    Name::CellFormats => in_styles = true,
                    Name::CellFormat if in_styles => {
                        let id = element.attribute("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                        styles.push(formats.get(&id).copied().unwrap_or_else(|| built_in(id)));
                    }
                    _ => {}
                },
                Node::Close(Name::CellFormats) => in_styles = false,
                Node::End => return Ok(Self(styles)),
                _ => {}
            }
        }
    }

    pub(super) fn get(&self, style: usize) -> Meaning {
        self.0.get(style).copied().unwrap_or(Meaning::Number)
    }
}

/// The formats that a workbook need not spell out, those of East Asian editions among them.
fn built_in(id: u32) -> Meaning {
    match id {
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Meaning::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Meaning::Time,
        22 => Meaning::DateAndTime,
        46 => Meaning::Elapsed,
        _ => Meaning::Number,
    }
}

/// The meaning of a format code such as `yyyy\-mm\-dd hh:mm` or `[h]:mm` or `00000`.
pub(super) fn meaning(code: &str) -> Meaning {
    let Some(letters) = bare(code) else { return Meaning::Elapsed };
    if letters.len() > 1 && letters.bytes().all(|byte| byte == b'0') {
        return Meaning::Padded(letters.len());
    }
    let has = |wanted: &[char]| letters.contains(wanted);
    let time = has(&['h', 's']);
    match (has(&['y', 'd']) || (has(&['m']) && !time), time) {
        (true, true) => Meaning::DateAndTime,
        (true, false) => Meaning::Date,
        (false, true) => Meaning::Time,
        (false, false) => Meaning::Number,
    }
}

/// The first section in lower case, without literals and conditions; none if it has elapsed time.
fn bare(code: &str) -> Option<String> {
    let mut bare = String::new();
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => while letters.next().is_some_and(|inner| inner != '"') {},
            '\\' | '_' | '*' => drop(letters.next()),
            '[' => {
                let inner: String = letters.by_ref().take_while(|inner| *inner != ']').collect();
                let inner = inner.to_ascii_lowercase();
                if !inner.is_empty() && ["h", "m", "s"].iter().any(|unit| inner.replace(unit, "").is_empty())
                {
                    return None;
                }
            }
            ';' => break,
            _ => bare.push(letter.to_ascii_lowercase()),
        }
    }
    if bare == "general" { Some(String::new()) } else { Some(bare) }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn format_codes_tell_dates_from_numbers() {
        for (code, expected) in [
            ("General", Meaning::Number),
            ("0.00", Meaning::Number),
            ("#,##0.00\\ \"EUR\"", Meaning::Number),
            ("[Red]-0", Meaning::Number),
            ("0.00E+00", Meaning::Number),
            ("\"day\" 0", Meaning::Number),
            ("00000", Meaning::Padded(5)),
            ("0", Meaning::Number),
            ("yyyy\\-mm\\-dd", Meaning::Date),
            ("mmm-yy", Meaning::Date),
            ("[$-409]d/m/yyyy h:mm AM/PM;@", Meaning::DateAndTime),
            ("yyyy\"年\"m\"月\"d\"日\"", Meaning::Date),
            ("h:mm:ss", Meaning::Time),
            ("mm:ss", Meaning::Time),
            ("[h]:mm", Meaning::Elapsed),
            ("[hh]:mm:ss", Meaning::Elapsed),
        ] {
            assert_eq!(meaning(code), expected, "{code}");
        }
    }
}
