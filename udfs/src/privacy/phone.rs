//! Telephone numbers: numbering plans of China, North America and Britain, and E.164 for the rest.

use super::Kind;
use super::number::Candidate;
use super::scan::Found;

/// A number with its country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialled {
    /// `+`, country code and national number without trunk prefix.
    pub(crate) e164: String,
    /// Answered by a firm at no charge (400, 800): nobody's personal number.
    pub(crate) service: bool,
}

impl Dialled {
    fn new(code: &str, national: &str) -> Self {
        Self { e164: format!("+{code}{national}"), service: false }
    }
}

/// Reads `digits` as dialled in the country with calling code `home`; `plus` says that a plus sign stood before.
pub(crate) fn dialled(digits: &str, plus: bool, home: &str) -> Option<Dialled> {
    if plus {
        return international(digits);
    }
    if let Some(rest) =
        digits.strip_prefix("00").or_else(|| digits.strip_prefix("011").filter(|_| home == "1"))
    {
        return international(rest);
    }
    let national = match home {
        "86" => china(digits),
        "1" => america(digits.strip_prefix('1').unwrap_or(digits)),
        "44" => digits.strip_prefix('0').and_then(britain),
        _ => elsewhere(digits, home),
    };
    // A country code is often written without its plus sign.
    national.or_else(|| digits.strip_prefix("86").filter(|rest| is_chinese_mobile(rest)).and_then(china))
}

fn elsewhere(digits: &str, home: &str) -> Option<Dialled> {
    let national = digits.strip_prefix('0').unwrap_or(digits);
    let fits = (6..=13).contains(&national.len()) && national.len() + home.len() <= 15;
    fits.then(|| Dialled::new(home, national))
}

