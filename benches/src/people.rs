//! People as six source systems know them: what an identity resolution has to see through, and the truth.
//!
//! Names are typed by sound, masked, nicknamed or written in pinyin; telephones have prefixes, slips and stars,
//! belong to a household, were somebody else's before, or are a placeholder; addresses have moved.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use voxhouse_engine::identity::matching::{COLUMNS, Record};

/// A record and the person it is of.
#[derive(Debug, Clone)]
pub struct Known {
    pub record: Record,
    pub person: u32,
}

/// About so many records of a person.
const RECORDS_A_PERSON: f64 = 2.6;

const SURNAMES: [(&str, &str); 20] = [
    ("王", "wang"),
    ("李", "li"),
    ("张", "zhang"),
    ("刘", "liu"),
    ("陈", "chen"),
    ("杨", "yang"),
    ("黄", "huang"),
    ("赵", "zhao"),
    ("吴", "wu"),
    ("周", "zhou"),
    ("徐", "xu"),
    ("孙", "sun"),
    ("马", "ma"),
    ("朱", "zhu"),
    ("胡", "hu"),
    ("郭", "guo"),
    ("何", "he"),
    ("林", "lin"),
    ("高", "gao"),
    ("罗", "luo"),
];

/// Syllables of given names, and the characters that sound so.
const SYLLABLES: [(&str, &str); 24] = [
    ("wei", "伟维炜薇"),
    ("ting", "婷廷庭"),
    ("jun", "军俊君钧"),
    ("li", "丽莉力立"),
    ("hua", "华桦骅"),
    ("ming", "明铭鸣"),
    ("xin", "欣鑫新昕"),
    ("yu", "宇玉雨瑜"),
    ("jie", "杰洁捷"),
    ("fang", "芳方舫"),
    ("qiang", "强蔷"),
    ("min", "敏民旻"),
    ("jing", "静晶京景"),
    ("hao", "浩昊豪皓"),
    ("chen", "晨辰宸"),
    ("yan", "燕艳妍岩"),
    ("bo", "博波柏"),
    ("ping", "平萍苹"),
    ("lei", "磊蕾雷"),
    ("na", "娜纳"),
    ("tao", "涛桃"),
    ("peng", "鹏朋"),
    ("xia", "霞夏"),
    ("kai", "凯恺"),
];

const CITIES: [&str; 12] =
    ["上海", "北京", "广州", "深圳", "杭州", "成都", "武汉", "西安", "南京", "重庆", "苏州", "天津"];
const ROADS: [&str; 16] = [
    "人民路",
    "解放路",
    "中山路",
    "建设路",
    "和平路",
    "文化路",
    "新华路",
    "长江路",
    "黄河路",
    "学院路",
    "滨河路",
    "朝阳路",
    "光明路",
    "胜利路",
    "友谊路",
    "幸福路",
];
const ESTATES: [&str; 12] = [
    "阳光花园",
    "锦绣家园",
    "金色港湾",
    "翠湖天地",
    "世纪城",
    "万科城",
    "碧桂园",
    "绿城玫瑰园",
    "中海国际",
    "龙湖春天",
    "保利花园",
    "恒大名都",
];
const NICKNAMES: [&str; 12] =
    ["小", "阿", "大", "快乐的", "爱吃的", "追风", "星空下的", "云朵", "可爱", "不吃鱼的", "夏日", "南方"];

struct Person {
    surname: (&'static str, &'static str),
    given: Vec<(&'static str, char)>,
    phone: String,
    email: String,
    openid: String,
    member_no: String,
    id_card: String,
    city: &'static str,
    address: String,
    moved_to: String,
    born: String,
    nickname: String,
}

/// `records` records in the order of their source systems and ids; the same seed makes the same ones.
pub fn records(records: usize, seed: u64) -> Vec<Known> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut people: Vec<Person> = Vec::new();
    let mut made: Vec<Known> = Vec::with_capacity(records + 6);
    while made.len() < records {
        let person = person(&mut dice, &people);
        let number = people.len() as u32;
        for system in systems(&mut dice) {
            let values = values(&mut dice, &person, system);
            let values = COLUMNS.iter().map(|(name, _)| value_of(&values, name)).collect();
            let record_id = format!("{:08}", made.len()).into();
            let record = Record { source_system: system.into(), record_id, values };
            made.push(Known { record, person: number });
        }
        people.push(person);
    }
    made.truncate(records);
    made.sort_by(|a, b| {
        let name = |known: &Known| (known.record.source_system.clone(), known.record.record_id.clone());
        name(a).cmp(&name(b))
    });
    made
}

