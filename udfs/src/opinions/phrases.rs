//! Noun phrases around a cue: what a clause is about.

use std::ops::Range;
use std::sync::LazyLock;

use super::sentence::{Sentence, Word};
use super::terms::Terms;

/// What is seldom what a clause is about while something else is named.
const WEAK: [&str; 22] = [
    "客户", "用户", "时候", "情况", "问题", "人", "东西", "感觉", "时", "小时", "分钟", "天", "次", "个人",
    "大家", "家", "结果", "原因", "方面", "地方", "公司", "商家",
];

/// Verbs that name a function or a step of service when they stand for a thing: 充值失败, 登录页面.
static VERBAL: LazyLock<Terms<()>> = LazyLock::new(|| {
    let list = "留言 回复 登录 登陆 支付 付款 充值 提现 转账 搜索 查询 下单 预约 退款 注册 更新 缴费 办理 配送 排队 打印 导出 \
                评价 评论 签到 抢购 贷款 还款 拍照 充电 播放 投诉 咨询 审核 开户 销户 派单 发货 退货 换货 安装 维修 预订 入住 \
                通话 上网 提醒 通知 验证 认证 绑定 解绑 结账 结算 取号 叫号 挂号 送货 送餐 出餐 上菜 停车 导航 定位 识别 推送 \
                续费 扣费 收费 计费 优惠 服务 操作 加载 连接 连线 反应 响应 处理 解决 包装 装修 设计 显示 提示 退订 携号转网";
    Terms::new(list.split_whitespace().map(|word| (word, ())))
});

/// The longest noun phrase, in characters.
const LONGEST: usize = 16;

/// What a predicate at the end of `range` is said of: behind the last 的, else the first noun phrase.
pub(crate) fn subject(sentence: &Sentence, range: Range<usize>) -> Option<Range<usize>> {
    let behind = last_of(sentence, &range).map(|place| place + 1..range.end);
    behind.and_then(|behind| first(sentence, &behind)).or_else(|| first(sentence, &range))
}

/// The first noun phrase of a stretch, passing over weak ones if another follows.
pub(crate) fn first(sentence: &Sentence, range: &Range<usize>) -> Option<Range<usize>> {
    let runs = runs(sentence, range);
    let strong = runs.iter().find(|run| !is_weak(sentence, run));
    strong.or(runs.first()).cloned()
}

/// The last noun phrase of a stretch.
pub(crate) fn last(sentence: &Sentence, range: &Range<usize>) -> Option<Range<usize>> {
    let runs = runs(sentence, range);
    runs.iter().rev().find(|run| !is_weak(sentence, run)).or(runs.last()).cloned()
}

/// The whole stretch, if it can be read as one noun phrase (必填项提示), particles at its end left off.
pub(crate) fn whole(sentence: &Sentence, range: &Range<usize>) -> Option<Range<usize>> {
    let mut words: Vec<&Word> = words(sentence, range).collect();
    while words.last().is_some_and(|word| matches!(word.tag.family(), b'u' | b'y' | b'e' | b'x')) {
        words.pop();
    }
    let (first, last) = (words.first()?, words.last()?);
    let fits = |word: &&Word| {
        matches!(
            word.tag.family(),
            b'n' | b'v' | b'a' | b'b' | b'f' | b'q' | b's' | b'j' | b'l' | b'i' | b'k' | b'g' | b't'
        ) || word.tag.is("en")
    };
    let span = first.start..last.end;
    (words.iter().all(fits) && span.len() <= 10 && span.len() >= 2).then_some(span)
}

pub(crate) fn words<'a>(sentence: &'a Sentence, range: &Range<usize>) -> impl Iterator<Item = &'a Word> {
    let (start, end) = (range.start, range.end);
    let from = sentence.words.partition_point(|word| word.start < start);
    sentence.words.get(from..).unwrap_or_default().iter().take_while(move |word| word.end <= end)
}

/// Runs of nouns, a verb between two nouns included (留言回复页面).
fn runs(sentence: &Sentence, range: &Range<usize>) -> Vec<Range<usize>> {
    let words: Vec<&Word> = words(sentence, range).collect();
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut numbered = false;
    for (at, word) in words.iter().enumerate() {
        let joins = runs.last().is_some_and(|run| run.end == word.start && run.len() < LONGEST);
        let next_nominal = words.get(at + 1).is_some_and(|next| is_nominal(sentence, next));
        let verb_inside = word.tag.family() == b'v' && word.end - word.start == 2 && joins && next_nominal;
        let prefix = word.tag.family() == b'f' || is_mode(sentence, word);
        let place_before = prefix && next_nominal && word.end - word.start == 2;
        let is_occasion = words.get(at + 1).is_some_and(|next| is_after(sentence, next)) && !is_noun(word);
        if (is_nominal(sentence, word) && !numbered && !is_occasion) || verb_inside || place_before {
            match runs.last_mut() {
                Some(run) if joins => run.end = word.end,
                _ => runs.push(word.start..word.end),
            }
        }
        numbered = word.tag.family() == b'm';
    }
    runs.retain(|run| run.len() > 1 || sentence.chars.get(run.start).is_some_and(|c| !c.is_ascii()));
    runs
}

pub(crate) fn is_noun(word: &Word) -> bool {
    word.tag.family() == b'n' && !word.tag.is("nr")
}

/// Nouns, and verbs that stand for a thing. 无法 and 不显示 are none, whatever the dictionary says.
pub(crate) fn is_nominal(sentence: &Sentence, word: &Word) -> bool {
    let chars = sentence.chars.get(word.start..word.end).unwrap_or_default();
    if matches!(chars, ['无', '法'] | ['卡'] | ['人', '人']) {
        return false;
    }
    word.tag.is_nominal() || VERBAL.find(chars, 0).is_some_and(|((), length)| length == chars.len())
}

/// 更新以后: the verb names an occasion, not a thing.
fn is_after(sentence: &Sentence, word: &Word) -> bool {
    let chars = sentence.chars.get(word.start..word.end).unwrap_or_default();
    matches!(chars, ['以' | '之', '后' | '前'] | ['后' | '前' | '时'])
}

/// Times that name a kind of thing: 夜间模式.
fn is_mode(sentence: &Sentence, word: &Word) -> bool {
    let chars = sentence.chars.get(word.start..word.end).unwrap_or_default();
    matches!(chars, ['夜' | '日', '间'] | ['历', '史'] | ['实', '时'])
}

fn is_weak(sentence: &Sentence, run: &Range<usize>) -> bool {
    WEAK.contains(&sentence.slice(run.clone()).as_str())
}

/// Where the last 的 of a stretch stands, if something follows it.
fn last_of(sentence: &Sentence, range: &Range<usize>) -> Option<usize> {
    let chars = sentence.chars.get(range.clone())?;
    chars.iter().rposition(|&c| c == '的').map(|at| range.start + at)
}
