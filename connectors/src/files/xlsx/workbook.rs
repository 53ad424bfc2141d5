//! What a workbook says of itself: its sheets, its calendar, its strings and its styles.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::invalid;
use super::package::Package;
use super::strings::Strings;
use super::styles::Styles;
use super::xml::{Element, Name, Node};

/// A workbook with one sheet chosen.
pub(super) struct Workbook {
    pub(super) strings: Strings,
    pub(super) styles: Styles,
    /// Days are counted from 1904, as old Macintoshes did.
    pub(super) since_1904: bool,
    /// Where the sheet lies in the package.
    pub(super) sheet: String,
}

struct Sheet {
    name: String,
    reference: String,
    visible: bool,
}

impl Workbook {
    /// Reads everything but the sheet; `wanted` is its name or its number from 1.
    pub(super) fn read(package: &Package, wanted: Option<&str>) -> Result<Self> {
        let path = package.workbook_path()?;
        let (sheets, since_1904) = contents(package, &path)?;
        let references = package.relationships_of(&path)?;
        let chosen = choose(&sheets, wanted)?;
        let of_kind = |kind: &str| references.iter().find(|reference| reference.kind.ends_with(kind));
        let sheet = references.iter().find(|reference| reference.id == chosen.reference);
        let sheet = sheet.ok_or_else(|| invalid("a sheet is missing"))?;
        if !sheet.kind.ends_with("/worksheet") {
            let message = format!("sheet \"{}\" is not a worksheet", chosen.name);
            return Err(Error::not_supported(message));
        }
        let strings = match of_kind("/sharedStrings") {
            Some(part) => package.part(&part.path)?.map(Strings::read).transpose()?,
            None => None,
        };
        let styles = match of_kind("/styles") {
            Some(part) => package.part(&part.path)?.map(Styles::read).transpose()?,
            None => None,
        };
        Ok(Self {
            strings: strings.unwrap_or_default(),
            styles: styles.unwrap_or_default(),
            since_1904,
            sheet: sheet.path.clone(),
        })
    }
}

fn contents(package: &Package, path: &str) -> Result<(Vec<Sheet>, bool)> {
    let mut xml = package.part(path)?.ok_or_else(|| invalid("it has no workbook"))?;
    let mut sheets = Vec::new();
    let mut since_1904 = false;
    loop {
        match xml.next()? {
            Node::Open(element) if element.name == Name::WorkbookProperties => {
                since_1904 = matches!(element.attribute("date1904").as_deref(), Some("1" | "true"));
            }
            Node::Open(element) if element.name == Name::Sheet => sheets.push(sheet(&element)),
            Node::End => return Ok((sheets, since_1904)),
            _ => {}
        }
    }
}

fn sheet(element: &Element<'_>) -> Sheet {
    Sheet {
        name: element.attribute("name").unwrap_or_default(),
        reference: element.attribute("id").unwrap_or_default(),
        visible: element.attribute("state").is_none_or(|state| state == "visible"),
    }
}

fn choose<'a>(sheets: &'a [Sheet], wanted: Option<&str>) -> Result<&'a Sheet> {
    let found = match wanted {
        None => sheets.iter().find(|sheet| sheet.visible).or(sheets.first()),
        Some(wanted) => sheets.iter().find(|sheet| sheet.name == wanted).or_else(|| {
            let number: usize = wanted.parse().ok()?;
            sheets.get(number.checked_sub(1)?)
        }),
    };
    found.ok_or_else(|| match wanted {
        None => invalid("it has no sheets"),
        Some(wanted) => {
            let names: Vec<String> =
                sheets.iter().take(20).map(|sheet| format!("\"{}\"", sheet.name)).collect();
            Error::new(ErrorKind::InvalidText, format!("workbook has no sheet \"{wanted}\""))
                .with_detail(format!("Its sheets are {}.", names.join(", ")))
        }
    })
}
