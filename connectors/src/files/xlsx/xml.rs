//! The XML of a workbook's parts, an element at a time, in bounded memory.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::invalid;

/// The longest text or tag; Excel's longest cell has 32,767 characters.
const MAX_EVENT_BYTES: u64 = 8 << 20;

const MAX_DEPTH: usize = 256;

const BUFFER_BYTES: usize = 64 << 10;

/// A part of a workbook.
pub(super) struct Xml {
    reader: Reader<BufReader<Bounded>>,
    /// What has been read since the last event.
    since: Arc<AtomicU64>,
    buffer: Vec<u8>,
    depth: usize,
}

/// What comes next in a part. An empty element is opened and closed.
pub(super) enum Node<'a> {
    Open(Element<'a>),
    Close(Name),
    Text(String),
    End,
}

/// The elements with a meaning, whatever their namespace's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Cell,
    CellFormat,
    CellFormats,
    Inline,
    Item,
    NumberFormat,
    Phonetic,
    Relationship,
    Row,
    Sheet,
    SheetData,
    Text,
    Value,
    WorkbookProperties,
    Other,
}

impl Name {
    fn of(name: &[u8]) -> Self {
        match name {
            b"c" => Self::Cell,
            b"xf" => Self::CellFormat,
            b"cellXfs" => Self::CellFormats,
            b"is" => Self::Inline,
            b"si" => Self::Item,
            b"numFmt" => Self::NumberFormat,
            b"rPh" => Self::Phonetic,
            b"Relationship" => Self::Relationship,
            b"row" => Self::Row,
            b"sheet" => Self::Sheet,
            b"sheetData" => Self::SheetData,
            b"t" => Self::Text,
            b"v" => Self::Value,
            b"workbookPr" => Self::WorkbookProperties,
            _ => Self::Other,
        }
    }
}

/// An opening tag.
pub(super) struct Element<'a> {
    pub(super) name: Name,
    tag: BytesStart<'a>,
}

impl Element<'_> {
    /// The value of an attribute by its local name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.tag.attributes().with_checks(false).flatten().find_map(|attribute| {
            (attribute.key.local_name().as_ref() == name.as_bytes())
                .then(|| attribute.unescape_value().ok().map(|value| value.into_owned()))
                .flatten()
        })
    }
}

impl Xml {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        let since = Arc::new(AtomicU64::new(0));
        let bounded = Bounded { source, since: Arc::clone(&since) };
        let mut reader = Reader::from_reader(BufReader::with_capacity(BUFFER_BYTES, bounded));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        Self { reader, since, buffer: Vec::new(), depth: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Node<'_>> {
        loop {
            self.buffer.clear();
            self.since.store(0, Ordering::Relaxed);
            // The borrow checker does not see that a buffer which is not returned is free again.
            match self.reader.read_event_into(&mut self.buffer).map_err(refused)? {
                Event::Start(_) => break,
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Node::Close(Name::of(end.local_name().as_ref())));
                }
                Event::Text(text) => return Ok(Node::Text(decoded(text.xml10_content())?)),
                Event::CData(text) => return Ok(Node::Text(decoded(text.xml10_content())?)),
                Event::GeneralRef(reference) => return Ok(Node::Text(resolved(&reference)?)),
                Event::Eof if self.depth > 0 => return Err(invalid("a part ends inside of an element")),
                Event::Eof => return Ok(Node::End),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(invalid("its elements are nested too deep"));
        }
        let text = std::str::from_utf8(&self.buffer).map_err(|_| invalid("a tag is not text"))?;
        let text = text.trim_start_matches('<').trim_end_matches(['/', '>']);
        let length = text.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(text.len());
        let tag = BytesStart::from_content(text, length);
        Ok(Node::Open(Element { name: Name::of(tag.local_name().as_ref()), tag }))
    }
}

fn decoded<E>(text: std::result::Result<std::borrow::Cow<'_, str>, E>) -> Result<String> {
    text.map(|text| text.into_owned()).map_err(|_| invalid("a text is not UTF-8"))
}

/// The five names every XML file knows, and characters by number.
fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Result<String> {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return Ok(letter.to_string());
    }
    let text = match &**reference {
        b"amp" => "&",
        b"lt" => "<",
        b"gt" => ">",
        b"quot" => "\"",
        b"apos" => "'",
        _ => return Err(invalid("a text has an entity that no workbook has")),
    };
    Ok(text.to_owned())
}

fn refused(error: quick_xml::Error) -> Error {
    if let quick_xml::Error::Io(inner) = &error
        && let Some(ours) = inner.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
    {
        return ours.clone();
    }
    invalid("a part is not well-formed XML").with_source(error)
}

/// Counts what is read for one event.
struct Bounded {
    source: Box<dyn Read + Send>,
    since: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(target)?;
        let since = self.since.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if since > MAX_EVENT_BYTES {
            let message = format!("a value of the workbook is larger than {} MiB", MAX_EVENT_BYTES >> 20);
            return Err(io::Error::other(Error::new(ErrorKind::LimitExceeded, message)));
        }
        Ok(count)
    }
}
