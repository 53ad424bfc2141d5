//! Requests, questions and reports of failure, by rule.
//!
//! The trained model knows reviews of restaurants and electronics. What customers of a service write (经常断线,
//! 无法登录, 没有提示, 希望增加…) is found here, clause by clause: the cue says what kind of clause it is, the
//! noun phrases around it say what it is about.

use std::ops::Range;

use super::Kind;
use super::cues::{self, Cue, Found, is_harmless};
use super::lexicon::Mark;
use super::phrases;
use super::sentence::Sentence;

/// An opinion in characters of the sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) aspect: Option<Range<usize>>,
    pub(crate) opinion: Range<usize>,
    pub(crate) polarity: i8,
    pub(crate) kind: Kind,
    pub(crate) rule: &'static str,
    /// What is said here is said: nothing else is read out of it.
    pub(crate) claimed: Range<usize>,
}

impl Finding {
    fn complaint(aspect: Option<Range<usize>>, opinion: Range<usize>, rule: &'static str) -> Self {
        let claimed = hull(aspect.as_ref(), &opinion);
        Self { aspect, opinion, polarity: -1, kind: Kind::Complaint, rule, claimed }
    }

    fn praise(aspect: Option<Range<usize>>, opinion: Range<usize>, rule: &'static str) -> Self {
        Self { polarity: 1, kind: Kind::Praise, ..Self::complaint(aspect, opinion, rule) }
    }
}

/// From the first to the last character of both.
pub(crate) fn hull(aspect: Option<&Range<usize>>, opinion: &Range<usize>) -> Range<usize> {
    match aspect {
        Some(aspect) => aspect.start.min(opinion.start)..aspect.end.max(opinion.end),
        None => opinion.clone(),
    }
}

/// Finds what the rules find in a clause.
pub(crate) fn find(
    sentence: &Sentence,
    clause: &Range<usize>,
    cues: &mut Vec<Found>,
    findings: &mut Vec<Finding>,
) {
    cues::find(sentence, clause, cues);
    let trimmed = trim(sentence, clause);
    let wish = cues.iter().position(|found| opens_request(found, &trimmed));
    let defects_end = wish.map_or(clause.end, |at| cues[at].span.start);
    let before = findings.len();
    for found in cues.iter().filter(|found| found.span.end <= defects_end) {
        let free = findings[before..].iter().all(|finding| found.span.start >= finding.claimed.end);
        if free && let Some(finding) = defect(sentence, &trimmed, found, cues) {
            findings.push(finding);
        }
    }
    if let Some(at) = wish {
        findings.push(super::requests::request(sentence, &trimmed, &cues[at]));
        // "…而不是只能…" complains inside the request.
        if let Some(only) = cues[at..].iter().find(|found| found.cue == Cue::Only) {
            findings.extend(defect(sentence, &trimmed, only, cues));
        }
    } else if let Some(finding) = super::requests::more(sentence, &trimmed) {
        findings.retain(|other| {
            other.claimed.end <= finding.claimed.start || other.claimed.start >= finding.claimed.end
        });
        findings.push(finding);
    } else if findings.len() == before {
        findings.extend(super::requests::question(sentence, &trimmed, cues));
    }
}

fn opens_request(found: &Found, clause: &Range<usize>) -> bool {
    match found.cue {
        Cue::Wish => true,
        Cue::Imperative => found.span.start == clause.start,
        _ => false,
    }
}

/// The clause without blanks and joining words (而且, 还有, 并) at its edges.
fn trim(sentence: &Sentence, clause: &Range<usize>) -> Range<usize> {
    let mut range = clause.clone();
    let blank = |place: usize| sentence.chars.get(place).is_none_or(|c| !c.is_alphanumeric());
    while range.start < range.end && blank(range.start) {
        range.start += 1;
    }
    while range.start < range.end && blank(range.end - 1) {
        range.end -= 1;
    }
    range
}

fn defect(sentence: &Sentence, clause: &Range<usize>, found: &Found, cues: &[Found]) -> Option<Finding> {
    match found.cue {
        Cue::Failure | Cue::Change => Some(failure(sentence, clause, found, cues)),
        Cue::Stall if stalls(sentence, clause, found) => Some(failure(sentence, clause, found, cues)),
        Cue::Absent => absence(sentence, clause, found),
        Cue::Unable => unable(sentence, clause, found),
        Cue::Only => Some(only(sentence, clause, found)),
        Cue::Discourage => Some(Finding::complaint(None, found.span.clone(), "zh.discourage")),
        _ => None,
    }
}

/// 系统经常闪退; 从不掉线 praises.
fn failure(sentence: &Sentence, clause: &Range<usize>, found: &Found, cues: &[Found]) -> Finding {
    let mut opinion = found.span.clone();
    if let Some(often) = cues.iter().find(|cue| is_frequency(cue) && touches(sentence, &cue.span, &opinion)) {
        opinion.start = often.span.start;
    }
    // 一直没有回复: what does not happen stands behind.
    let waits = sentence.slice(found.span.clone());
    if (waits.starts_with("一直") || waits.starts_with("迟迟")) && clause.end - opinion.end <= 8 {
        opinion.end = clause.end;
    }
    let aspect = phrases::subject(sentence, clause.start..opinion.start);
    if is_negated(sentence, clause, found.span.start) {
        opinion.start = opinion.start.min(found.span.start.saturating_sub(1)).max(clause.start);
        return Finding::praise(aspect, opinion, "zh.no_failure");
    }
    Finding::complaint(aspect, opinion, "zh.failure")
}

