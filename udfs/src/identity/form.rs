//! The form under which values are compared, by kind.

use pinyin::ToPinyin;

use super::Kind;

/// Texts that stand for "no value".
const NOTHING: [&str; 14] =
    ["", "-", "--", "null", "none", "nan", "n/a", "na", "unknown", "[unknown]", "无", "未知", "匿名", "暂无"];

/// Forms of address that are not part of a name.
const TITLES: [&str; 6] = ["先生", "女士", "小姐", "同志", "老师", "太太"];

/// The same in front of a name in Latin letters.
const FRONT_TITLES: [&str; 6] = ["mr", "mrs", "ms", "miss", "dr", "prof"];

/// The 100 most frequent Chinese surnames of one character.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常";

/// Writes the normal form of `value` to `out`; false when the value says nothing.
pub(crate) fn normalise(kind: Kind, value: &str, out: &mut String) -> bool {
    out.clear();
    let value = value.trim();
    match kind {
        Kind::Phone => phone(value, out),
        Kind::Email | Kind::Identifier => out.extend(value.chars().map(plain).filter(|c| !c.is_whitespace())),
        Kind::Date => date(value, out),
        Kind::Name => name(value, out),
        Kind::Address => out.extend(value.chars().map(plain).filter(|c| c.is_alphanumeric())),
        Kind::Category | Kind::Text => words(value, out),
        Kind::Number => out.extend(value.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))),
    }
    !NOTHING.contains(&out.as_str()) && !NOTHING.contains(&value)
}

/// Lower case and half width.
pub(crate) fn plain(letter: char) -> char {
    let half = match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        other => other,
    };
    half.to_lowercase().next().unwrap_or(half)
}

/// Digits and stars, without China's country code.
fn phone(value: &str, out: &mut String) {
    out.extend(value.chars().map(plain).filter(|c| c.is_ascii_digit() || *c == '*'));
    let international = value.starts_with(['+', '＋']);
    let skip = if out.starts_with("0086") {
        4
    } else if out.starts_with("86") && (international || out.len() == 13) {
        2
    } else {
        0
    };
    out.drain(..skip);
    if out.chars().all(|c| c == '*') {
        out.clear();
    }
}

/// Digits, year first where it can be told.
fn date(value: &str, out: &mut String) {
    let mut parts = value.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    let Some(first) = first else { return };
    let (Some(second), Some(third)) = (second, third) else {
        out.push_str(first);
        out.extend(second.map(two));
        return;
    };
    let (year, month, day) =
        if first.len() >= 3 || third.len() < 3 { (first, second, third) } else { (third, second, first) };
    out.push_str(year);
    out.push_str(&two(month));
    out.push_str(&two(day));
}

fn two(part: &str) -> String {
    format!("{part:0>2}")
}

/// Words of letters, digits and stars with one space between; titles are cut off.
fn name(value: &str, out: &mut String) {
    let value = TITLES.iter().find_map(|title| value.strip_suffix(title)).unwrap_or(value);
    push_words(value, out, |c| c.is_alphanumeric() || c == '*');
    if let Some((first, rest)) = out.split_once(' ')
        && FRONT_TITLES.contains(&first)
    {
        *out = rest.to_owned();
    }
}

/// Words of letters and digits with one space between.
fn words(value: &str, out: &mut String) {
    push_words(value, out, char::is_alphanumeric);
}

fn push_words(value: &str, out: &mut String, keep: impl Fn(char) -> bool) {
    let mut gap = false;
    for letter in value.chars().map(plain) {
        if keep(letter) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(letter);
        } else if !matches!(letter, '\'' | '’' | '.') {
            gap = true;
        }
    }
}

/// The second, coarser form of a normal form: how a name sounds, a phone with its middle masked, the part of
/// an e-mail address before the @, the digits of an address. False when there is none.
pub(crate) fn aspect(kind: Kind, normal: &str, out: &mut String) -> bool {
    out.clear();
    match kind {
        Kind::Name => sound(normal, out),
        Kind::Phone => masked(normal, out),
        Kind::Email => out.push_str(normal.split('@').next().unwrap_or(normal)),
        Kind::Address => out.extend(normal.chars().filter(char::is_ascii_digit)),
        _ => {}
    }
    !out.is_empty()
}

fn sound(normal: &str, out: &mut String) {
    for letter in normal.chars().filter(|c| !c.is_whitespace() && *c != '*') {
        match letter.to_pinyin() {
            Some(syllable) => out.push_str(syllable.plain()),
            None => out.push(letter),
        }
    }
}

fn masked(normal: &str, out: &mut String) {
    if normal.len() >= 8 && normal.is_ascii() {
        out.push_str(&normal[..3]);
        out.push_str(&normal[normal.len() - 4..]);
        if out.contains('*') {
            out.clear();
        }
    }
}

/// Whether a name looks like one that is written on papers: Latin, or a Chinese surname and one to three
/// characters.
pub(crate) fn is_proper(name: &str) -> bool {
    let mut letters = name.chars();
    let Some(first) = letters.next() else { return false };
    if is_han(first) {
        return SURNAMES.contains(first) && (1..=3).contains(&letters.clone().count()) && letters.all(is_han);
    }
    first.is_alphabetic()
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}
