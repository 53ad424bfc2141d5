//! Writers of small files in the formats that nothing else in the tree writes.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use flate2::{Compression, Crc};

/// A zip archive of these members, deflated.
pub(crate) fn zip_archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<(&[u8], &[u8])> = members.iter().map(|(name, data)| (name.as_bytes(), *data)).collect();
    zip_of_bytes(&members)
}

/// The same with names in any encoding.
pub(crate) fn zip_of_bytes(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, data) in members {
        let header_at = archive.len() as u32;
        let packed = deflate(data);
        let mut crc = Crc::new();
        crc.update(data);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        for number in [crc.sum(), packed.len() as u32, data.len() as u32, name.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(*name);
        archive.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(header_at.to_le_bytes());
        directory.extend(*name);
    }
    let at = archive.len() as u32;
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    for count in [members.len() as u16, members.len() as u16] {
        archive.extend(count.to_le_bytes());
    }
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// The parts of a workbook with these strings, number formats (a style each) and sheet data.
pub(crate) struct Workbook {
    pub(crate) workbook: String,
    pub(crate) strings: String,
    pub(crate) styles: String,
    pub(crate) sheets: Vec<String>,
}

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

impl Workbook {
    pub(crate) fn new(strings: &[&str], formats: &[&str], sheets: &[(&str, &str)]) -> Self {
        let item = |text: &&str| format!("<si><t xml:space=\"preserve\">{}</t></si>", escaped(text));
        let names = sheets.iter().enumerate().map(|(index, (name, _))| {
            format!("<sheet name=\"{name}\" sheetId=\"{0}\" r:id=\"rId{0}\"/>", index + 1)
        });
        let codes = formats.iter().enumerate().map(|(index, code)| {
            format!("<numFmt numFmtId=\"{}\" formatCode=\"{}\"/>", 200 + index, escaped(code))
        });
        let styles = (0..formats.len()).map(|index| format!("<xf numFmtId=\"{}\"/>", 200 + index));
        let sheet = |(_, data): &(&str, &str)| {
            format!("<?xml version=\"1.0\"?><worksheet><sheetData>{data}</sheetData></worksheet>")
        };
        Self {
            workbook: format!(
                "<workbook xmlns:r=\"{OFFICE}\"><workbookPr/><sheets>{}</sheets></workbook>",
                names.collect::<String>()
            ),
            strings: format!("<sst>{}</sst>", strings.iter().map(item).collect::<String>()),
            styles: format!(
                "<styleSheet><numFmts>{}</numFmts><cellXfs><xf numFmtId=\"0\"/>{}</cellXfs></styleSheet>",
                codes.collect::<String>(),
                styles.collect::<String>()
            ),
            sheets: sheets.iter().map(sheet).collect(),
        }
    }

    pub(crate) fn parts(&self) -> Vec<(String, String)> {
        let root = format!(
            "<Relationships><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>"
        );
        let mut inner = String::new();
        let mut parts = vec![("_rels/.rels".to_owned(), root)];
        for (index, sheet) in self.sheets.iter().enumerate() {
            let number = index + 1;
            inner += &format!(
                "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/worksheet\" \
                 Target=\"worksheets/sheet{number}.xml\"/>"
            );
            parts.push((format!("xl/worksheets/sheet{number}.xml"), sheet.clone()));
        }
        for (kind, file) in [("sharedStrings", "sharedStrings.xml"), ("styles", "/xl/styles.xml")] {
            inner += &format!("<Relationship Id=\"{kind}\" Type=\"{OFFICE}/{kind}\" Target=\"{file}\"/>");
        }
        let rels = format!("<Relationships>{inner}</Relationships>");
        parts.push(("xl/_rels/workbook.xml.rels".to_owned(), rels));
        parts.push(("xl/workbook.xml".to_owned(), self.workbook.clone()));
        parts.push(("xl/sharedStrings.xml".to_owned(), self.strings.clone()));
        parts.push(("xl/styles.xml".to_owned(), self.styles.clone()));
        parts
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        zip_parts(&self.parts())
    }
}

pub(crate) fn zip_parts(parts: &[(String, String)]) -> Vec<u8> {
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zip_archive(&parts)
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// A row of cells with text inside.
pub(crate) fn text_cells(cells: &[Option<String>]) -> String {
    let cell = |(index, cell): (usize, &Option<String>)| {
        let column = char::from(b'A' + index as u8);
        cell.as_ref().map(|text| {
            let text = escaped(text);
            format!("<c r=\"{column}1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
        })
    };
    let cells: String = cells.iter().enumerate().filter_map(cell).collect();
    format!("<row>{cells}</row>")
}

/// How blocks of an Avro file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AvroCodec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

pub(crate) const AVRO_SYNC: [u8; 16] = *b"0123456789abcdef";

pub(crate) fn avro_header(schema: &str, codec: &str) -> Vec<u8> {
    let mut file = b"Obj\x01".to_vec();
    file.extend(avro_long(2));
    for (key, value) in [("avro.schema", schema), ("avro.codec", codec)] {
        file.extend(avro_text(key));
        file.extend(avro_text(value));
    }
    file.extend(avro_long(0));
    file.extend(AVRO_SYNC);
    file
}

/// A file of blocks, each with its number of rows and their bytes.
pub(crate) fn avro_file(schema: &str, codec: AvroCodec, blocks: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let name = match codec {
        AvroCodec::Null => "null",
        AvroCodec::Deflate => "deflate",
        AvroCodec::Snappy => "snappy",
        AvroCodec::Zstandard => "zstandard",
    };
    let mut file = avro_header(schema, name);
    for (rows, bytes) in blocks {
        let packed = match codec {
            AvroCodec::Null => bytes.clone(),
            AvroCodec::Deflate => deflate(bytes),
            AvroCodec::Zstandard => zstd::encode_all(bytes.as_slice(), 1).unwrap(),
            AvroCodec::Snappy => {
                let mut packed = snap::raw::Encoder::new().compress_vec(bytes).unwrap();
                let mut crc = Crc::new();
                crc.update(bytes);
                packed.extend(crc.sum().to_be_bytes());
                packed
            }
        };
        file.extend(avro_long(*rows));
        file.extend(avro_long(packed.len() as i64));
        file.extend(packed);
        file.extend(AVRO_SYNC);
    }
    file
}

pub(crate) fn avro_long(value: i64) -> Vec<u8> {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while left > 0x7F {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

pub(crate) fn avro_text(text: &str) -> Vec<u8> {
    let mut bytes = avro_long(text.len() as i64);
    bytes.extend(text.as_bytes());
    bytes
}

pub(crate) fn arrow_file(batch: &RecordBatch, codec: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

pub(crate) fn arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}
