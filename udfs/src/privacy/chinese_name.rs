//! Chinese personal names beside a cue: 联系人王芳, 客服李娜态度好, 张先生.
//!
//! A name is a surname and one or two characters. How long it is, and whether it is one, is decided by what
//! given names are made of and by what follows: the end of a clause, or a word that goes on after a person.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use super::Kind;
use super::scan::{CharSet, Found};
use super::surname::{compound, is_everyday, is_given, is_surname};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cue {
    /// A name follows.
    Field,
    /// A person follows, perhaps by name.
    Role,
    /// A name went before, or a surname at least.
    Address,
    /// A name went before, if a boundary went before that.
    Office,
}

const FIELDS: &str = "姓名 名字 我叫 名叫 叫做 联系人 收件人 收货人 寄件人 投诉人 申请人 持卡人 反映人 来电人 签收人 户名 户主 自称 \
    真名 经办人 负责人 开户人 姓名是 名字是 名字叫 车主 机主 预订人 入住人 患者 法人";
const ROLES: &str = "我是 本人 客服 售后 售前 房东 快递员 配送员 外卖员 送货员 骑手 司机 店员 店长 老板 老板娘 感谢 谢谢 表扬 点名 老公 老婆 丈夫 \
    妻子 儿子 女儿 爸爸 妈妈 父亲 母亲 朋友 同事 经理 专员 主管 顾问 导购 销售 护士 医生 技师 师傅 工程师 服务员 前台 管家 客户 用户 \
    会员 业主 乘客 员工 营业员 柜员 坐席 接线员 投诉 我找 找到 联系 同学 顾客 旅客 住户 租客 代理人 收款人 付款人 接待员 主播 团长 领班 \
    保安 教练 阿姨 律师 装修工 安装工 维修员 维修工 服务顾问";
const ADDRESSES: &str = "先生 女士 小姐 太太";
const OFFICES: &str = "师傅 经理 老师 医生 大夫 主任 教授 阿姨 大姐 大哥 护士 律师 总监 店长 主管 院长 校长 同学 教练 医师 女士 总经理 副总 \
    工程师 顾问 警官 队长 站长 组长 班长 总裁 董事长 会长 书记 局长 处长 科长";

/// Everyday words that begin like a name.
const NO_NAMES: &str = "保健 高兴 高级 高峰 高端 高速 高度 高德 高清 马上 马路 马虎 方便 方面 方式 方向 方案 任何 任务 任性 黄金 黄色 金额 金色 金属 \
    张开 张贴 王者 王牌 石头 江湖 江苏 江西 白天 白色 白金 万一 万科 万达 常常 常见 常用 常年 文明 文化 文字 文件 安全 安装 安排 安静 安心 \
    于是 时间 时候 时尚 时常 和谐 和气 和平 平台 毛病 水平 余额 余下 商家 商品 商场 商务 单位 单号 单独 经常 全部 全家 全国 全程 全新 全都 \
    温度 温馨 温柔 成功 成都 成本 成为 成员 包装 包邮 包括 包裹 路上 路由 项目 顾客 施工 施行 明明 明天 明显 明确 明白 明年 曾经 向我 应该 应用 \
    应付 应当 连接 连续 连忙 关于 关机 关心 关注 关系 关闭 解决 解释 解除 查询 查看 查收 党员 国庆 贺卡 孔雀 钱包 周末 周到 周年 周边 周围 \
    周一 周二 周三 周四 周五 周六 周日 林业 田园 花费 花了 花样 花钱 华为 华丽 华东 华北 华南 华硕 宁波 宁可 宁愿 郑重 郑州 严重 严格 严肃 冷淡 \
    冷静 冷漠 宣传 强烈 强调 强制 强大 强行 童话 童装 许多 许久 何时 何必 何况 谢谢 谢意 沈阳 苏州 苏宁 易用 易拉 段落 汤圆 龙虾 武汉 雷同 车辆 车费 \
    车上 车位 车主 车里 左右 危险 元旦 司机 管理 管家 房子 房间 房东 房产 费用 费力 费心 来电 来自 来回 来说 都是 都会 都要 都没 都有 原来 原因 原价 原装 \
    计划 计算 计费 谈好 谈过 官方 官网 台阶 保证 保修 保险 保持 保存 保安 保洁 位置 位于 盖章 连夜 查实 强推 简单 简直 康师 康复 欧洲 欧元 乐意 乐于 \
    乐观 盛情 景区 古镇 米饭 米家 木质 沙发 银行 银联 银色 明星 习惯 单子 季度 白白 白跑 海尔 毕竟 毕业 申请 申诉 章程 田地 纪念 纪律 向来 向导 向上 \
    白领 成交 成分 成年 金山 金融 高管 高铁 高中 高校 高手 高质 高效 高贵 高档 高价 高新 安卓 安慰 安全 路过 路径 路程 应急 应对 应聘 燕麦 兰州 柳州 \
    莫名 莫非 莫大 汪汪 车险 车间 车型 车票 方才 方可 全体 全面 全力 全天 全额 全款 管用 温州 温泉 游客 游戏 游玩 游泳 谷歌 葛优 农行 霍乱 牛奶 牛肉 牛逼 \
    连个 连我 解答 解约 都不 来了 来的 和我 和他 和你 于我 时说 时不 向他 向你 单方 明知 文员 常客 位子 成人 简介 平安 平时 平常 石家 安康 安徽 武装 甘肃 钟点 平安 冷静 明星 单身 白马 文艺 关爱 安康 安保 路政 时政 文教 全能 高考 明德 文科 马克";

