//! The key under which spellings of one address agree: 广东省深圳市南山区科技园路１号院3栋 and 深圳南山科技园路一号院3幢.

use super::chinese::to_simplified;
use super::width::{fold, is_han};
use crate::privacy::digit;

/// Provinces, which a city makes superfluous, the longer forms first.
const PROVINCES: [&str; 28] = [
    "内蒙古自治区",
    "广西壮族自治区",
    "宁夏回族自治区",
    "新疆维吾尔自治区",
    "西藏自治区",
    "黑龙江省",
    "河北省",
    "山西省",
    "辽宁省",
    "吉林省",
    "江苏省",
    "浙江省",
    "安徽省",
    "福建省",
    "江西省",
    "山东省",
    "河南省",
    "湖北省",
    "湖南省",
    "广东省",
    "海南省",
    "四川省",
    "贵州省",
    "云南省",
    "陕西省",
    "甘肃省",
    "青海省",
    "台湾省",
];

/// Words of Latin addresses and their short forms.
const SHORT: [(&str, &str); 22] = [
    ("street", "st"),
    ("avenue", "ave"),
    ("road", "rd"),
    ("lane", "ln"),
    ("drive", "dr"),
    ("boulevard", "blvd"),
    ("court", "ct"),
    ("place", "pl"),
    ("square", "sq"),
    ("terrace", "ter"),
    ("highway", "hwy"),
    ("parkway", "pkwy"),
    ("apartment", "apt"),
    ("suite", "ste"),
    ("unit", "apt"),
    ("flat", "apt"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("saint", "st"),
    ("number", "no"),
];

/// The key of an address, `None` if it has no letter and no digit.
///
/// Chinese: simplified, half-width, numerals before a unit as digits, without country, province, the suffixes 市, 区,
/// 县 of what stands before the road, punctuation and white space; 幢 and 座 are 栋, 号楼 is 栋, 室 at the end goes.
/// Latin: lower-case words with the usual short forms.
pub(crate) fn address_key(address: &str) -> Option<String> {
    let folded: String = to_simplified(address).chars().map(fold).collect();
    let key = if folded.chars().any(is_han) { chinese(&folded) } else { latin(&folded) };
    (!key.is_empty()).then_some(key)
}

fn chinese(address: &str) -> String {
    let compact: String = address.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
    let local = compact.trim_start_matches("中国");
    let local = PROVINCES
        .iter()
        .find_map(|province| local.strip_prefix(province))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(local);
    let numbered = numerals_to_digits(local);
    let unified = numbered
        .replace("号楼", "栋")
        .replace(['幢', '座'], "栋")
        .replace("单元", "-")
        .replace('栋', "-")
        .replace('室', "")
        .replace("号院", "号");
    let (region, rest) = split_region(&unified);
    let region: String = region.chars().filter(|c| !matches!(c, '市' | '区' | '县')).collect();
    let mut key = region;
    for c in rest.chars() {
        if c != '-' || !key.ends_with('-') {
            key.push(c);
        }
    }
    key.trim_matches('-').to_owned()
}

/// Where the region ends: behind the last of 市, 区, 县 before the first digit.
fn split_region(address: &str) -> (&str, &str) {
    let until = address.find(|c: char| c.is_ascii_digit()).unwrap_or(address.len());
    let end = address[..until].rfind(['市', '区', '县']).map_or(0, |place| place + '市'.len_utf8());
    // 小区 and 社区 are estates, not districts.
    if address[..end].ends_with("小区") || address[..end].ends_with("社区") {
        (&address[..0], address)
    } else {
        address.split_at(end)
    }
}

/// Chinese numerals of up to three places before a unit become digits: 十二号 is 12号.
fn numerals_to_digits(address: &str) -> String {
    let chars: Vec<char> = address.chars().collect();
    let mut out = String::with_capacity(address.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let length = chars[at..].iter().take_while(|c| is_numeral(**c)).count();
        let unit = chars
            .get(at + length)
            .is_some_and(|c| matches!(c, '号' | '栋' | '幢' | '座' | '单' | '室' | '楼' | '层' | '弄'));
        match numeral(&chars[at..at + length]).filter(|_| length > 0 && unit) {
            Some(value) => out.push_str(&value.to_string()),
            None => out.extend(if length > 0 { chars[at..at + length].to_vec() } else { vec![c] }),
        }
        at += length.max(1);
    }
    out
}

fn is_numeral(c: char) -> bool {
    matches!(c, '十' | '百') || (!c.is_ascii() && digit(c).is_some())
}

/// The value of a numeral up to 999, or of digits read out one by one.
fn numeral(chars: &[char]) -> Option<u64> {
    if chars.is_empty() || chars.len() > 6 {
        return None;
    }
    if !chars.iter().any(|c| matches!(c, '十' | '百')) {
        return chars.iter().try_fold(0, |value, c| Some(value * 10 + u64::from(digit(*c)?)));
    }
    let (mut value, mut last) = (0, None);
    for c in chars {
        match c {
            '百' => value += last.take().unwrap_or(1) * 100,
            '十' => value += last.take().unwrap_or(1) * 10,
            c => last = digit(*c).map(u64::from).filter(|digit| *digit > 0),
        }
    }
    Some(value + last.unwrap_or(0))
}

fn latin(address: &str) -> String {
    let joined = address.replace(['.', '\'', '’'], "");
    let words = joined.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let short = |word| SHORT.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| *short);
    words.map(short).collect::<Vec<_>>().join(" ")
}
