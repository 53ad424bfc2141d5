//! Opinions of a Chinese text, sentence by sentence: rules for requests and failures, the trained model for
//! the rest, the lexicon where neither finds anything.

use std::ops::Range;

use jieba_rs::Jieba;

use super::heads::Heads;
use super::lexicon::{LEXICON, Mark};
use super::model::Model;
use super::pairing::{Pair, pair};
use super::patterns::{self, Finding, hull};
use super::sentence::{Sentence, is_clause_end, is_han, sentence_end};
use super::tagger::{Spans, Tagger};
use super::{Kind, Opinion, cues, phrases, polarity, refine};

/// Finds opinions; keep one for many texts.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    model: &'a Model,
    heads: &'a Heads,
    chars: Vec<char>,
    sentence: Sentence,
    tagger: Tagger,
    spans: Spans,
    pairs: Vec<Pair>,
    cues: Vec<cues::Found>,
    findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(model: &'a Model, heads: &'a Heads) -> Self {
        Self {
            model,
            heads,
            chars: Vec::new(),
            sentence: Sentence::default(),
            tagger: Tagger::default(),
            spans: Spans::default(),
            pairs: Vec::new(),
            cues: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn heads(&self) -> &'a Heads {
        self.heads
    }

    /// Opinions in the order of their place in the text.
    pub(crate) fn read(&mut self, text: &str, jieba: &Jieba) -> Vec<Opinion> {
        self.chars.clear();
        self.chars.extend(text.chars());
        let mut opinions = Vec::new();
        let mut start = 0;
        while start < self.chars.len() {
            let end = sentence_end(&self.chars, start);
            let raw = &self.chars[start..end];
            if raw.iter().any(|&c| is_han(c)) {
                self.sentence.fill(start, raw, jieba, &LEXICON);
                self.read_sentence();
                opinions.extend(self.findings.iter().map(|finding| self.opinion(finding)));
            }
            start = end;
        }
        opinions
    }

    fn read_sentence(&mut self) {
        self.findings.clear();
        for clause in &self.sentence.clauses {
            patterns::find(&self.sentence, clause, &mut self.cues, &mut self.findings);
        }
        let by_rule = self.findings.len();
        self.tagger.tag(self.model, &self.sentence, &mut self.spans);
        pair(self.model, &self.sentence, &self.spans, &mut self.pairs);
        for &(aspect, opinion) in &self.pairs {
            for finding in self.tagged(aspect, opinion) {
                if self.findings[..by_rule].iter().all(|rule| is_free(&finding, rule)) {
                    self.findings.push(finding);
                }
            }
        }
        for clause in &self.sentence.clauses {
            if self.findings.iter().all(|finding| !overlap(&finding.claimed, clause)) {
                let finding = by_lexicon(&self.sentence, clause);
                self.findings.extend(finding.or_else(|| refine::excess(&self.sentence, clause)));
            }
        }
        self.findings.sort_by_key(|finding| (finding.claimed.start, finding.opinion.start));
    }

    /// What the model found, put right, clause by clause.
    fn tagged(&self, aspect: Option<usize>, opinion: usize) -> Vec<Finding> {
        let Some(opinion) = self.spans.opinions.get(opinion) else { return Vec::new() };
        let aspect = aspect.and_then(|aspect| self.spans.aspects.get(aspect)).cloned();
        let parts = refine::by_clause(&self.sentence, opinion).into_iter();
        parts.map(|part| self.judged(aspect.clone(), part)).collect()
    }

    fn judged(&self, aspect: Option<Range<usize>>, opinion: Range<usize>) -> Finding {
        let (polarity, _) = polarity::classify(self.model, &self.sentence, aspect.as_ref(), &opinion);
        let claimed = hull(aspect.as_ref(), &opinion);
        let kind = Kind::of(polarity);
        let mut finding = Finding { aspect, opinion, polarity, kind, rule: super::MODEL_VERSION, claimed };
        refine::widen(&self.sentence, &mut finding);
        refine::unpair(&self.sentence, self.heads, &mut finding);
        refine::weigh(&self.sentence, &mut finding);
        finding
    }

    fn opinion(&self, finding: &Finding) -> Opinion {
        let sentence = &self.sentence;
        let moved = |span: &Range<usize>| span.start + sentence.offset..span.end + sentence.offset;
        let implied = || {
            let chars = sentence.chars.get(finding.opinion.clone()).unwrap_or_default();
            self.heads.implied(chars).unwrap_or_default().to_string()
        };
        let aspect_head = match &finding.aspect {
            Some(aspect) => self.heads.of(&sentence.slice(aspect.clone())),
            None => implied(),
        };
        let whole = hull(finding.aspect.as_ref(), &finding.opinion);
        Opinion {
            aspect: finding.aspect.as_ref().map(moved),
            aspect_head,
            opinion: moved(&finding.opinion),
            polarity: finding.polarity,
            intensity: intensity(sentence, finding),
            kind: finding.kind,
            start: whole.start + sentence.offset,
            end: whole.end + sentence.offset,
            evidence: moved(&evidence(sentence, &whole)),
            rule: finding.rule,
        }
    }
}