/// Words that follow a person.
const FOLLOWERS: &str = "的 是 在 说 把 对 和 与 跟 给 让 被 有 很 就 也 都 还 不 没 会 能 要 又 非 特 真 太 十 最 一 态 服 师 先 女 小 老 经 医 主 总 人 个 \
    为 从 向 因 于 来 去 打 帮 负 推 处 接 回 挂 骂 告 反 您 你 我 他 她 本 已 未 正 刚 昨 今 上 下 等 同 电 身 手 性 号 这 那 了 吧 吗 呢 啊 讲 \
    叫 问 送 拿 收 修 做 办 答 承 拒 拖 敷 忽 欺 骗 客 两 三 每 每 居 竟 再 才 只 到 用 以 及 或 并 而 但 则 工 专 热 耐 细 认 贴 周 及 女 教 阿 大 护 律 店";

/// A cue and the two characters it ends with.
struct Entry {
    word: &'static str,
    cue: Cue,
    ends: [char; 2],
}

/// The cues by their last character, longest first, in the order of these characters.
static CUES: LazyLock<BTreeMap<char, Vec<Entry>>> = LazyLock::new(|| {
    let mut cues: BTreeMap<char, Vec<Entry>> = BTreeMap::new();
    for (list, cue) in
        [(FIELDS, Cue::Field), (ROLES, Cue::Role), (ADDRESSES, Cue::Address), (OFFICES, Cue::Office)]
    {
        for word in list.split_whitespace() {
            let mut last = word.chars().rev();
            if let (Some(end), Some(before)) = (last.next(), last.next()) {
                cues.entry(end).or_default().push(Entry { word, cue, ends: [before, end] });
            }
        }
    }
    for list in cues.values_mut() {
        list.sort_by_key(|entry| std::cmp::Reverse(entry.word.len()));
    }
    cues
});

/// The last two characters of all cues, which turn most places away.
static ENDS: LazyLock<CharSet> = LazyLock::new(|| {
    let mut set = CharSet::new();
    for entry in CUES.values().flatten() {
        set.add(pair(entry.ends[0], entry.ends[1]));
    }
    set
});

/// A number below 2^16 that stands for two characters, and for few others.
fn pair(first: char, second: char) -> usize {
    let mixed = (first as u32).wrapping_mul(0x9e37_79b1) ^ (second as u32).wrapping_mul(0x85eb_ca6b);
    (mixed >> 16) as usize
}

static NOT_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| NO_NAMES.split_whitespace().collect());
static FOLLOWING: LazyLock<HashSet<char>> =
    LazyLock::new(|| FOLLOWERS.chars().filter(|c| !c.is_whitespace()).collect());

/// The last characters of all cues.
pub(super) fn cue_ends() -> impl Iterator<Item = char> {
    CUES.keys().copied()
}

/// The names beside the cues that end with `c` at `end`.
pub(super) fn beside(text: &str, c: char, end: usize, found: &mut Vec<Found>) {
    let before = &text[..end];
    let Some(last) = before.chars().nth_back(1) else { return };
    if !ENDS.has(pair(last, c)) {
        return;
    }
    let Some(entries) = CUES.get(&c) else { return };
    // The longest cue speaks before the name, the longest behind it as well.
    let fits = |entry: &&Entry| entry.ends[0] == last && before.ends_with(entry.word);
    if let Some(entry) = entries.iter().filter(fits).find(|entry| is_leading(entry.cue)) {
        found.extend(behind_cue(text, end, entry.cue));
    }
    if let Some(entry) = entries.iter().filter(fits).find(|entry| !is_leading(entry.cue)) {
        found.extend(before_title(text, end - entry.word.len(), entry.cue));
    }
}

fn is_leading(cue: Cue) -> bool {
    matches!(cue, Cue::Field | Cue::Role)
}

