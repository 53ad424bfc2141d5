//! People, and the records three systems hold about them.
//!
//! A person's records share at least one exact identifier in a chain, so that every person can be resolved
//! and no two people can be merged.

use super::calendar::{self, DAY, START, Second};
use super::dice::Dice;

pub(super) struct Person {
    pub(super) chinese: bool,
    pub(super) name: String,
    pub(super) woman: bool,
    pub(super) city: &'static City,
    pub(super) phone: String,
    pub(super) email: String,
    /// Present when the person is a member of the shop.
    pub(super) member_no: Option<String>,
    /// `(openid, unionid)`, present when the person uses the mini-program.
    pub(super) wechat: Option<(String, String)>,
    /// How much kinder than average the person's scores are, in standard deviations.
    pub(super) kindness: f64,
    pub(super) joined_at: Second,
    records: Records,
}

/// Which records exist beside those that `member_no` and `wechat` imply.
struct Records {
    hotline: bool,
    second_membership: bool,
    unionid_in_shop: bool,
    phone_in_wechat: bool,
    email_in_shop: bool,
    tier: &'static str,
    updated_at: Second,
}

pub(super) struct City {
    pub(super) chinese: &'static str,
    pub(super) english: &'static str,
    /// The couriers that serve it, the main one first, with their weights.
    pub(super) couriers: &'static [(Courier, i64)],
    streets: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Courier {
    Bluebird,
    Polaris,
    Shuttle,
}

impl Courier {
    pub(super) fn chinese(self) -> &'static str {
        match self {
            Courier::Bluebird => "青鸟快递",
            Courier::Polaris => "北辰物流",
            Courier::Shuttle => "飞梭速运",
        }
    }

    pub(super) fn english(self) -> &'static str {
        match self {
            Courier::Bluebird => "Bluebird Express",
            Courier::Polaris => "Polaris Logistics",
            Courier::Shuttle => "Shuttle Courier",
        }
    }
}

/// The city whose main courier gets worse in the last quarter.
pub(super) const WORSE_CITY: &str = "成都";
pub(super) const WORSE_COURIER: Courier = Courier::Bluebird;

use Courier::{Bluebird, Polaris, Shuttle};

static CITIES: [(City, i64); 8] = [
    (
        city(
            "上海",
            "Shanghai",
            &[(Shuttle, 6), (Bluebird, 4)],
            &["徐汇区天平路", "浦东新区锦绣路", "杨浦区国权路"],
        ),
        20,
    ),
    (
        city(
            "北京",
            "Beijing",
            &[(Polaris, 7), (Shuttle, 3)],
            &["朝阳区望京街", "海淀区学院路", "丰台区方庄路"],
        ),
        18,
    ),
    (city("广州", "Guangzhou", &[(Shuttle, 5), (Polaris, 5)], &["天河区体育西路", "越秀区农林下路"]), 13),
    (city("深圳", "Shenzhen", &[(Shuttle, 7), (Bluebird, 3)], &["南山区科苑路", "福田区莲花路"]), 13),
    (city("杭州", "Hangzhou", &[(Bluebird, 6), (Polaris, 4)], &["西湖区文三路", "滨江区江南大道"]), 11),
    (
        city(
            "成都",
            "Chengdu",
            &[(Bluebird, 8), (Polaris, 2)],
            &["武侯区科华路", "锦江区东大街", "高新区天府大道"],
        ),
        11,
    ),
    (city("武汉", "Wuhan", &[(Polaris, 6), (Bluebird, 4)], &["洪山区珞喻路", "武昌区中北路"]), 8),
    (city("西安", "Xi'an", &[(Polaris, 5), (Shuttle, 5)], &["雁塔区小寨路", "碑林区友谊西路"]), 6),
];

const fn city(
    chinese: &'static str,
    english: &'static str,
    couriers: &'static [(Courier, i64)],
    streets: &'static [&'static str],
) -> City {
    City { chinese, english, couriers, streets }
}