/// Whether a rule has claimed nothing of what the model found.
fn is_free(finding: &Finding, rule: &Finding) -> bool {
    !overlap(&rule.claimed, &finding.opinion)
        && finding.aspect.as_ref().is_none_or(|aspect| !overlap(&rule.claimed, aspect))
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The clauses that the opinion touches.
fn evidence(sentence: &Sentence, whole: &Range<usize>) -> Range<usize> {
    let start = sentence.clause_of(whole.start).start.min(whole.start);
    let end = sentence.clause_of(whole.end.saturating_sub(1)).end.max(whole.end);
    let blank =
        |place: &usize| sentence.chars.get(*place).is_some_and(|c| c.is_whitespace() || is_clause_end(*c));
    let last = (start..end).rev().find(|place| !blank(place)).map_or(end, |place| place + 1);
    (start..end).find(|place| !blank(place)).unwrap_or(start)..last
}

/// 网络 很 顺畅: a word of the lexicon, its modifiers, and the noun phrase before it.
fn by_lexicon(sentence: &Sentence, clause: &Range<usize>) -> Option<Finding> {
    let marks = sentence.marks.get(clause.clone())?;
    let wish = marks.iter().any(|mark| matches!(mark, Mark::Wish { .. }));
    let at = marks
        .iter()
        .position(|mark| matches!(mark, Mark::Polarity { tenths, first: true } if *tenths != 0))?;
    let Mark::Polarity { tenths, .. } = marks[at] else { return None };
    let length = 1 + marks[at + 1..]
        .iter()
        .take_while(|mark| matches!(mark, Mark::Polarity { first: false, .. }))
        .count();
    let negators = marks[at.saturating_sub(4)..at]
        .iter()
        .filter(|mark| matches!(mark, Mark::Negator { first: true }))
        .count();
    let modifier = |mark: &Mark| matches!(mark, Mark::Negator { .. } | Mark::Degree { .. });
    let prefix = marks[..at].iter().rev().take_while(|mark| modifier(mark)).count();
    let opinion = clause.start + at - prefix..clause.start + at + length;
    let polarity = if (tenths > 0) == (negators % 2 == 0) { 1 } else { -1 };
    if wish && polarity > 0 {
        return None;
    }
    let aspect = phrases::subject(sentence, clause.start..opinion.start);
    let claimed = hull(aspect.as_ref(), &opinion);
    Some(Finding { aspect, opinion, polarity, kind: Kind::of(polarity), rule: "zh.lexicon", claimed })
}

/// How strong: the lexicon's polarity where it has one, scaled by degree and frequency.
fn intensity(sentence: &Sentence, finding: &Finding) -> f64 {
    let near = finding.opinion.start.saturating_sub(2)..finding.opinion.end;
    let marks = sentence.marks.get(near).unwrap_or_default();
    let strongest = marks.iter().filter_map(|mark| match mark {
        Mark::Polarity { tenths, .. } => Some(tenths.unsigned_abs()),
        _ => None,
    });
    let base = match finding.kind {
        Kind::Remark | Kind::Question => 0.0,
        Kind::Request => 0.3,
        Kind::Praise | Kind::Complaint => match strongest.max() {
            Some(tenths) if tenths > 0 => f64::from(tenths) / 10.0,
            _ => 0.6,
        },
    };
    let degree = marks.iter().find_map(|mark| match mark {
        Mark::Degree { tenths, first: true } => Some(f64::from(*tenths) / 10.0),
        _ => None,
    });
    let text = sentence.slice(finding.opinion.clone());
    let often = ["经常", "总是", "老是", "频繁", "每次", "一直"].iter().any(|word| text.contains(word));
    let seldom = ["偶尔", "有时"].iter().any(|word| text.contains(word));
    let frequency = if often {
        1.3
    } else if seldom {
        0.7
    } else {
        1.0
    };
    (base * degree.unwrap_or(1.0) * frequency).clamp(0.0, 1.0)
}