fn behind_cue(text: &str, cue_end: usize, cue: Cue) -> Option<Found> {
    let rest = &text[cue_end..];
    let links: &[char] = if cue == Cue::Field {
        &[' ', ':', '：', '是', '叫', '为', '\u{3000}', '（', '(', '，', ',']
    } else {
        &[' ', ':', '：', '，']
    };
    let start = cue_end + rest.len() - rest.trim_start_matches(links).len();
    let linked = start > cue_end;
    let length = name_length(&text[start..], cue == Cue::Field, linked)?;
    Some(found(text, start, start + length))
}

/// How certain it is that a name ends before `rest`.
fn ending(rest: &str) -> u8 {
    match rest.chars().next() {
        None => 3,
        Some(c) if !c.is_alphabetic() || c.is_ascii() => 3,
        Some(c) if FOLLOWING.contains(&c) => 2,
        Some(_) => 0,
    }
}

/// The bytes of the name that `text` begins with. A `field` may hold rarer names than a running text.
fn name_length(text: &str, field: bool, linked: bool) -> Option<usize> {
    let surname = compound(text).map_or_else(
        || text.chars().next().filter(|c| is_surname(*c)).map(char::len_utf8),
        |s| Some(s.len()),
    )?;
    let double = text[..surname].chars().count() == 2;
    let second = text[surname..].chars().next()?;
    let two: usize = surname + second.len_utf8();
    if !is_han(second) || NOT_NAMES.contains(&text[..two]) {
        return None;
    }
    let third = text[two..].chars().next().filter(|c| is_han(*c));
    let rates = |c: char| is_given(c) || (field && !FOLLOWING.contains(&c));
    let short = if rates(second) { ending(&text[two..]) } else { 0 };
    let long = match third {
        Some(third) if rates(second) && rates(third) => ending(&text[two + third.len_utf8()..]),
        _ => 0,
    };
    let three = two + third.map_or(0, char::len_utf8);
    // A given name of two characters is the usual one; the third must not be the beginning of what follows.
    let third_is_given = third.is_some_and(is_given);
    let pick = match (short, long) {
        (3, _) => two,
        (_, 3) => three,
        (_, 2) if third_is_given && !(short == 2 && third.is_some_and(|c| FOLLOWING.contains(&c))) => three,
        (2, _) if is_given(second) => two,
        (0, 0) if third_is_given && is_given(second) && (field || double || linked) => three,
        _ => return None,
    };
    let everyday = is_everyday(text.chars().next()?) && !field && !linked && pick == two && short < 3;
    (!everyday).then_some(pick)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

/// The name that ends at `end`, where a title begins: the longest reading that has a boundary on its left, or a
/// surname alone.
fn before_title(text: &str, end: usize, cue: Cue) -> Option<Found> {
    let before = &text[..end];
    let starts: Vec<usize> = before.char_indices().rev().take(4).map(|(place, _)| place).collect();
    for length in [4, 3, 2, 1] {
        let Some(&start) = starts.get(length - 1) else { continue };
        let name = &text[start..end];
        let fits = is_name(name);
        let bounded = is_boundary(text, start);
        let bare = length == 1 || (length == 2 && compound(name).is_some());
        let certain = cue == Cue::Address && bare && !name.chars().any(is_everyday);
        if fits && (bounded || certain) && !is_common_noun(text, start, end) {
            return Some(found(text, start, end));
        }
    }
    None
}

/// A surname, alone or with one or two characters of given names.
fn is_name(name: &str) -> bool {
    let given = match compound(name) {
        Some(surname) => &name[surname.len()..],
        None => match name.chars().next() {
            Some(c) if is_surname(c) => &name[c.len_utf8()..],
            _ => return false,
        },
    };
    given.chars().count() <= 2 && given.chars().all(is_given) && !NOT_NAMES.contains(name)
}

/// Whether what ends with the title is a word of its own: 对方经理, 语文老师.
fn is_common_noun(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let alone = text[start..end].chars().count() == 1;
    let first = text[start..end].chars().next();
    alone
        && matches!(
            (before, first),
            (Some('对' | '我' | '官' | '店' | '院' | '校' | '一' | '双' | '厂' | '乙' | '甲'), Some('方'))
                | (Some('语' | '中' | '英'), Some('文'))
                | (Some('公' | '保'), Some('安' | '关'))
                | (Some('主' | '担' | '责'), Some('任'))
        )
}

fn is_boundary(text: &str, start: usize) -> bool {
    match text[..start].chars().next_back() {
        None => true,
        Some(c) if !is_han(c) => true,
        Some(c) => "的是请给跟和叫谢找们让到向与有个位名家服后员客人对被把从由在说问替帮了人东机板公婆友事手长理主管天姓但要看打告诉骂听等".contains(c),
    }
}

fn found(text: &str, start: usize, end: usize) -> Found {
    Found { kind: Kind::Name, start, end, value: text[start..end].to_owned() }
}
