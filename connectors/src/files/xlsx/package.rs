//! The parts of a workbook: a zip archive of XML files, of which one says what the others are.

use std::collections::HashMap;

use tokio::runtime::Handle;
use voxhouse_engine::{Error, Result};

use super::invalid;
use super::xml::{Name, Node, Xml};
use crate::files::limits::Limits;
use crate::files::object::Object;
use crate::files::zip::{self, Entry};

/// The first bytes of a file of Office before 2007, and of an encrypted one.
const OLD_OFFICE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// A workbook's parts, opened on a thread that may block.
pub(super) struct Package {
    object: Object,
    entries: HashMap<String, Entry>,
    runtime: Handle,
    limits: Limits,
}

impl Package {
    pub(super) async fn open(object: Object, limits: Limits) -> Result<Self> {
        if object.size() == 0 {
            return Err(invalid("it is empty"));
        }
        let head = object.bytes(0..object.size().min(8)).await?;
        if head.as_ref() == OLD_OFFICE {
            return Err(Error::not_supported("workbook is encrypted, or of Excel before 2007")
                .with_hint("Save it as .xlsx without a password."));
        }
        if !head.starts_with(b"PK") {
            return Err(invalid("it is not a zip archive"));
        }
        let entries = zip::entries(&object).await?;
        let entries = entries.into_iter().map(|entry| (normal(&entry.name), entry)).collect();
        Ok(Self { object, entries, runtime: Handle::current(), limits })
    }

    /// A part by its path, if there is one.
    pub(super) fn part(&self, path: &str) -> Result<Option<Xml>> {
        let Some(entry) = self.entries.get(&normal(path)) else { return Ok(None) };
        let source = self.runtime.block_on(zip::open(&self.object, entry, self.limits))?;
        Ok(Some(Xml::new(source)))
    }

    /// The workbook's own part.
    pub(super) fn workbook_path(&self) -> Result<String> {
        let targets = self.relationships("_rels/.rels", "")?;
        let main = targets.into_iter().find(|target| target.kind.ends_with("/officeDocument"));
        main.map(|target| target.path).ok_or_else(|| invalid("it has no workbook"))
    }

    /// What the part at `path` refers to.
    pub(super) fn relationships_of(&self, path: &str) -> Result<Vec<Relationship>> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        self.relationships(&format!("{folder}/_rels/{file}.rels"), folder)
    }

    fn relationships(&self, path: &str, folder: &str) -> Result<Vec<Relationship>> {
        let Some(mut xml) = self.part(path)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        loop {
            match xml.next()? {
                Node::Open(element) if element.name == Name::Relationship => {
                    let get = |name| element.attribute(name).unwrap_or_default();
                    let target = get("Target");
                    let path = match target.strip_prefix('/') {
                        Some(absolute) => absolute.to_owned(),
                        None => format!("{folder}/{target}"),
                    };
                    found.push(Relationship { id: get("Id"), kind: get("Type"), path });
                }
                Node::End => return Ok(found),
                _ => {}
            }
        }
    }
}

/// A reference from one part to another.
pub(super) struct Relationship {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) path: String,
}

/// Paths are compared as Windows does.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_ascii_lowercase()),
        }
    }
    parts.join("/")
}