fn international(digits: &str) -> Option<Dialled> {
    if let Some(rest) = digits.strip_prefix("86") {
        return china(rest).or_else(|| china(&format!("0{rest}")));
    }
    if let Some(rest) = digits.strip_prefix('1') {
        return america(rest);
    }
    if let Some(rest) = digits.strip_prefix("44") {
        return britain(rest.strip_prefix('0').unwrap_or(rest));
    }
    let fits = (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    fits.then(|| Dialled { e164: format!("+{digits}"), service: false })
}

pub(crate) fn is_chinese_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// A mobile, a landline with trunk prefix and area code, or a 400/800 number.
fn china(digits: &str) -> Option<Dialled> {
    if is_chinese_mobile(digits) {
        return Some(Dialled::new("86", digits));
    }
    if digits.len() == 10 && (digits.starts_with("400") || digits.starts_with("800")) {
        return Some(Dialled { service: true, ..Dialled::new("86", digits) });
    }
    let national = digits.strip_prefix('0')?;
    let bytes = national.as_bytes();
    let (area, local) = match bytes {
        [b'1', b'0', ..] | [b'2', b'0'..=b'5' | b'7'..=b'9', ..] => (2, 8..=8),
        [b'3'..=b'9', b'1'..=b'9', ..] => (3, 7..=8),
        _ => return None,
    };
    let fits =
        local.contains(&(national.len().checked_sub(area)?)) && matches!(bytes.get(area), Some(b'2'..=b'8'));
    fits.then(|| Dialled::new("86", national))
}

/// North American Numbering Plan: NXX-NXX-XXXX.
fn america(digits: &str) -> Option<Dialled> {
    let bytes = digits.as_bytes();
    let leads = matches!(bytes.first(), Some(b'2'..=b'9')) && matches!(bytes.get(3), Some(b'2'..=b'9'));
    let special = matches!(bytes.get(1..3), Some([b'1', b'1'] | [b'9', _]));
    if bytes.len() != 10 || !leads || special {
        return None;
    }
    let service =
        digits.starts_with("400") || (bytes[0] == b'8' && (bytes[1] == b'0' || bytes[1] == bytes[2]));
    Some(Dialled { service, ..Dialled::new("1", digits) })
}

/// Britain without its trunk prefix 0.
fn britain(digits: &str) -> Option<Dialled> {
    let service = digits.starts_with("80");
    let known = matches!(digits.as_bytes().first(), Some(b'1' | b'2' | b'3' | b'5' | b'7' | b'8'));
    let fits = digits.len() == 10 || (digits.len() == 9 && matches!(digits.as_bytes().first(), Some(b'1')));
    (known && fits).then(|| Dialled { service, ..Dialled::new("44", digits) })
}

const PHONE_CUES: [&str; 18] = [
    "电话",
    "手机",
    "号码",
    "联系",
    "座机",
    "致电",
    "拨打",
    "请拨",
    "tel",
    "phone",
    "call",
    "mobile",
    "cell",
    "reach",
    "dial",
    "text me",
    "contact",
    "number is",
];

const OTHER_CUES: [&str; 14] = [
    "订单",
    "单号",
    "编号",
    "流水",
    "条码",
    "会员号",
    "序列号",
    "货号",
    "order",
    "tracking",
    "invoice",
    "ref",
    "serial",
    "sku",
];

/// A personal telephone number in a text. Its value is `+` and digits if it was written so, else digits.
pub(super) fn read(candidate: &Candidate<'_>) -> Option<Found> {
    let head = Head::of(candidate);
    let digits = candidate.digits.as_str();
    let number = if head.plus || digits.starts_with("00") {
        dialled(digits, head.plus, "86").filter(|_| candidate.joined_by(&[' ', '-']) || head.bracket)
    } else {
        chinese(candidate, &head).or_else(|| american(candidate, &head)).or_else(|| british(candidate))
    };
    if number?.service || (!is_cued(candidate) && candidate.cued(&OTHER_CUES, 8)) {
        return None;
    }
    let value = if head.plus { format!("+{digits}") } else { digits.to_owned() };
    Some(Found { start: head.start, ..candidate.found(Kind::Phone, value) })
}

fn is_cued(candidate: &Candidate<'_>) -> bool {
    candidate.cued(&PHONE_CUES, 12)
}

/// The plus sign or bracket before the first digit.
struct Head {
    start: usize,
    plus: bool,
    bracket: bool,
}

impl Head {
    fn of(candidate: &Candidate<'_>) -> Self {
        let mut head = Head { start: candidate.start, plus: false, bracket: false };
        let closes = candidate.groups.iter().any(|group| group.separator == ')');
        for c in candidate.text[..candidate.start].chars().rev().take(2) {
            match c {
                '(' | '（' if closes && !head.bracket && !head.plus => head.bracket = true,
                '+' | '＋' if !head.plus => head.plus = true,
                _ => break,
            }
            head.start -= c.len_utf8();
        }
        head
    }
}

fn chinese(candidate: &Candidate<'_>, head: &Head) -> Option<Dialled> {
    let shape = candidate.shape();
    let joined = candidate.joined_by(&[' ', '-']);
    let whole = |digits: &str| dialled(digits, false, "86");
    match shape.as_slice() {
        [11 | 13] | [3, 4, 4] | [3, 8] | [7, 4] | [5, 6] | [2, 11] | [2, 3, 4, 4] | [3, 3, 5] if joined => {
            whole(&candidate.digits).filter(|n| {
                is_chinese_mobile(n.e164.trim_start_matches("+86"))
                    || matches!(shape.as_slice(), [11] | [3, 8]) && candidate.digits.starts_with('0')
            })
        }
        [10 | 12] if candidate.digits.starts_with('0') => whole(&candidate.digits),
        [3 | 4, 7 | 8] if joined || head.bracket => {
            whole(&candidate.digits).filter(|_| candidate.digits.starts_with('0'))
        }
        [3 | 4, local @ (7 | 8), 1..=6] if joined || head.bracket => {
            let number = candidate.digits.get(..shape.first()? + local)?;
            whole(number).filter(|_| number.starts_with('0'))
        }
        [3 | 4, 4, 4] | [4, 3, 4] if joined => {
            whole(&candidate.digits).filter(|_| candidate.digits.starts_with('0'))
        }
        _ => None,
    }
}

fn american(candidate: &Candidate<'_>, head: &Head) -> Option<Dialled> {
    let uniform = candidate.joined_by(&['-']) || candidate.joined_by(&['.']);
    let cued = || is_cued(candidate);
    let formed = match candidate.shape().as_slice() {
        [3, 3, 4] => uniform || head.bracket || (candidate.joined_by(&[' ']) && cued()),
        [1, 3, 3, 4] => candidate.digits.starts_with('1') && (uniform || cued()),
        [3, 7] => head.bracket,
        [10] => cued(),
        [11] => candidate.digits.starts_with('1') && cued(),
        _ => false,
    };
    if formed { dialled(&candidate.digits, false, "1") } else { None }
}

fn british(candidate: &Candidate<'_>) -> Option<Dialled> {
    let formed = matches!(
        candidate.shape().as_slice(),
        [11] | [5, 6] | [4, 3, 4] | [3, 4, 4] | [5, 3, 3] | [5, 5] | [4, 7] | [3, 8]
    );
    if formed && candidate.joined_by(&[' ', '-']) { dialled(&candidate.digits, false, "44") } else { None }
}
