//! ENCODING: text in another encoding than UTF-8, on its way in and out.

use encoding_rs::{DecoderResult, EncoderResult, Encoding};
use voxhouse_engine::{Error, ErrorKind, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// A byte is the character of the same number.
    Latin1,
    Other(&'static str, &'static Encoding),
}

impl Charset {
    /// By PostgreSQL's names, in which only letters and digits count.
    pub fn named(name: &str) -> Option<Self> {
        use encoding_rs as e;
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Some(match plain.to_ascii_lowercase().as_str() {
            "utf8" | "unicode" | "sqlascii" => Charset::Utf8,
            "latin1" | "iso88591" => Charset::Latin1,
            "gbk" | "cp936" | "win936" | "windows936" | "euccn" => Charset::Other("GBK", e::GBK),
            "gb18030" => Charset::Other("GB18030", e::GB18030),
            "big5" | "win950" | "windows950" => Charset::Other("BIG5", e::BIG5),
            "sjis" | "mskanji" | "shiftjis" | "win932" | "windows932" => Charset::Other("SJIS", e::SHIFT_JIS),
            "eucjp" => Charset::Other("EUC_JP", e::EUC_JP),
            "euckr" | "uhc" | "win949" | "windows949" => Charset::Other("UHC", e::EUC_KR),
            "latin2" | "iso88592" => Charset::Other("LATIN2", e::ISO_8859_2),
            "latin9" | "iso885915" => Charset::Other("LATIN9", e::ISO_8859_15),
            "iso88595" => Charset::Other("ISO_8859_5", e::ISO_8859_5),
            "iso88596" => Charset::Other("ISO_8859_6", e::ISO_8859_6),
            "iso88597" => Charset::Other("ISO_8859_7", e::ISO_8859_7),
            "iso88598" => Charset::Other("ISO_8859_8", e::ISO_8859_8),
            "koi8" | "koi8r" => Charset::Other("KOI8R", e::KOI8_R),
            "koi8u" => Charset::Other("KOI8U", e::KOI8_U),
            "win866" | "windows866" | "alt" => Charset::Other("WIN866", e::IBM866),
            "win874" | "windows874" => Charset::Other("WIN874", e::WINDOWS_874),
            "win1250" | "windows1250" => Charset::Other("WIN1250", e::WINDOWS_1250),
            "win1251" | "windows1251" | "win" => Charset::Other("WIN1251", e::WINDOWS_1251),
            "win1252" | "windows1252" => Charset::Other("WIN1252", e::WINDOWS_1252),
            "win1253" | "windows1253" => Charset::Other("WIN1253", e::WINDOWS_1253),
            "win1254" | "windows1254" | "latin5" | "iso88599" => Charset::Other("WIN1254", e::WINDOWS_1254),
            "win1255" | "windows1255" => Charset::Other("WIN1255", e::WINDOWS_1255),
            "win1256" | "windows1256" => Charset::Other("WIN1256", e::WINDOWS_1256),
            "win1257" | "windows1257" => Charset::Other("WIN1257", e::WINDOWS_1257),
            "win1258" | "windows1258" => Charset::Other("WIN1258", e::WINDOWS_1258),
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF8",
            Charset::Latin1 => "LATIN1",
            Charset::Other(name, _) => name,
        }
    }

    /// `None`: UTF-8, which is checked line by line instead.
    pub(super) fn decoder(self) -> Option<Decoder> {
        let inner = match self {
            Charset::Utf8 => return None,
            Charset::Latin1 => None,
            Charset::Other(_, encoding) => Some(encoding.new_decoder_without_bom_handling()),
        };
        Some(Decoder { charset: self, inner, before: Vec::new() })
    }

    /// Appends `text` in this encoding.
    pub(super) fn encode(self, text: &str, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
            Charset::Latin1 => {
                for letter in text.chars() {
                    out.push(u8::try_from(u32::from(letter)).map_err(|_| self.untranslatable(letter))?);
                }
            }
            Charset::Other(_, encoding) => {
                let mut encoder = encoding.new_encoder();
                let mut rest = text;
                loop {
                    let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
                    out.reserve(room.unwrap_or(rest.len()));
                    let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, out, true);
                    rest = &rest[read..];
                    match result {
                        EncoderResult::InputEmpty => break,
                        EncoderResult::OutputFull => {}
                        EncoderResult::Unmappable(letter) => return Err(self.untranslatable(letter)),
                    }
                }
            }
        }
        Ok(())
    }

    fn untranslatable(self, letter: char) -> Error {
        let mut bytes = [0; 4];
        let bytes: Vec<String> =
            letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("0x{byte:02x}")).collect();
        Error::new(
            ErrorKind::UntranslatableText,
            format!(
                "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"{}\"",
                bytes.join(" "),
                self.name()
            ),
        )
    }
}

pub(super) struct Decoder {
    charset: Charset,
    /// `None`: Latin-1.
    inner: Option<encoding_rs::Decoder>,
    /// The last bytes before those at hand, for messages.
    before: Vec<u8>,
}

/// No encoding has longer sequences.
const LONGEST_SEQUENCE: usize = 4;

impl Decoder {
    /// Appends the text of some bytes, up to the first that are none. A character may be cut by the end of `bytes`,
    /// unless they are the last.
    pub(super) fn decode(&mut self, bytes: &[u8], is_last: bool, text: &mut String) -> Result<()> {
        let Some(decoder) = &mut self.inner else {
            text.extend(bytes.iter().map(|&byte| char::from(byte)));
            return Ok(());
        };
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let room = decoder.max_utf8_buffer_length_without_replacement(rest.len());
            text.reserve(room.unwrap_or(rest.len()));
            let (result, read) = decoder.decode_to_string_without_replacement(rest, text, is_last);
            at += read;
            match result {
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty => break,
                DecoderResult::Malformed(length, behind) => {
                    let seen = [&self.before, &bytes[..at]].concat();
                    let end = seen.len().saturating_sub(usize::from(behind));
                    let start = end.saturating_sub(usize::from(length));
                    return Err(self.undecodable(&seen[start..end]));
                }
            }
        }
        self.before.extend_from_slice(&bytes[bytes.len().saturating_sub(LONGEST_SEQUENCE)..]);
        let old = self.before.len().saturating_sub(LONGEST_SEQUENCE);
        self.before.drain(..old);
        Ok(())
    }

    fn undecodable(&self, bytes: &[u8]) -> Error {
        let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
        Error::new(
            ErrorKind::InvalidEncoding,
            format!("invalid byte sequence for encoding \"{}\": {}", self.charset.name(), shown.join(" ")),
        )
    }
}
