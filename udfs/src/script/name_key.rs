//! The key under which spellings of one person's name agree: 王小明先生, 王小明 and wang xiaoming.
//!
//! Titles are cut off, full-width and traditional forms folded, characters read as pinyin with the readings that
//! surnames have (单 is shan, 解 is xie). A Latin name keeps its words, lower-case and without accents' case.

use super::chinese::to_simplified;
use super::pinyin::{pinyin, syllable};
use super::width::{half_width, is_han};
use crate::privacy::compound_surname;

/// Titles behind a Chinese name, the longer first.
const BEHIND: [&str; 25] = [
    "总经理",
    "董事长",
    "副总裁",
    "副经理",
    "工程师",
    "先生",
    "女士",
    "小姐",
    "太太",
    "夫人",
    "师傅",
    "经理",
    "老师",
    "医生",
    "大夫",
    "主任",
    "教授",
    "阿姨",
    "律师",
    "总监",
    "老板",
    "同学",
    "同志",
    "博士",
    "总",
];

/// Titles before a Latin name.
const BEFORE: [&str; 14] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "madam",
    "mister",
    "dear",
    "mme",
    "herr",
];

/// Readings that characters have as surnames.
const SURNAMES: [(&str, &str); 32] = [
    ("单", "shan"),
    ("解", "xie"),
    ("仇", "qiu"),
    ("区", "ou"),
    ("查", "zha"),
    ("曾", "zeng"),
    ("盖", "ge"),
    ("任", "ren"),
    ("朴", "piao"),
    ("纪", "ji"),
    ("尉迟", "yu chi"),
    ("覃", "qin"),
    ("召", "shao"),
    ("翟", "zhai"),
    ("冼", "xian"),
    ("种", "chong"),
    ("繁", "po"),
    ("缪", "miao"),
    ("宓", "mi"),
    ("乐", "yue"),
    ("员", "yun"),
    ("万俟", "mo qi"),
    ("长孙", "zhang sun"),
    ("黑", "he"),
    ("秘", "bi"),
    ("折", "she"),
    ("晟", "cheng"),
    ("应", "ying"),
    ("华", "hua"),
    ("宁", "ning"),
    ("柏", "bai"),
    ("尉", "wei"),
];

/// The key of `name`, `None` if it holds neither characters nor letters.
pub(crate) fn name_key(name: &str) -> Option<String> {
    let half: String = name.chars().map(half_width).collect();
    let simple = to_simplified(&half);
    let plain = strip_brackets(&simple);
    let key = if plain.chars().any(is_han) { chinese(&plain) } else { latin(&plain) };
    (!key.is_empty()).then_some(key)
}

/// Without what stands in brackets: 李友琴(总经理).
fn strip_brackets(name: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

fn chinese(name: &str) -> String {
    let joined: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut bare = joined.as_str();
    // A title goes as long as a surname is left.
    while let Some(rest) =
        BEHIND.iter().find_map(|title| bare.strip_suffix(title)).filter(|rest| !rest.is_empty())
    {
        bare = rest;
    }
    if let Some((surname, reading)) =
        SURNAMES.iter().filter(|(s, _)| bare.starts_with(s)).max_by_key(|(s, _)| s.len())
    {
        return join(reading, &pinyin_of_given(&bare[surname.len()..]));
    }
    let surname =
        compound_surname(bare).map_or_else(|| bare.chars().next().map_or(0, char::len_utf8), str::len);
    join(&pinyin(&bare[..surname]), &pinyin_of_given(&bare[surname..]))
}

/// Characters one by one: the words of running text do not occur across a name.
fn pinyin_of_given(given: &str) -> String {
    let mut key = String::new();
    for c in given.chars() {
        match syllable(c) {
            Some(syllable) => key.push_str(syllable),
            None => key.extend(c.to_lowercase()),
        }
    }
    key
}

fn join(surname: &str, given: &str) -> String {
    let surname = surname.replace(' ', "");
    if given.is_empty() { surname } else { format!("{surname} {given}") }
}

fn latin(name: &str) -> String {
    let lower = name.to_lowercase().replace(['\'', '’', '.'], " ");
    let words =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && !BEFORE.contains(word));
    let (mut single, mut key) = (false, String::new());
    for word in words {
        // O'Brien and o brien are one word, but an initial before a name is not part of it.
        if !(key.is_empty() || (single && key == "o")) {
            key.push(' ');
        }
        key.push_str(word);
        single = word.chars().count() == 1;
    }
    key
}