/// Whether 卡 says that something stalls: behind an adverb (经常卡, 很卡), or as all that is said of something
/// that can (系统卡了).
fn stalls(sentence: &Sentence, clause: &Range<usize>, found: &Found) -> bool {
    let before = sentence.words.iter().find(|word| word.end == found.span.start);
    if before.is_some_and(|word| matches!(word.tag.family(), b'd' | b'z')) {
        return true;
    }
    let behind = sentence.slice(found.span.end..clause.end);
    let nothing_more = behind.chars().all(|c| "了的死啊得很不行要命呢哦呀".contains(c));
    let subject = sentence.slice(clause.start..found.span.start);
    let runs = [
        "系统", "网络", "页面", "网页", "软件", "app", "手机", "视频", "游戏", "电脑", "后台", "网", "宽带",
        "直播", "平台", "程序", "电视",
    ];
    nothing_more && runs.iter().any(|thing| subject.ends_with(thing))
}

fn is_frequency(found: &Found) -> bool {
    matches!(found.cue, Cue::Often | Cue::Seldom)
}

/// Whether at most two characters, none of them a noun's, stand between an adverb and what it bears on.
fn touches(sentence: &Sentence, adverb: &Range<usize>, opinion: &Range<usize>) -> bool {
    adverb.end <= opinion.start
        && opinion.start - adverb.end <= 2
        && phrases::words(sentence, &(adverb.end..opinion.start)).all(|word| !word.tag.is_nominal())
}

/// Whether a negator that is not itself part of the cue stands just before `place`.
fn is_negated(sentence: &Sentence, clause: &Range<usize>, place: usize) -> bool {
    (place.saturating_sub(3).max(clause.start)..place)
        .filter(|&at| matches!(sentence.marks.get(at), Some(Mark::Negator { first: true })))
        .any(|at| {
            sentence
                .words
                .iter()
                .any(|word| word.start == at || (word.end == at + 1 && word.tag.family() == b'd'))
        })
}

/// 没有必填项提示; 没有异味 praises.
fn absence(sentence: &Sentence, clause: &Range<usize>, found: &Found) -> Option<Finding> {
    let rest = found.span.end..clause.end;
    if rest.is_empty() {
        return None;
    }
    let subject = phrases::subject(sentence, clause.start..found.span.start);
    if is_harmless(sentence, &rest) || is_criticism(sentence, &rest) {
        return Some(Finding::praise(subject, found.span.start..clause.end, "zh.no_defect"));
    }
    if let Some(object) = phrases::whole(sentence, &rest) {
        let opinion = found.span.clone();
        let mut finding = Finding::complaint(Some(object), opinion, "zh.absent");
        if let Some(subject) = subject {
            finding.claimed.start = finding.claimed.start.min(subject.start);
        }
        return Some(finding);
    }
    let subject = subject?;
    let plain = rest.len() <= 8 && !has_praise(sentence, &rest);
    plain.then(|| Finding::complaint(Some(subject), found.span.start..clause.end, "zh.absent"))
}

fn is_criticism(sentence: &Sentence, range: &Range<usize>) -> bool {
    has_polarity(sentence, range, |tenths| tenths < 0)
}

fn has_praise(sentence: &Sentence, range: &Range<usize>) -> bool {
    has_polarity(sentence, range, |tenths| tenths > 0)
}

fn has_polarity(sentence: &Sentence, range: &Range<usize>, fits: impl Fn(i8) -> bool) -> bool {
    let marks = sentence.marks.get(range.clone()).unwrap_or_default();
    marks.iter().any(|mark| matches!(mark, Mark::Polarity { tenths, .. } if fits(*tenths)))
}

/// 对话超过24小时无法发起: said of the noun phrase before, else of the one behind.
fn unable(sentence: &Sentence, clause: &Range<usize>, found: &Found) -> Option<Finding> {
    let rest = found.span.end..clause.end;
    phrases::words(sentence, &rest).next()?;
    match phrases::subject(sentence, clause.start..found.span.start) {
        Some(subject) => {
            let opinion = subject.end..clause.end;
            Some(Finding::complaint(Some(subject), opinion, "zh.unable"))
        }
        None => Some(Finding::complaint(
            phrases::first(sentence, &rest),
            found.span.start..clause.end,
            "zh.unable",
        )),
    }
}

/// 只能鼠标点击选择: said of the subject, or of what 而不是 sets it against.
fn only(sentence: &Sentence, clause: &Range<usize>, found: &Found) -> Finding {
    let against = found.span.start.checked_sub(3).filter(|&at| sentence.slice(at..at + 3) == "而不是");
    let aspect = match against {
        Some(at) => phrases::last(sentence, &(clause.start..at)).map(|noun| with_verb(sentence, noun)),
        None => phrases::subject(sentence, clause.start..found.span.start),
    };
    let opinion = found.span.start..clause.end;
    Finding { claimed: opinion.clone(), ..Finding::complaint(aspect, opinion, "zh.only") }
}

/// 选择客户 for 客户 where the verb stands just before.
fn with_verb(sentence: &Sentence, noun: Range<usize>) -> Range<usize> {
    let verb = sentence.words.iter().find(|word| word.end == noun.start && word.tag.family() == b'v');
    verb.map_or(noun.clone(), |verb| verb.start..noun.end)
}