const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
    "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "欧阳", "上官", "诸葛",
    "司徒",
];
const GIVEN_WOMEN: &[&str] = &[
    "静", "敏", "丽", "婷", "雪", "欣怡", "雨桐", "梦洁", "诗涵", "思琪", "晓燕", "佳慧", "海霞", "玉兰",
    "一诺", "子萱", "若曦", "秀英", "嘉怡", "文静",
];
const GIVEN_MEN: &[&str] = &[
    "伟", "强", "磊", "军", "洋", "浩然", "子轩", "志强", "建国", "俊杰", "宇航", "天佑", "明辉", "家豪",
    "晨", "博文", "振华", "立群", "嘉诚", "文博",
];
const FIRST_WOMEN: &[&str] = &[
    "Emma", "Olivia", "Sophie", "Grace", "Hannah", "Laura", "Maria", "Anna", "Claire", "Julia", "Nora",
    "Ruth",
];
const FIRST_MEN: &[&str] = &[
    "James", "Daniel", "Peter", "Thomas", "Michael", "David", "Oliver", "Henry", "Lucas", "Martin", "Simon",
];
const LAST: &[&str] = &[
    "Smith", "Brown", "Wilson", "Taylor", "Clark", "Walker", "Young", "Hill", "Green", "Baker", "Carter",
    "Murphy", "O'Brien", "Müller", "Rossi", "García", "Dubois", "Novak", "Larsen", "Kim",
];
const NICKNAMES: &[&str] = &[
    "小鱼干",
    "芝麻汤圆",
    "阿木",
    "晚风",
    "柠檬不酸",
    "一只橘猫",
    "北方的海",
    "云朵☁️",
    "momo",
    "Sunny",
    "吃瓜群众",
    "青石板",
    "豆豆妈",
    "老张头",
    "随风",
    "🌸花花",
];

pub(super) fn generate(count: usize, dice: &mut Dice) -> Vec<Person> {
    (0..count).map(|index| person(index, dice)).collect()
}

fn person(index: usize, dice: &mut Dice) -> Person {
    let chinese = dice.chance(0.76);
    let woman = dice.chance(0.56);
    let mut member = dice.chance(0.82);
    let wechat = dice.chance(0.64);
    let hotline = dice.chance(0.3);
    if !member && !wechat && !hotline {
        member = true;
    }
    let phone_in_wechat = if member { dice.chance(0.6) } else { true };
    // The later the start, the less of a person's purchases the window shows: most start early.
    let start = dice.unit();
    let joined_at = START + (start * start * 500.0 * DAY as f64) as Second - dice.between(0, 30 * DAY);
    Person {
        chinese,
        name: name(chinese, woman, dice),
        woman,
        city: city_of(dice),
        phone: phone(index),
        email: email(index, chinese, dice),
        member_no: member.then(|| format!("{:010}", 1_000 + index as i64 * 13 + dice.between(0, 12))),
        wechat: wechat.then(|| (format!("o{}", dice.token(27)), format!("u{}", dice.token(27)))),
        kindness: dice.normal() * 0.5,
        joined_at,
        records: Records {
            hotline,
            second_membership: dice.chance(0.06),
            unionid_in_shop: !phone_in_wechat || dice.chance(0.3),
            phone_in_wechat,
            email_in_shop: dice.chance(0.7),
            tier: dice.weighted(&[("standard", 60), ("silver", 25), ("gold", 12), ("platinum", 3)]),
            updated_at: joined_at + dice.between(0, 120 * DAY),
        },
    }
}

fn city_of(dice: &mut Dice) -> &'static City {
    let weights: Vec<(&'static City, i64)> = CITIES.iter().map(|(city, weight)| (city, *weight)).collect();
    dice.weighted(&weights)
}

fn name(chinese: bool, woman: bool, dice: &mut Dice) -> String {
    if chinese {
        let given = if woman { GIVEN_WOMEN } else { GIVEN_MEN };
        format!("{}{}", dice.pick(SURNAMES), dice.pick(given))
    } else {
        let first = if woman { FIRST_WOMEN } else { FIRST_MEN };
        format!("{} {}", dice.pick(first), dice.pick(LAST))
    }
}

/// Distinct for each index: multiplication modulo a prime is a permutation.
fn phone(index: usize) -> String {
    const PREFIXES: [&str; 5] = ["139", "138", "186", "159", "177"];
    let suffix = (index as u64 * 48_271 + 12_345) % 99_999_989;
    format!("{}{suffix:08}", PREFIXES[index % PREFIXES.len()])
}

fn email(index: usize, chinese: bool, dice: &mut Dice) -> String {
    let word = if chinese {
        dice.pick(&["xiaoyu", "wangwang", "lijing", "zhang.w", "chenchen", "liu_y", "yang", "zhao.lei"])
    } else {
        dice.pick(&["emma", "dan", "pete", "sophie.b", "mike", "laura_k", "henry", "nora"])
    };
    format!("{word}{index}@{}", dice.pick(&["example.com", "example.net", "example.org"]))
}

/// A number as people and systems write it: [`super`]'s identity rules see the same digits in all of them.
pub(super) fn written_phone(phone: &str, dice: &mut Dice) -> String {
    let (a, b, c) = (&phone[..3], &phone[3..7], &phone[7..]);
    match dice.between(0, 7) {
        0 => format!("+86 {phone}"),
        1 => format!("{a}-{b}-{c}"),
        2 => format!("{a} {b} {c}"),
        3 => format!("0086-{phone}"),
        _ => phone.to_owned(),
    }
}

