//! Personal data in free text: finding and masking it.
//!
//! A text is read once. Digits (ASCII, full-width or Chinese numerals, with spaces, dashes and brackets between
//! them), `@`, capital letters and the last characters of Chinese cue words are looked at; everything else is
//! skipped. A number counts as personal only if its form proves it (GB 11643 checksum and date, Luhn and issuer,
//! numbering plan) or a cue stands beside it (SSN, passport, QQ, WeChat). Names and addresses are found by
//! surname or gazetteer *and* context; without context nothing is reported, so precision comes before recall.
//!
//! Offsets count characters and end behind the last one. Findings are in order and do not overlap.

mod account;
mod address;
mod chinese_name;
mod digits;
mod email;
mod english_name;
mod id_card;
mod mask;
mod number;
mod phone;
mod plate;
mod scan;
mod street;
mod surname;

use std::fmt;

pub(crate) use digits::digit;
pub(crate) use email::is_address as is_email;
pub(crate) use id_card::is_valid as id_card_valid;
pub(crate) use phone::dialled;
pub(crate) use surname::compound as compound_surname;

/// What sort of personal data was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Phone,
    IdCard,
    Ssn,
    BankCard,
    Passport,
    Plate,
    Email,
    Wechat,
    Qq,
    Ip,
    Address,
    Name,
}

impl Kind {
    pub(crate) const ALL: [Kind; 12] = [
        Kind::Phone,
        Kind::IdCard,
        Kind::Ssn,
        Kind::BankCard,
        Kind::Passport,
        Kind::Plate,
        Kind::Email,
        Kind::Wechat,
        Kind::Qq,
        Kind::Ip,
        Kind::Address,
        Kind::Name,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Phone => "phone",
            Kind::IdCard => "id_card",
            Kind::Ssn => "ssn",
            Kind::BankCard => "bank_card",
            Kind::Passport => "passport",
            Kind::Plate => "plate",
            Kind::Email => "email",
            Kind::Wechat => "wechat",
            Kind::Qq => "qq",
            Kind::Ip => "ip",
            Kind::Address => "address",
            Kind::Name => "name",
        }
    }

    /// The kind of that name; the error lists the names there are.
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| Invalid {
            message: format!("kind of personal data \"{name}\" does not exist"),
            hint: Some(format!("The kinds are {}.", Kind::ALL.map(Kind::as_str).join(", "))),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place where a text holds personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pii {
    pub(crate) kind: Kind,
    /// First character, counted from 0.
    pub(crate) start: usize,
    /// Behind the last character.
    pub(crate) end: usize,
    /// Normalised: digits are ASCII without separators, plates and passports upper-case; names, addresses and
    /// mail addresses as they stand in the text.
    pub(crate) value: String,
}

/// Personal data of all kinds in `text`, in order, without overlaps.
pub(crate) fn find_pii(text: &str) -> Vec<Pii> {
    let mut findings = Vec::new();
    let (mut byte, mut chars) = (0, 0);
    for found in scan::scan(text) {
        chars += text[byte..found.start].chars().count();
        let length = text[found.start..found.end].chars().count();
        findings.push(Pii { kind: found.kind, start: chars, end: chars + length, value: found.value });
        chars += length;
        byte = found.end;
    }
    findings
}

/// `text` with the personal data of `kinds` (of all kinds if empty) made unrecognisable:
///
/// | kind | stays | example |
/// |---|---|---|
/// | phone | first three and last four digits | `138****8000` |
/// | id_card | first three and last two | `110****16` |
/// | ssn, bank_card | last four | `****0366` |
/// | passport | first and last two | `E****78` |
/// | plate | province and letter | `京A****` |
/// | email | first character and domain | `w****@qq.com` |
/// | wechat, qq | first two characters | `ha****` |
/// | ip | first two numbers | `58.101.*.*` |
/// | address | province, city and district | `浙江省杭州市西湖区****` |
/// | name | surname; of a Latin name the initials | `王**`, `J*** S***` |
///
/// A mask does not tell how long the original was. A surname that stands alone before a title is masked whole.
pub(crate) fn mask_pii(text: &str, kinds: &[Kind]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for found in scan::scan(text) {
        if kinds.is_empty() || kinds.contains(&found.kind) {
            masked.push_str(&text[copied..found.start]);
            mask::push(&mut masked, found.kind, &found.value);
            copied = found.end;
        }
    }
    masked.push_str(&text[copied..]);
    masked
}

/// An argument that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

#[cfg(test)]
mod tests;
