//! Numbers that identify: which reading of a run of digits is personal data.

use super::digits::{self, Group, digit, is_numeral};
use super::scan::Found;
use super::{Kind, address, id_card, phone, street};

/// Groups that one number may be written in.
const MOST_PARTS: usize = 8;

/// Looks at the run of digits that begins at `start`; the result is where to go on.
pub(super) fn inspect(text: &str, start: usize, found: &mut Vec<Found>) -> usize {
    if let Some(end) = lonely_digits(text, start) {
        return end;
    }
    let groups = digits::read(text, start);
    let mut end = start + text[start..].chars().next().map_or(1, char::len_utf8);
    let mut first = 0;
    while let Some(group) = groups.get(first) {
        if let Some((number, parts)) = longest(text, &groups, first) {
            end = end.max(number.end);
            found.push(number);
            first += parts;
            continue;
        }
        let place = address::around(text, group).or_else(|| street::at(text, group));
        end = end.max(group.end);
        if let Some(place) = place {
            end = end.max(place.end);
            found.push(place);
            break;
        }
        first += 1;
    }
    end
}

/// The end of digits that are too few for a number and stand where no address can: most digits of most texts.
fn lonely_digits(text: &str, start: usize) -> Option<usize> {
    let rest = &text.as_bytes()[start..];
    let mut digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = digits;
    if digits == 0 {
        return lonely_numeral(text, start);
    }
    loop {
        match rest.get(at..(at + 2).min(rest.len())) {
            Some([b' ' | b'-' | b'.' | b')', b'0'..=b'9']) => {
                let more = rest[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
                digits += more;
                at += 1 + more;
            }
            // A street, or what may be a separator or unit beyond ASCII.
            Some([b' ', b'A'..=b'Z'] | [0x80..=0xff, ..] | [b')', b' ' | b'-']) => return None,
            _ if digits < 7 => return Some(start + at),
            _ => return None,
        }
        if digits >= 4 && rest[..at].iter().filter(|b| **b == b'.').count() == 3 {
            return None;
        }
    }
}

/// The same of one Chinese numeral or full-width digit.
fn lonely_numeral(text: &str, start: usize) -> Option<usize> {
    let mut chars = text[start..].chars();
    let end = start + chars.next()?.len_utf8();
    match chars.next() {
        None => Some(end),
        Some(c) if digit(c).is_some() || address::is_unit(c) || digits::as_separator(c).is_some() => None,
        Some(_) => Some(end),
    }
}

/// The longest number that begins with the group `first`, and how many groups it takes.
fn longest(text: &str, groups: &[Group], first: usize) -> Option<(Found, usize)> {
    let most = MOST_PARTS.min(groups.len() - first);
    (1..=most).rev().find_map(|parts| {
        let candidate = Candidate::new(text, groups, first, parts)?;
        Some((candidate.read()?, parts))
    })
}

/// Some groups read as one number.
pub(super) struct Candidate<'a> {
    pub(super) text: &'a str,
    pub(super) groups: &'a [Group],
    pub(super) digits: String,
    /// Where the first digit stands and where the last ends.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Candidate<'a> {
    /// `None` if the groups are a piece of something longer or of too many digits.
    fn new(text: &'a str, groups: &'a [Group], first: usize, parts: usize) -> Option<Self> {
        let before = first.checked_sub(1).and_then(|place| groups.get(place));
        if before.is_some_and(|group| !matches!(group.separator, ' ' | ')')) {
            return None;
        }
        let groups = groups.get(first..first + parts)?;
        let length: usize = groups.iter().map(|group| group.digits.len()).sum();
        if !(7..=20).contains(&length) && !looks_like_ip(groups) {
            return None;
        }
        let digits = groups.iter().map(|group| group.digits.as_str()).collect();
        let (start, end) = (groups.first()?.start, groups.last()?.end);
        let glued = text[..start].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        (!glued).then_some(Self { text, groups, digits, start, end })
    }

    fn read(&self) -> Option<Found> {
        if let Some(found) = self.id_card() {
            return Some(found);
        }
        if self.goes_on() {
            return None;
        }
        let numeral = self.text[self.start..].chars().next().is_some_and(is_numeral);
        if numeral {
            return phone::read(self);
        }
        self.ssn()
            .or_else(|| phone::read(self))
            .or_else(|| self.bank_card())
            .or_else(|| self.ip())
            .or_else(|| self.passport())
    }

    /// Whether a letter, or a group behind a dash or point, continues the number.
    fn goes_on(&self) -> bool {
        let last = self.groups.last().map_or('\0', |group| group.separator);
        matches!(last, '-' | '.')
            || self.text[self.end..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    /// The lengths of the groups.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.digits.len()).collect()
    }

    /// Whether the groups are joined by one kind of sign throughout (true of a single group).
    pub(super) fn joined_by(&self, signs: &[char]) -> bool {
        let inner = &self.groups[..self.groups.len() - 1];
        inner.iter().all(|group| signs.contains(&group.separator))
            && inner.windows(2).all(|pair| pair[0].separator == pair[1].separator)
    }

    pub(super) fn found(&self, kind: Kind, value: String) -> Found {
        Found { kind, start: self.start, end: self.end, value }
    }

    /// Whether one of `cues` (lower-case) stands in the `reach` characters before.
    pub(super) fn cued(&self, cues: &[&str], reach: usize) -> bool {
        cued(self.text, self.start, cues, reach)
    }

    fn id_card(&self) -> Option<Found> {
        if !self.joined_by(&[' ', '-']) {
            return None;
        }
        let mut value = self.digits.clone();
        let mut end = self.end;
        let check = self.text[end..].chars().next().filter(|c| matches!(c, 'X' | 'x' | 'Ｘ'));
        if let (17, Some(check)) = (value.len(), check) {
            value.push('X');
            end += check.len_utf8();
        }
        let whole = !self.text[end..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        (whole && id_card::is_valid(&value)).then_some(Found { end, ..self.found(Kind::IdCard, value) })
    }

    /// An issuer's prefix, Luhn's check digit, and the grouping of a card; other lengths need a cue.
    fn bank_card(&self) -> Option<Found> {
        let (digits, shape) = (self.digits.as_str(), self.shape());
        let usual = match digits.len() {
            16 => matches!(shape.as_slice(), [16] | [4, 4, 4, 4] | [6, 10]),
            19 => matches!(shape.as_slice(), [19] | [4, 4, 4, 4, 3] | [6, 13]),
            15 => matches!(shape.as_slice(), [15] | [4, 6, 5]) && digits.starts_with('3') && self.card_cue(),
            13 | 14 | 17 | 18 => shape.len() == 1 && self.card_cue(),
            _ => false,
        };
        let card = usual && self.joined_by(&[' ', '-']) && has_issuer(digits) && luhn(digits);
        card.then(|| self.found(Kind::BankCard, digits.to_owned()))
    }

    fn card_cue(&self) -> bool {
        self.cued(&["卡", "账号", "帐号", "card", "visa", "amex"], 14)
    }

    fn ssn(&self) -> Option<Found> {
        if !matches!(self.shape().as_slice(), [3, 2, 4]) || !self.joined_by(&['-', ' ']) {
            return None;
        }
        let (area, rest) = self.digits.split_at_checked(3)?;
        let (group, serial) = rest.split_at_checked(2)?;
        let assigned =
            !matches!(area, "000" | "666") && !area.starts_with('9') && group != "00" && serial != "0000";
        let cued = self.cued(&["ssn", "social security", "社会安全", "社保号"], 30);
        (assigned && cued).then(|| self.found(Kind::Ssn, self.digits.clone()))
    }

    fn ip(&self) -> Option<Found> {
        if !looks_like_ip(self.groups) || self.cued(&["版本", "version", "固件", "build", "release"], 10)
        {
            return None;
        }
        let parts: Vec<&str> = self.groups.iter().map(|group| group.digits.as_str()).collect();
        let fits = |part: &&str| part.parse::<u8>().is_ok() && (part.len() == 1 || !part.starts_with('0'));
        let address = parts.iter().all(fits) && parts.first() != Some(&"0");
        address.then(|| self.found(Kind::Ip, parts.join(".")))
    }

    /// Never reached by a passport with its letters, which [`Candidate::new`] holds for glued: this is the
    /// all-digit passport of other countries behind a cue.
    fn passport(&self) -> Option<Found> {
        let cued = self.shape() == [9] && self.cued(&["护照", "passport"], 8);
        cued.then(|| self.found(Kind::Passport, self.digits.clone()))
    }
}

/// Whether one of `cues` (lower-case) stands in the `reach` characters before `start`.
pub(super) fn cued(text: &str, start: usize, cues: &[&str], reach: usize) -> bool {
    let before = &text[..start];
    let from = before.char_indices().rev().nth(reach.saturating_sub(1)).map_or(0, |(place, _)| place);
    let near = before[from..].to_lowercase();
    cues.iter().any(|cue| near.contains(cue))
}

fn looks_like_ip(groups: &[Group]) -> bool {
    groups.len() == 4
        && groups.iter().all(|group| group.digits.len() <= 3)
        && groups[..3].iter().all(|group| group.separator == '.')
}

/// Prefixes of UnionPay, Visa, Mastercard, American Express, JCB, Diners and Discover.
fn has_issuer(digits: &str) -> bool {
    let prefix = |length: usize| digits.get(..length).and_then(|p| p.parse::<u32>().ok()).unwrap_or(0);
    matches!(prefix(1), 4)
        || matches!(prefix(2), 51..=55 | 60 | 62 | 65 | 34 | 37 | 36 | 38)
        || matches!(prefix(3), 300..=305 | 644..=649)
        || matches!(prefix(4), 2221..=2720 | 3528..=3589)
}

/// Luhn's checksum (ISO/IEC 7812-1).
fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (place, byte) in digits.bytes().rev().enumerate() {
        let value = u32::from(byte.wrapping_sub(b'0'));
        sum += match (place % 2, value) {
            (0, value) => value,
            (_, value @ 0..=4) => value * 2,
            (_, value) => value * 2 - 9,
        };
    }
    sum % 10 == 0 && digits.bytes().any(|byte| byte != b'0')
}
