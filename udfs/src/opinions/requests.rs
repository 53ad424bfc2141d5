//! What customers ask for and ask about.

use std::ops::Range;
use std::sync::LazyLock;

use super::Kind;
use super::cues::{Cue, Found};
use super::patterns::{Finding, hull};
use super::phrases;
use super::sentence::{Sentence, Word};
use super::terms::Terms;

/// Adjectives of which more can be wished: 顺畅一些, 便宜点.
static GRADABLE: LazyLock<Terms<()>> = LazyLock::new(|| {
    let list = "快 大 多 高 低 长 早 近 厚 便宜 优惠 清楚 清晰 明显 详细 简单 简洁 简便 方便 便捷 稳定 流畅 顺畅 通畅 畅通 \
                及时 准时 准确 精准 人性化 好 丰富 灵活 智能 耐心 热情 主动 专业 细致 细心 安静 干净 美观 合理 严格 \
                透明 强 友好 完善 全面 齐全 公平 实惠 实用 灵敏 柔和 舒服 舒适 新鲜 迅速 快速 快捷 规范 负责 用心 认真";
    Terms::new(list.split_whitespace().map(|word| (word, ())))
});

const MORE: [&str; 8] = ["一些", "一点儿", "一点", "些", "点儿", "点", "一下", "一丢丢"];

/// What follows 更好, 顺畅一些 in a wish.
const PARTICLES: [char; 12] = ['吧', '啊', '呀', '哦', '呢', '就', '好', '了', '更', '完', '美', '的'];

/// 希望增加夜间模式: what is asked for, and what it concerns.
pub(crate) fn request(sentence: &Sentence, clause: &Range<usize>, cue: &Found) -> Finding {
    let start = if cue.cue == Cue::Imperative { cue.span.start } else { cue.span.end };
    let end = before_contrast(sentence, start..clause.end);
    let content = start..end.max(start);
    let (aspect, mut opinion) = content_of(sentence, &content);
    let aspect = aspect.or_else(|| phrases::subject(sentence, clause.start..cue.span.start));
    if opinion.is_empty() {
        opinion = cue.span.clone();
    }
    let claimed = hull(aspect.as_ref(), &(cue.span.start..end.max(cue.span.end)));
    let polarity = if implies_lack(sentence, &content) { -1 } else { 0 };
    Finding { aspect, opinion, polarity, kind: Kind::Request, rule: "zh.request", claimed }
}

/// The request ends where it is set against what there is (而不是…).
fn before_contrast(sentence: &Sentence, range: Range<usize>) -> usize {
    let text = ['而', '不', '是'];
    let chars = sentence.chars.get(range.clone()).unwrap_or_default();
    chars.windows(3).position(|window| window == text).map_or(range.end, |at| range.start + at)
}

/// The aspect and the action of a request: the object of its first verb that has one (增加 数值), else its
/// subject with what follows (时间 可以延迟).
fn content_of(sentence: &Sentence, content: &Range<usize>) -> (Option<Range<usize>>, Range<usize>) {
    let words: Vec<_> = phrases::words(sentence, content).collect();
    for word in words.iter().filter(|word| acts(sentence, word)) {
        let Some(object) = phrases::last(sentence, &(word.end..content.end)) else { continue };
        if phrases::words(sentence, &(word.end..object.start))
            .any(|word| is_modal(sentence, word.start..word.end))
        {
            break;
        }
        let start = phrases::first(sentence, &(word.end..content.end)).unwrap_or(object);
        let behind = start.end..content.end;
        if phrases::words(sentence, &behind).any(|word| is_modal(sentence, word.start..word.end)) {
            return (Some(start), behind);
        }
        let object = phrases::subject(sentence, word.end..content.end).unwrap_or(start);
        return (Some(object), word.start..word.end);
    }
    match phrases::first(sentence, content) {
        Some(subject) => (Some(subject.clone()), action(sentence, content, &subject)),
        None => (None, content.clone()),
    }
}

/// Whether a word says what to do: a verb, or an adjective used as one before a noun (固定顺序).
fn acts(sentence: &Sentence, word: &Word) -> bool {
    matches!(word.tag.family(), b'v')
        && !phrases::is_nominal(sentence, word)
        && !is_auxiliary(sentence, word.start..word.end)
}

