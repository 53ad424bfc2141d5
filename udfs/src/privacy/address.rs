//! Chinese postal addresses: 浙江省杭州市西湖区文一西路12号阳光花园3栋2单元501室.
//!
//! The anchor is a number before a unit such as 号 or 栋. To its left stands a road or an estate, before that
//! province, city and district; to its right more numbers with units, and the estate or building.

use super::Kind;
use super::digits::{Group, digit};
use super::scan::Found;

/// Units of a house number, the longer ones first.
const UNITS: [&str; 14] =
    ["号楼", "号院", "号馆", "单元", "号", "弄", "栋", "幢", "座", "室", "楼", "层", "院", "期"];

/// What a road's name ends with.
const ROADS: [&str; 13] =
    ["大道", "街道", "大街", "胡同", "新村", "路", "街", "巷", "弄", "里", "村", "段", "环"];

/// What an estate's or building's name ends with.
const ESTATES: [&str; 34] = [
    "花园", "小区", "家园", "公寓", "大厦", "社区", "广场", "新城", "国际", "中心", "名苑", "花苑", "新苑",
    "家苑", "山庄", "庄园", "公馆", "华府", "学院", "大学", "宿舍", "大楼", "城", "苑", "府", "园", "湾",
    "庭", "郡", "村", "里", "邸", "屯", "组",
];

const PROVINCES: [&str; 34] = [
    "北京",
    "上海",
    "天津",
    "重庆",
    "河北",
    "山西",
    "辽宁",
    "吉林",
    "黑龙江",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "海南",
    "四川",
    "贵州",
    "云南",
    "陕西",
    "甘肃",
    "青海",
    "台湾",
    "内蒙古",
    "广西",
    "西藏",
    "宁夏",
    "新疆",
    "香港",
    "澳门",
];

/// Words with 路 and the like that are no road.
const NO_ROADS: [&str; 28] = [
    "半路",
    "一路",
    "铁路",
    "公路",
    "线路",
    "马路",
    "走路",
    "电路",
    "思路",
    "套路",
    "网路",
    "绕路",
    "跑路",
    "赶路",
    "问路",
    "修路",
    "顺路",
    "这条路",
    "那条路",
    "高速路",
    "在路",
    "的路",
    "逛街",
    "上街",
    "阶段",
    "时段",
    "手段",
    "公里",
];

/// Characters that end what stands before an address.
const BEFORE: &str = "在到是至往从去址寄送于的了我你他她它们给把住就搬发运叫填写成改为";

/// Longest part to the left and longest name of an estate, in characters.
const MOST_LEFT: usize = 40;
const MOST_ESTATE: usize = 9;

/// Whether a number before `c` may be a house number.
pub(super) fn is_unit(c: char) -> bool {
    matches!(c, '号' | '弄' | '栋' | '幢' | '座' | '室' | '单')
}

/// The address whose first number is `group`.
pub(super) fn around(text: &str, group: &Group) -> Option<Found> {
    let unit = unit_at(text, group.end)?;
    if group.digits.len() > 5 || matches!(unit, "楼" | "层" | "室" | "院" | "期") {
        return None;
    }
    let left = left_of(text, group.start);
    let road =
        ROADS.iter().any(|road| left.ends_with(road)) && !NO_ROADS.iter().any(|word| left.ends_with(word));
    // 人民南路四段 is a road, 阶段 and 时段 are not.
    let road = road && (!left.ends_with('段') || left.contains('路'));
    let estate = unit != "号" && ESTATES.iter().any(|estate| left.ends_with(estate));
    if !(road || estate) {
        return None;
    }
    let end = right_end(text, group.end + unit.len(), unit);
    let detailed = end > group.end + unit.len();
    let start = group.start - head_length(left, road, detailed)?;
    let follows = text[end..].chars().next();
    if !detailed
        && matches!(follows, Some('线' | '机' | '码' | '员' | '发' | '前' | '之' | '早' | '晚' | '以'))
    {
        return None;
    }
    Some(Found { kind: Kind::Address, start, end, value: text[start..end].to_owned() })
}

fn unit_at(text: &str, at: usize) -> Option<&'static str> {
    if text.as_bytes().get(at).is_none_or(u8::is_ascii) {
        return None;
    }
    UNITS.iter().find(|unit| text[at..].starts_with(**unit)).copied()
}

/// The Han characters and digits before `end`.
fn left_of(text: &str, end: usize) -> &str {
    let before = &text[..end];
    let parts =
        before.char_indices().rev().take(MOST_LEFT).take_while(|(_, c)| is_han(*c) || c.is_ascii_digit());
    &before[parts.last().map_or(end, |(place, _)| place)..]
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3007}')
}

