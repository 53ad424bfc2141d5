//! What is put right in an opinion of the trained model before it is handed out.
//!
//! - An opinion that runs over the end of a clause is cut into one for each clause.
//! - A noun at its head belongs to the aspect: 衣服 + 质量差 becomes 衣服质量 + 差.
//! - An opinion that implies another aspect than one of another clause keeps its own: 味道不错，就是有点贵.
//! - Of what costs (价格, 利率, 时间) much is bad and little is good; and too much of anything is bad.

use std::ops::Range;

use super::Kind;
use super::heads::Heads;
use super::lexicon::Mark;
use super::patterns::{Finding, hull};
use super::phrases;
use super::sentence::Sentence;

/// Endings of aspects of which less is better.
const COSTS: [&str; 24] = [
    "价格",
    "价钱",
    "价位",
    "费",
    "利率",
    "利息",
    "油耗",
    "门槛",
    "月租",
    "资费",
    "噪音",
    "延迟",
    "成本",
    "耗电",
    "故障率",
    "排队",
    "等待",
    "时间",
    "人均",
    "收费",
    "消费",
    "定价",
    "流量",
    "额外费用",
];

const MUCH: [char; 8] = ['高', '多', '快', '大', '长', '贵', '涨', '久'];
const LITTLE: [char; 5] = ['低', '少', '短', '小', '廉'];

/// What too much of is bad, whatever it is said of.
const EXCESSIVE: [char; 26] = [
    '多', '少', '小', '大', '远', '高', '低', '久', '长', '短', '慢', '挤', '厚', '薄', '重', '硬', '软',
    '咸', '甜', '辣', '油', '淡', '吵', '难', '贵', '乱',
];

/// The parts of a span clause by clause, clause ends and blanks left off.
pub(crate) fn by_clause(sentence: &Sentence, span: &Range<usize>) -> Vec<Range<usize>> {
    let cut = |clause: &Range<usize>| clause.start.max(span.start)..clause.end.min(span.end);
    sentence.clauses.iter().map(cut).filter(|part| part.start < part.end).collect()
}

/// Moves a noun at the head of the opinion to the aspect.
pub(crate) fn widen(sentence: &Sentence, finding: &mut Finding) {
    let Some(noun) = phrases::words(sentence, &finding.opinion).next() else { return };
    let leads =
        noun.start == finding.opinion.start && noun.end < finding.opinion.end && noun.end - noun.start >= 2;
    if !leads || !phrases::is_noun(noun) {
        return;
    }
    match &mut finding.aspect {
        Some(aspect) if aspect.end == noun.start => aspect.end = noun.end,
        Some(aspect) if sentence.chars.get(aspect.end) == Some(&'的') && aspect.end + 1 == noun.start => {
            aspect.end = noun.end;
        }
        None => finding.aspect = Some(noun.start..noun.end),
        Some(_) => return,
    }
    finding.opinion.start = noun.end;
}

/// Lets go of an aspect of another clause where the opinion implies one of its own.
pub(crate) fn unpair(sentence: &Sentence, heads: &Heads, finding: &mut Finding) {
    let Some(aspect) = &finding.aspect else { return };
    let apart = !sentence.clause_of(finding.opinion.start).contains(&aspect.start);
    let chars = sentence.chars.get(finding.opinion.clone()).unwrap_or_default();
    if apart
        && heads.implied(chars).is_some_and(|implied| implied != heads.of(&sentence.slice(aspect.clone())))
    {
        finding.aspect = None;
        finding.claimed = finding.opinion.clone();
    }
}

/// Sets the polarity of much and little of what costs, and of too much.
pub(crate) fn weigh(sentence: &Sentence, finding: &mut Finding) {
    let chars = sentence.chars.get(finding.opinion.clone()).unwrap_or_default();
    let aspect = finding.aspect.clone().map(|aspect| sentence.slice(aspect)).unwrap_or_default();
    let costs = COSTS.iter().any(|cost| aspect.ends_with(cost));
    let excess = is_excess(chars);
    let has = |list: &[char]| chars.iter().any(|c| list.contains(c));
    let known = sentence.marks.get(finding.opinion.clone()).unwrap_or_default();
    let judged = known.iter().any(|mark| matches!(mark, Mark::Polarity { tenths, .. } if tenths.abs() >= 6));
    let sign = match (costs, has(&MUCH), has(&LITTLE)) {
        (true, true, false) => -1,
        (true, false, true) => 1,
        _ if excess => -1,
        _ => return,
    };
    if judged || chars.len() > 6 {
        return;
    }
    let negated = known.iter().any(|mark| matches!(mark, Mark::Negator { first: true }));
    finding.polarity = if negated { -sign } else { sign };
    finding.kind = Kind::of(finding.polarity);
}

fn is_excess(chars: &[char]) -> bool {
    chars.windows(2).any(|pair| pair[0] == '太' && EXCESSIVE.contains(&pair[1]))
}

/// 人太多, 位置偏远: too much of something in a clause where nothing else was found.
pub(crate) fn excess(sentence: &Sentence, clause: &Range<usize>) -> Option<Finding> {
    let chars = sentence.chars.get(clause.clone())?;
    let at =
        chars.windows(2).position(|pair| matches!(pair[0], '太' | '偏') && EXCESSIVE.contains(&pair[1]))?;
    let negated = at > 0 && matches!(chars[at - 1], '不' | '没');
    if negated {
        return None;
    }
    let opinion = clause.start + at..clause.start + at + 2;
    let aspect = phrases::subject(sentence, clause.start..opinion.start);
    let claimed = hull(aspect.as_ref(), &opinion);
    Some(Finding { aspect, opinion, polarity: -1, kind: Kind::Complaint, rule: "zh.excess", claimed })
}