/// What is to be done with the subject of a request: what follows it, else the first word that acts.
fn action(sentence: &Sentence, content: &Range<usize>, subject: &Range<usize>) -> Range<usize> {
    if subject.end < content.end {
        return subject.end..content.end;
    }
    let acts = |word: &&Word| matches!(word.tag.family(), b'v' | b'a');
    let verb = phrases::words(sentence, content)
        .filter(|word| word.end <= subject.start && !is_auxiliary(sentence, word.start..word.end))
        .find(acts);
    verb.map_or(content.start..content.start, |word| word.start..word.end)
}

fn is_modal(sentence: &Sentence, word: Range<usize>) -> bool {
    matches!(sentence.slice(word).as_str(), "可以" | "能" | "能够" | "可")
}

fn is_auxiliary(sentence: &Sentence, word: Range<usize>) -> bool {
    let auxiliary = [
        "可以", "能", "能够", "可", "会", "要", "让", "给", "是", "有", "把", "你们", "使", "帮", "帮忙",
        "想",
    ];
    auxiliary.contains(&sentence.slice(word).as_str())
}

/// Whether the wish says that there is too little of something, or that something fails.
fn implies_lack(sentence: &Sentence, content: &Range<usize>) -> bool {
    let text = sentence.slice(content.clone());
    gradable(sentence, content).is_some()
        || [
            "解决", "修复", "改进", "改善", "不要", "别再", "不再", "提高", "提升", "加强", "加快", "尽快",
            "优化",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// 网络顺畅一些, 再便宜点就好了: an adjective that more of is wished.
pub(crate) fn more(sentence: &Sentence, clause: &Range<usize>) -> Option<Finding> {
    let wanted = gradable(sentence, clause)?;
    let before = sentence.slice(clause.start..wanted.start);
    // A comparison (比, 有点) states; it does not ask.
    if ["比", "有", "稍微", "略", "只", "觉得", "感觉", "因为", "已经"]
        .iter()
        .any(|word| before.contains(word))
    {
        return None;
    }
    let aspect = phrases::subject(sentence, clause.start..wanted.start);
    let claimed = hull(aspect.as_ref(), &wanted);
    Some(Finding { aspect, opinion: wanted, polarity: -1, kind: Kind::Request, rule: "zh.more", claimed })
}

/// An adjective with 一些 or 点 behind it at the end of a stretch.
fn gradable(sentence: &Sentence, range: &Range<usize>) -> Option<Range<usize>> {
    let chars = sentence.chars.get(..range.end)?;
    range.clone().find_map(|place| {
        let ((), length) = GRADABLE.find(chars, place)?;
        let behind = place + length;
        let rest = sentence.slice(behind..range.end);
        let more = MORE.iter().find(|more| rest.starts_with(**more))?;
        let end = behind + more.chars().count();
        let tail = sentence.chars.get(end..range.end)?;
        tail.iter().all(|c| PARTICLES.contains(c) || !c.is_alphanumeric()).then_some(place..end)
    })
}

/// 怎么取消套餐: a question about a noun phrase.
pub(crate) fn question(sentence: &Sentence, clause: &Range<usize>, cues: &[Found]) -> Option<Finding> {
    let at_end = |found: &&Found| found.cue == Cue::Asking && found.span.end == clause.end;
    let asked = cues.iter().find(|found| found.cue == Cue::Question).or_else(|| cues.iter().find(at_end))?;
    let behind = phrases::first(sentence, &(asked.span.end..clause.end));
    let aspect = behind.or_else(|| phrases::subject(sentence, clause.start..asked.span.start));
    // 为什么总是…: a complaint in the form of a question.
    let often = cues.iter().any(|found| found.cue == Cue::Often && found.span.start >= asked.span.end);
    let complains = often && sentence.slice(asked.span.clone()).starts_with('为');
    let (polarity, kind, rule) =
        if complains { (-1, Kind::Complaint, "zh.why") } else { (0, Kind::Question, "zh.question") };
    Some(Finding { aspect, opinion: asked.span.clone(), polarity, kind, rule, claimed: clause.clone() })
}
