//! Runs of digits with their separators, read off a text.

/// The value of an ASCII or full-width digit or a Chinese numeral (幺 is said for 1 in telephone numbers).
pub(crate) fn digit(c: char) -> Option<u8> {
    let value = match c {
        '0'..='9' => c as u32 - '0' as u32,
        '０'..='９' => c as u32 - '０' as u32,
        '零' | '〇' => 0,
        '一' | '幺' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    };
    u8::try_from(value).ok()
}

/// Whether the digit is a Chinese numeral, which does not mix with the others in one number.
pub(super) fn is_numeral(c: char) -> bool {
    digit(c).is_some() && !c.is_ascii() && !('０'..='９').contains(&c)
}

/// Digits that touch one another.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) digits: String,
    pub(super) start: usize,
    pub(super) end: usize,
    /// What stands between this group and the next, `\0` if nothing that may.
    pub(super) separator: char,
}

/// No number that is looked for has more groups or more digits in one.
const MOST_GROUPS: usize = 64;
const MOST_DIGITS: usize = 24;

/// The groups that begin at `start`, joined by single separators (or a closing bracket and a space).
pub(super) fn read(text: &str, start: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut at = start;
    while groups.len() < MOST_GROUPS {
        let mut group = read_group(text, at);
        if group.digits.is_empty() {
            break;
        }
        let next = separator(text, group.end);
        group.separator = next.map_or('\0', |(sign, _)| sign);
        at = next.map_or(group.end, |(_, behind)| behind);
        let last = next.is_none();
        groups.push(group);
        if last {
            break;
        }
    }
    groups
}

fn read_group(text: &str, start: usize) -> Group {
    let mut group = Group { start, end: start, ..Group::default() };
    let mut script = None;
    for c in text[start..].chars() {
        let Some(value) = digit(c) else { break };
        if *script.get_or_insert(is_numeral(c)) != is_numeral(c) {
            break;
        }
        // What is too long for any number is read to its end, but not kept.
        if group.digits.len() <= MOST_DIGITS {
            group.digits.push(char::from(b'0' + value));
        }
        group.end += c.len_utf8();
    }
    // 一 behind a number mostly begins a word: 一直, 一下.
    let word = text[group.end..].starts_with(['直', '下', '次', '定', '般', '样', '个', '点', '共']);
    if script == Some(true) && word && group.digits.len() == 12 && text[..group.end].ends_with('一') {
        group.digits.pop();
        group.end -= '一'.len_utf8();
    }
    group
}

/// The sign after `end` if a digit follows it, and where that digit stands.
fn separator(text: &str, end: usize) -> Option<(char, usize)> {
    let mut signs = text[end..].chars();
    let first = signs.next()?;
    let sign = as_separator(first)?;
    let mut behind = end + first.len_utf8();
    let mut next = signs.next()?;
    if sign == ')' && matches!(next, ' ' | '-') {
        behind += 1;
        next = signs.next()?;
    }
    digit(next).map(|_| (sign, behind))
}

/// The sign in ASCII if it may stand between the digits of a number.
pub(super) fn as_separator(c: char) -> Option<char> {
    match c {
        ' ' | '\u{a0}' | '\u{3000}' => Some(' '),
        '-' | '－' | '–' | '—' | '‐' | '‑' => Some('-'),
        '.' | '．' => Some('.'),
        ')' | '）' => Some(')'),
        _ => None,
    }
}
