//! Accounts that only a cue tells from other words: WeChat and QQ numbers, passports with letters.

use super::Kind;
use super::number::cued;
use super::phone::is_chinese_mobile;
use super::scan::Found;

/// What stands between a cue and the account, longest first.
const LINKS: [&str; 19] = [
    "号码是",
    "号码为",
    "号码",
    "账号是",
    "账号",
    "帐号",
    "号是",
    "号为",
    "号",
    "id is",
    "id",
    "number",
    "no.",
    "是",
    "为",
    "加",
    ":",
    "：",
    "=",
];

/// The account behind the ASCII cue word that begins at `at`: wx, vx, wechat, weixin, qq.
pub(super) fn at(text: &str, at: usize) -> Option<Found> {
    let rest = text.as_bytes().get(at..)?;
    let cues: [(&str, Kind); 5] = [
        ("wechat", Kind::Wechat),
        ("weixin", Kind::Wechat),
        ("wx", Kind::Wechat),
        ("vx", Kind::Wechat),
        ("qq", Kind::Qq),
    ];
    let (cue, kind) = cues.iter().find(|(cue, _)| {
        rest.get(..cue.len()).is_some_and(|head| head.eq_ignore_ascii_case(cue.as_bytes()))
    })?;
    let end = at + cue.len();
    let linked = skip_links(text, end);
    // wx_12345 is an account by itself, and the beginning of many another word.
    if linked == end && text.as_bytes().get(end).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    account(text, linked, *kind)
}

/// The WeChat account behind 微信, V信 or 威信, whose 信 ends at `end`.
pub(super) fn behind(text: &str, end: usize) -> Option<Found> {
    let cue = &text[..end];
    let known = ["微信", "V信", "v信", "威信", "薇信"].iter().any(|name| cue.ends_with(name));
    if known { account(text, skip_links(text, end), Kind::Wechat) } else { None }
}

fn skip_links(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start_matches([' ', '\u{3000}']);
        at += rest.len() - trimmed.len();
        let link = LINKS.iter().find(|link| {
            trimmed
                .as_bytes()
                .get(..link.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(link.as_bytes()))
        });
        match link {
            Some(link) => at += link.len(),
            None => return at,
        }
    }
}

fn account(text: &str, start: usize, kind: Kind) -> Option<Found> {
    let rest = text.as_bytes().get(start..)?;
    let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
    let value = text.get(start..start + length)?;
    // An address at qq.com is a mail address, and a mobile number a telephone number, whatever the cue.
    if rest.get(length) == Some(&b'@') || is_chinese_mobile(value) {
        return None;
    }
    let formed = match kind {
        Kind::Qq => {
            (5..=11).contains(&length) && value.bytes().all(|b| b.is_ascii_digit()) && !value.starts_with('0')
        }
        _ => {
            (6..=20).contains(&length)
                && value.starts_with(|c: char| c.is_ascii_alphabetic())
                && (value.contains(|c: char| c.is_ascii_digit() || c == '_')
                    || text[..start].ends_with([':', '：', '号', '是']))
        }
    };
    formed.then(|| Found { kind, start, end: start + length, value: value.to_owned() })
}

/// The passport that begins with the capital at `at`: one or two letters, nine characters in all, behind a cue.
pub(super) fn passport(text: &str, at: usize) -> Option<Found> {
    let rest = text.as_bytes().get(at..)?;
    let letters = rest.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let digits = rest.get(letters..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    let length = letters + digits;
    let ends = !rest.get(length).is_some_and(u8::is_ascii_alphanumeric);
    let formed = ends && matches!((letters, digits), (1, 8) | (2, 7) | (1, 7) | (2, 6));
    let found = formed && cued(text, at, &["护照", "通行证", "passport", "travel document"], 20);
    found.then(|| Found {
        kind: Kind::Passport,
        start: at,
        end: at + length,
        value: text[at..at + length].to_owned(),
    })
}
