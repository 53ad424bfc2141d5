//! The key under which spellings of one company's name agree: 深圳市腾讯科技有限公司 and 腾讯科技（深圳）有限公司.

use super::chinese::to_simplified;
use super::width::{fold, is_han};

/// Legal forms and what goes with them, the longer first.
const FORMS: [&str; 18] = [
    "股份有限责任公司",
    "股份有限公司",
    "集团有限公司",
    "有限责任公司",
    "有限公司",
    "有限合伙",
    "分公司",
    "子公司",
    "总公司",
    "公司",
    "集团",
    "控股",
    "股份",
    "总部",
    "企业",
    "商行",
    "经营部",
    "个体工商户",
];

const LATIN_FORMS: [&str; 26] = [
    "inc",
    "incorporated",
    "ltd",
    "limited",
    "llc",
    "llp",
    "lp",
    "plc",
    "corp",
    "corporation",
    "co",
    "company",
    "group",
    "holding",
    "holdings",
    "gmbh",
    "ag",
    "sa",
    "srl",
    "bv",
    "nv",
    "pty",
    "pte",
    "oy",
    "ab",
    "the",
];

/// Places that stand before a name or in brackets inside it.
const PLACES: [&str; 50] = [
    "中国",
    "北京",
    "上海",
    "天津",
    "重庆",
    "深圳",
    "广州",
    "杭州",
    "南京",
    "苏州",
    "成都",
    "武汉",
    "西安",
    "青岛",
    "厦门",
    "大连",
    "宁波",
    "长沙",
    "郑州",
    "济南",
    "福州",
    "合肥",
    "昆明",
    "沈阳",
    "哈尔滨",
    "长春",
    "石家庄",
    "太原",
    "南昌",
    "贵阳",
    "南宁",
    "海口",
    "兰州",
    "无锡",
    "佛山",
    "东莞",
    "珠海",
    "温州",
    "广东",
    "浙江",
    "江苏",
    "山东",
    "福建",
    "四川",
    "湖北",
    "湖南",
    "河南",
    "河北",
    "安徽",
    "香港",
];

/// The key of a company's name, `None` if nothing is left that names one.
///
/// Brackets, legal forms (有限公司, Inc), a place before the name or in brackets, case, width and punctuation do not
/// count; Chinese is simplified. If only a place and a form are there, they are the name.
pub(crate) fn company_key(name: &str) -> Option<String> {
    let folded: String = to_simplified(name).chars().map(fold).collect();
    let key = if folded.chars().any(is_han) { chinese(&folded) } else { latin(&folded) };
    (!key.is_empty()).then_some(key)
}

fn chinese(name: &str) -> String {
    let (outside, _) = split_brackets(name);
    let whole: String = outside.chars().filter(|c| c.is_alphanumeric()).collect();
    let bare = strip_forms(&whole);
    let without_place = PLACES
        .iter()
        .find_map(|place| bare.strip_prefix(place))
        .map(|rest| rest.strip_prefix(['市', '省']).unwrap_or(rest));
    match without_place {
        Some(rest) if rest.chars().count() >= 2 => rest.to_owned(),
        _ if bare.is_empty() => whole,
        _ => bare.to_owned(),
    }
}

fn strip_forms(name: &str) -> &str {
    let mut bare = name;
    while let Some(rest) =
        FORMS.iter().find_map(|form| bare.strip_suffix(form)).filter(|rest| rest.chars().count() >= 2)
    {
        bare = rest;
    }
    bare
}

/// What stands outside brackets, and what inside.
fn split_brackets(name: &str) -> (String, String) {
    let (mut outside, mut inside, mut depth) = (String::new(), String::new(), 0_usize);
    for c in name.chars() {
        match c {
            '(' | '[' | '【' => depth += 1,
            ')' | ']' | '】' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => inside.push(c),
        }
    }
    (outside, inside)
}

fn latin(name: &str) -> String {
    let (outside, _) = split_brackets(name);
    let joined = outside.replace(['.', '\'', '’'], "");
    let words = || {
        joined
            .split(|c: char| !c.is_alphanumeric() && c != '&')
            .filter(|word| !word.is_empty() && *word != "&")
    };
    let kept: Vec<&str> = words().filter(|word| !LATIN_FORMS.contains(word) && *word != "and").collect();
    if kept.is_empty() { words().collect::<Vec<_>>().join(" ") } else { kept.join(" ") }
}