fn written_email(email: &str, dice: &mut Dice) -> String {
    match dice.between(0, 5) {
        0 => email.to_uppercase(),
        1 => format!(" {email}"),
        _ => email.to_owned(),
    }
}

/// Which of a person's identifiers a system kept, as `(key_type, key_value)`.
pub(super) fn shop_key(person: &Person, dice: &mut Dice) -> (&'static str, String) {
    match (&person.member_no, &person.wechat) {
        (Some(_), Some((_, unionid))) if dice.chance(0.4) => ("wechat_unionid", unionid.clone()),
        (Some(member_no), _) => ("member_no", member_no.clone()),
        (None, Some((_, unionid))) => ("wechat_unionid", unionid.clone()),
        (None, None) => ("phone", written_phone(&person.phone, dice)),
    }
}

pub(super) const SHOP_HEADER: &[&str] = &[
    "member_id",
    "member_no",
    "full_name",
    "mobile",
    "email",
    "unionid",
    "gender",
    "birthday",
    "city",
    "address",
    "tier",
    "registered_at",
    "last_modified",
];

/// The shop's customer records: one a member, two for those who registered again with the same number.
pub(super) fn shop_rows(people: &[Person], dice: &mut Dice) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (index, person) in people.iter().enumerate() {
        let Some(member_no) = &person.member_no else { continue };
        rows.push(shop_row(format!("M{index:07}"), member_no, person, dice));
        if person.records.second_membership {
            let mut again = shop_row(format!("M{:07}", index + 5_000_000), member_no, person, dice);
            again[3] = String::new();
            again[4] = String::new();
            rows.push(again);
        }
    }
    rows
}

fn shop_row(id: String, member_no: &str, person: &Person, dice: &mut Dice) -> Vec<String> {
    let records = &person.records;
    let unionid =
        person.wechat.as_ref().filter(|_| records.unionid_in_shop).map(|(_, unionid)| unionid.clone());
    let street = dice.pick(person.city.streets);
    vec![
        id,
        member_no.to_owned(),
        person.name.clone(),
        written_phone(&person.phone, dice),
        if records.email_in_shop { written_email(&person.email, dice) } else { String::new() },
        unionid.unwrap_or_default(),
        if person.woman { "F" } else { "M" }.to_owned(),
        calendar::date(dice.between(-315_000_000, 1_180_000_000)),
        person.city.chinese.to_owned(),
        format!("{}{street}{}号, {}室", person.city.chinese, dice.between(1, 300), dice.between(101, 2_808)),
        records.tier.to_owned(),
        calendar::instant(person.joined_at),
        calendar::instant(records.updated_at),
    ]
}

pub(super) const WECHAT_HEADER: &[&str] =
    &["openid", "unionid", "nickname", "phone", "language", "city", "subscribed_at", "updated_at"];

pub(super) fn wechat_rows(people: &[Person], dice: &mut Dice) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for person in people {
        let Some((openid, unionid)) = &person.wechat else { continue };
        let phone =
            if person.records.phone_in_wechat { written_phone(&person.phone, dice) } else { String::new() };
        rows.push(vec![
            openid.clone(),
            unionid.clone(),
            dice.pick(NICKNAMES).to_owned(),
            phone,
            if person.chinese { "zh_CN" } else { "en" }.to_owned(),
            person.city.chinese.to_owned(),
            calendar::instant(person.joined_at + dice.between(0, 5 * DAY)),
            calendar::instant(person.joined_at + dice.between(6 * DAY, 12 * DAY)),
        ]);
    }
    rows
}

pub(super) const HOTLINE_HEADER: &[&str] =
    &["contact_no", "caller_name", "caller_phone", "first_called_on", "note"];

pub(super) fn hotline_rows(people: &[Person], dice: &mut Dice) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (index, person) in people.iter().enumerate().filter(|(_, person)| person.records.hotline) {
        let title = match (person.chinese, person.woman) {
            (true, true) => format!("{}女士", person.name.chars().next().unwrap_or('某')),
            (true, false) => format!("{}先生", person.name.chars().next().unwrap_or('某')),
            (false, true) => format!("Ms {}", person.name.split(' ').next_back().unwrap_or_default()),
            (false, false) => format!("Mr {}", person.name.split(' ').next_back().unwrap_or_default()),
        };
        rows.push(vec![
            format!("{:08}", index + 77),
            title,
            written_phone(&person.phone, dice),
            calendar::date(person.joined_at - dice.between(0, 20 * DAY)),
            dice.pick(&["", "", "回访; 下午联系", "prefers English; \"after 6 pm\"", "老客户"]).to_owned(),
        ]);
    }
    rows
}