fn value_of(values: &[(&str, Option<String>)], name: &str) -> Option<Box<str>> {
    values.iter().find(|(column, _)| *column == name)?.1.as_deref().map(Into::into)
}

fn systems(dice: &mut ChaCha8Rng) -> Vec<&'static str> {
    const SYSTEMS: [&str; 6] = ["call", "crm", "ecom", "social", "survey", "wechat"];
    let mut chosen: Vec<&str> =
        SYSTEMS.into_iter().filter(|_| dice.random_bool(RECORDS_A_PERSON / 6.0)).collect();
    if chosen.is_empty() {
        chosen.push(SYSTEMS[dice.random_range(0..6)]);
    }
    chosen
}

fn person(dice: &mut ChaCha8Rng, people: &[Person]) -> Person {
    let relative = (!people.is_empty() && dice.random_bool(0.3)).then(|| &people[people.len() - 1]);
    let surname = match relative {
        Some(relative) if dice.random_bool(0.6) => relative.surname,
        // The first names of the list are the frequent ones.
        _ => SURNAMES[dice.random_range(0..20).min(dice.random_range(0..20))],
    };
    let given: Vec<(&str, char)> = (0..1 + usize::from(dice.random_bool(0.75)))
        .map(|_| {
            let (sound, letters) = SYLLABLES[dice.random_range(0..SYLLABLES.len())];
            (sound, pick(dice, letters))
        })
        .collect();
    let sound: String = given.iter().map(|(sound, _)| *sound).collect();
    let born = format!(
        "{}-{:02}-{:02}",
        dice.random_range(1950..2008),
        dice.random_range(1..13),
        dice.random_range(1..29)
    );
    let recycled = (!people.is_empty() && dice.random_bool(0.015))
        .then(|| people[dice.random_range(0..people.len())].phone.clone());
    let shared = relative.filter(|_| dice.random_bool(0.25)).map(|relative| relative.phone.clone());
    let phone = recycled.or(shared).unwrap_or_else(|| {
        let prefix = ["138", "139", "136", "150", "158", "186", "188", "177"][dice.random_range(0..8)];
        format!("{prefix}{:08}", dice.random_range(0..100_000_000_u32))
    });
    let city = CITIES[dice.random_range(0..CITIES.len()).min(dice.random_range(0..CITIES.len()))];
    let host = ["qq.com", "163.com", "126.com", "gmail.com"][dice.random_range(0..4)];
    let nickname = NICKNAMES[dice.random_range(0..NICKNAMES.len())];
    let letter = given.last().map_or('云', |(_, letter)| *letter);
    Person {
        email: format!("{}{}{}@{host}", surname.1, sound, dice.random_range(0..10_000)),
        openid: format!("o{:016x}", dice.random::<u64>()),
        member_no: format!("M{:09}", dice.random_range(0..1_000_000_000)),
        id_card: format!(
            "3101{:02}{}{:04}",
            dice.random_range(1..20),
            born.replace('-', ""),
            dice.random_range(0..10_000)
        ),
        address: match relative {
            Some(relative) if dice.random_bool(0.8) => relative.address.clone(),
            _ => address(dice),
        },
        moved_to: address(dice),
        nickname: format!("{nickname}{letter}"),
        surname,
        given,
        phone,
        city,
        born,
    }
}

fn pick(dice: &mut ChaCha8Rng, letters: &str) -> char {
    let letters: Vec<char> = letters.chars().collect();
    letters[dice.random_range(0..letters.len())]
}