/// How many bytes at the end of `left` belong to the address.
fn head_length(left: &str, road: bool, detailed: bool) -> Option<usize> {
    if let Some(place) = admin_start(left) {
        return Some(left.len() - place);
    }
    let start = left
        .rfind(|c| BEFORE.contains(c))
        .map_or(0, |place| place + left[place..].chars().next().map_or(0, char::len_utf8));
    let name = &left[start..];
    let length = name.chars().count();
    let district = name.find(['市', '区', '县', '镇', '乡']).is_some_and(|place| place > 0);
    let fits = match (road, district) {
        (_, true) => length <= 20,
        (true, false) => (2..=8).contains(&length),
        (false, false) => detailed && (3..=9).contains(&length),
    };
    fits.then_some(name.len())
}

/// Where the province or city begins that the address begins with.
fn admin_start(left: &str) -> Option<usize> {
    let province = PROVINCES.iter().filter_map(|name| Some((left.find(name)?, *name))).min();
    if let Some((place, name)) = province {
        let rest = &left[place + name.len()..];
        let next = ["省", "市", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区"];
        let road = ROADS.iter().any(|road| rest.starts_with(road));
        let goes_on = next.iter().any(|suffix| rest.starts_with(suffix)) || rest.contains(['市', '区', '县']);
        if goes_on && !road {
            return Some(place);
        }
    }
    None
}

/// The end of numbers, units and names that go on behind `at`; `unit` is the one just read.
fn right_end(text: &str, at: usize, unit: &str) -> usize {
    let mut end = at;
    let mut unit = unit;
    for _ in 0..6 {
        let next = part_end(text, end, unit).or_else(|| estate_end(text, end));
        let Some((behind, next_unit)) = next else { break };
        end = behind;
        unit = next_unit;
        if unit == "室" {
            break;
        }
    }
    end
}

/// A number with its unit at `at`, or a room's number behind a building's.
fn part_end(text: &str, at: usize, before: &str) -> Option<(usize, &'static str)> {
    let rest = text[at..].trim_start_matches(['-', '院', '内', ' ']);
    let start = text.len() - rest.len();
    let letter = rest.chars().next().filter(char::is_ascii_uppercase).map_or(0, char::len_utf8);
    let digits: usize = rest[letter..].chars().take_while(|c| digit(*c).is_some()).map(char::len_utf8).sum();
    let count = rest[letter..].chars().take_while(|c| digit(*c).is_some()).count();
    let end = start + letter + digits;
    if letter + digits == 0 || count > 5 {
        return None;
    }
    if let Some(unit) = unit_at(text, end) {
        return Some((end + unit.len(), unit));
    }
    let room =
        (2..=4).contains(&count) && matches!(before, "号楼" | "栋" | "幢" | "座" | "楼" | "单元" | "弄");
    let ends = !text[end..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    (room && ends).then_some((end, "室"))
}

/// An estate's name at `at`, if it ends like one or a building's number follows.
fn estate_end(text: &str, at: usize) -> Option<(usize, &'static str)> {
    let rest = &text[at..];
    let han: usize = rest.chars().take(MOST_ESTATE).take_while(|c| is_han(*c)).map(char::len_utf8).sum();
    let name = &rest[..han];
    let digits = rest[han..].chars().take_while(char::is_ascii_digit).count();
    if han > 0 && (1..=4).contains(&digits) {
        let behind = at + han + digits;
        if let Some(unit) = unit_at(text, behind).filter(|unit| !matches!(*unit, "号" | "楼" | "层" | "期"))
        {
            return Some((behind + unit.len(), unit));
        }
    }
    let suffixes = ESTATES.iter().filter(|suffix| suffix.chars().count() == 2);
    let nearest =
        suffixes.filter_map(|suffix| name.find(suffix).filter(|p| *p > 0).map(|p| p + suffix.len())).min()?;
    Some((at + nearest, "栋"))
}

/// Bytes of the province, city and district that `address` begins with.
pub(crate) fn region_length(address: &str) -> usize {
    let from = admin_start(address).unwrap_or(0);
    let mut end = 0;
    let mut since = 0;
    for (place, c) in address[from..].char_indices() {
        since += 1;
        if c.is_ascii_digit() || since > 8 {
            break;
        }
        if matches!(c, '省' | '市' | '区' | '县' | '旗' | '州') && place > 0 {
            end = from + place + c.len_utf8();
            since = 0;
        }
    }
    end
}