fn address(dice: &mut ChaCha8Rng) -> String {
    let (road, estate) =
        (ROADS[dice.random_range(0..ROADS.len())], ESTATES[dice.random_range(0..ESTATES.len())]);
    let (number, house) = (dice.random_range(1..400), dice.random_range(1..40));
    format!("{road}{number}号{estate}{house}栋{}0{}室", dice.random_range(1..30), dice.random_range(1..5))
}

type Values = Vec<(&'static str, Option<String>)>;

fn values(dice: &mut ChaCha8Rng, person: &Person, system: &str) -> Values {
    // How often a system knows: a formal name, phone, e-mail, openid, member number, address, city, birth date.
    let known: [f64; 8] = match system {
        "crm" => [0.97, 0.9, 0.35, 0.0, 0.8, 0.6, 0.9, 0.7],
        "ecom" => [0.8, 0.97, 0.4, 0.0, 0.3, 0.95, 0.9, 0.0],
        "wechat" => [0.3, 0.35, 0.0, 1.0, 0.1, 0.0, 0.4, 0.0],
        "call" => [0.75, 0.98, 0.0, 0.0, 0.0, 0.05, 0.3, 0.05],
        "survey" => [0.5, 0.5, 0.6, 0.15, 0.1, 0.0, 0.3, 0.3],
        _ => [0.1, 0.05, 0.1, 0.5, 0.0, 0.0, 0.5, 0.1],
    };
    let mut has = |at: usize| dice.random_bool(known[at]);
    let [formal, phone, email, openid, member, address, city, born] =
        [has(0), has(1), has(2), has(3), has(4), has(5), has(6), has(7)];
    let name = if formal { Some(name(dice, person, system)) } else { nickname(dice, person) };
    let moved = if dice.random_bool(0.12) { &person.moved_to } else { &person.address };
    let text = |shown: bool, value: &str| shown.then(|| value.to_owned());
    vec![
        ("name", name),
        ("phone", phone.then(|| self::phone(dice, person))),
        ("email", text(email, &person.email)),
        ("wechat_openid", text(openid, &person.openid)),
        ("member_no", text(member, &person.member_no)),
        ("id_card", text(system == "crm" && dice.random_bool(0.1), &person.id_card)),
        ("address", text(address, moved)),
        ("city", text(city, person.city)),
        ("birth_date", text(born, &person.born)),
    ]
}

fn nickname(dice: &mut ChaCha8Rng, person: &Person) -> Option<String> {
    dice.random_bool(0.7).then(|| person.nickname.clone())
}

fn name(dice: &mut ChaCha8Rng, person: &Person, system: &str) -> String {
    let (surname, sound) = person.surname;
    let title = if person.given.len() == 1 { "先生" } else { "女士" };
    if system == "call" && dice.random_bool(0.3) {
        return format!("{surname}{title}");
    }
    if system == "survey" && dice.random_bool(0.15) {
        let given: String = person.given.iter().map(|(sound, _)| *sound).collect();
        return format!("{sound} {given}");
    }
    if system == "ecom" && dice.random_bool(0.15) {
        return format!("{surname}{}", "*".repeat(person.given.len()));
    }
    let by_sound = if system == "call" { 0.2 } else { 0.04 };
    let letters = person.given.iter().map(|(sound, letter)| match dice.random_bool(by_sound) {
        true => {
            SYLLABLES.iter().find(|(known, _)| known == sound).map_or(*letter, |(_, all)| pick(dice, all))
        }
        false => *letter,
    });
    let given: String = letters.collect();
    format!("{surname}{given}")
}

fn phone(dice: &mut ChaCha8Rng, person: &Person) -> String {
    let number = &person.phone;
    match dice.random_range(0..1000) {
        0..12 => "13800138000".to_owned(),
        12..72 => format!("{}****{}", &number[..3], &number[7..]),
        72..172 => format!("+86 {}-{}-{}", &number[..3], &number[3..7], &number[7..]),
        172..192 => {
            let place = dice.random_range(3..11);
            let digit = dice.random_range(0..10);
            format!("{}{digit}{}", &number[..place], &number[place + 1..])
        }
        _ => number.clone(),
    }
}
