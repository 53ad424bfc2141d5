//! Latin personal names behind a title (Mr, Dr) or a cue ("my name is", "spoke with", "regards,").

use std::collections::HashSet;
use std::sync::LazyLock;

use super::scan::Found;
use super::{Kind, account};

const TITLES: [&str; 11] =
    ["Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Prof", "Professor", "Sir", "Madam", "Doctor"];

/// Behind these a name is certain enough if two words have capitals, or one that is a first name.
const STRONG: [&str; 31] = [
    "name is ",
    "name's ",
    "name: ",
    "named ",
    "name was ",
    "spoke with ",
    "spoke to ",
    "speaking with ",
    "speaking to ",
    "talked to ",
    "talked with ",
    "chatted with ",
    "agent ",
    "technician ",
    "technician, ",
    "representative ",
    "rep ",
    "advisor ",
    "adviser ",
    "manager ",
    "supervisor ",
    "regards, ",
    "regards,\n",
    "sincerely, ",
    "sincerely,\n",
    "reservation under ",
    "booked under ",
    "driver ",
    "waiter ",
    "waitress ",
    "assisted by ",
];

/// Behind these two words have capitals and the first is a first name.
const WEAK: [&str; 16] = [
    "this is ",
    "i am ",
    "i'm ",
    "i’m ",
    "thanks to ",
    "thank ",
    "thank you ",
    "helped by ",
    "served by ",
    "contact ",
    "ask for ",
    "by ",
    "with ",
    "under ",
    "to ",
    "from ",
];

/// Common first names; a name behind a weak cue begins with one of them.
const FIRST_NAMES: &str = "Aaron Abigail Adam Adrian Ahmed Aisha Alan Albert Alex Alexander Alexandra Alexis Alfred Ali Alice Alicia Alison \
    Amanda Amelia Amy Ana Andrea Andrew Angela Anita Ann Anna Anne Anthony Antonio April Arthur Ashley Aubrey Ava Barbara Barry Beatrice \
    Ben Benjamin Bernard Beth Betty Beverly Bill Billy Bob Bobby Brad Bradley Brandon Brenda Brian Bruce Bryan Caitlin Cameron Carl Carlos \
    Carol Caroline Carolyn Catherine Cathy Charles Charlie Charlotte Cheryl Chloe Chris Christian Christina Christine Christopher Cindy \
    Claire Clara Connor Craig Crystal Cynthia Dan Daniel Danielle Darren Dave David Dawn Dean Deborah Debra Dennis Derek Diana Diane Dominic \
    Donald Donna Doris Dorothy Douglas Dylan Edward Eileen Elaine Eleanor Elena Elizabeth Ella Ellen Emily Emma Eric Erica Erin Ethan Eugene \
    Eva Evan Evelyn Faith Fatima Fiona Florence Frances Francis Frank Fred Gabriel Gary Gavin Gemma George Gerald Gina Gloria Grace Graham \
    Greg Gregory Hannah Harold Harry Hassan Heather Helen Henry Holly Howard Hugh Ian Ibrahim Irene Isaac Isabella Jack Jackie Jacob \
    Jacqueline Jade James Jamie Jane Janet Janice Jasmine Jason Jay Jean Jeff Jeffrey Jennifer Jenny Jeremy Jerry Jesse Jessica Jill Jim \
    Jimmy Joan Joanna Joanne Joe Joel John Johnny Jon Jonathan Jordan Jose Joseph Josh Joshua Joy Joyce Juan Judith Judy Julia Julian Julie \
    Justin Karen Karl Kate Katherine Kathleen Kathryn Kathy Katie Keith Kelly Ken Kenneth Kevin Kim Kimberly Kyle Larry Laura Lauren \
    Lawrence Leah Lee Leo Leon Leonard Leslie Lewis Liam Lily Linda Lisa Liz Logan Lois Lori Louis Louise Lucas Lucy Luis Luke Lydia Lynn \
    Madison Marc Marcus Margaret Maria Marie Marilyn Mario Marion Mark Martha Martin Mary Mason Matt Matthew Maureen Max Megan Melanie \
    Melissa Mia Michael Michelle Miguel Mike Mohamed Mohammed Molly Monica Muhammad Nancy Naomi Natalie Nathan Neil Nicholas Nick Nicole \
    Nigel Nina Noah Nora Norma Oliver Olivia Omar Oscar Owen Pamela Patricia Patrick Paul Paula Pauline Peggy Penny Peter Phil Philip \
    Phillip Phyllis Priya Rachel Raj Ralph Randy Raymond Rebecca Richard Rick Rita Rob Robert Robin Rodney Roger Ronald Rose Ross Roy Ruby \
    Russell Ruth Ryan Sally Sam Samantha Samuel Sandra Sara Sarah Scott Sean Sebastian Sharon Shaun Sheila Shirley Simon Sofia Sophia \
    Sophie Stacy Stanley Stella Stephanie Stephen Steve Steven Stewart Stuart Sue Susan Suzanne Sylvia Tammy Tanya Tara Ted Teresa Terry \
    Theresa Thomas Tiffany Tim Timothy Tina Todd Tom Tony Tracy Trevor Tyler Vanessa Veronica Victor Victoria Vincent Virginia Walter Wanda \
    Wayne Wei Wendy William Yasmin Yvonne Zachary Zoe";

/// What has capitals behind a title or a cue without being anybody's name.
const NO_NAMES: &str = "Coffee Pepper Martens Clean Muscle Bean Kipling Fields Universe World Customer Service Support Manager Team Monday Tuesday \
    Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December \
    Amazing Very Not The This That There Here Disappointed Happy Nobody Everyone English Chinese American British India China Sir Madam \
    Hotel Street Road Avenue Park Airport Bank Card Card Amazon Google Apple Samsung Facebook Windows Android Galaxy Phone";

static FIRST: LazyLock<HashSet<&str>> = LazyLock::new(|| FIRST_NAMES.split_whitespace().collect());
static NOT_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| NO_NAMES.split_whitespace().collect());

/// What the capital at `at` begins: a name behind a cue or title, or a passport number.
pub(super) fn at(text: &str, at: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let second = *bytes.get(at + 1)?;
    if second.is_ascii_digit() || bytes.get(at + 2).is_some_and(u8::is_ascii_digit) {
        return account::passport(text, at);
    }
    if matches!(bytes.get(at), Some(b'M' | b'D' | b'P' | b'S')) {
        let first = word(text, at).unwrap_or("");
        if TITLES.contains(&first) {
            return behind_title(text, at + first.len());
        }
    }
    if second.is_ascii_uppercase() || !CUE_ENDS.may_end(bytes.get(..at)?) {
        return None;
    }
    behind_cue(text, at)
}

fn behind_cue(text: &str, at: usize) -> Option<Found> {
    let before = &text[..at];
    let strong = STRONG.iter().any(|cue| ends_with(before, cue));
    if !strong && !WEAK.iter().any(|cue| ends_with(before, cue)) {
        return None;
    }
    let first = word(text, at).filter(|first| first.len() > 1 && !NOT_NAMES.contains(first))?;
    let known = FIRST.contains(first);
    let end = name_end(text, at, first, 3);
    let several = end > at + first.len();
    let certain = if strong { several || known } else { several && known };
    certain.then(|| found(text, at, end))
}

/// Whether `text` ends with `cue` in any case.
fn ends_with(text: &str, cue: &str) -> bool {
    let from = text.len().checked_sub(cue.len());
    from.is_some_and(|from| text.as_bytes()[from..].eq_ignore_ascii_case(cue.as_bytes()))
}

/// The last three bytes of all cues, to turn most capitals away without a comparison.
struct CueEnds(HashSet<[u8; 3]>, [bool; 256]);

impl CueEnds {
    fn new() -> Self {
        let mut ends = Self(HashSet::new(), [false; 256]);
        for cue in STRONG.iter().chain(&WEAK) {
            if let [.., a, b, c] = cue.as_bytes() {
                ends.0.insert([*a, *b, *c]);
                ends.1[usize::from(*b)] = true;
            }
        }
        ends
    }

    fn may_end(&self, before: &[u8]) -> bool {
        let [.., a, b, c] = before else { return false };
        let end = [a.to_ascii_lowercase(), b.to_ascii_lowercase(), *c];
        matches!(c, b' ' | b'\n') && self.1[usize::from(end[1])] && self.0.contains(&end)
    }
}

static CUE_ENDS: LazyLock<CueEnds> = LazyLock::new(CueEnds::new);

fn behind_title(text: &str, title_end: usize) -> Option<Found> {
    let rest = &text[title_end..];
    let gap = rest.strip_prefix('.').unwrap_or(rest);
    let start = text.len() - gap.strip_prefix(' ')?.len();
    let first = word(text, start).filter(|first| first.len() > 1 && !NOT_NAMES.contains(first))?;
    Some(found(text, start, name_end(text, start, first, 2)))
}

/// The word at `at` if it has the form of a name: a capital, then letters, apostrophes or dashes.
fn word(text: &str, at: usize) -> Option<&str> {
    let rest = &text[at..];
    if !rest.starts_with(|c: char| c.is_uppercase()) {
        return None;
    }
    let end = rest
        .find(|c: char| !(c.is_alphabetic() && !is_wide(c) || matches!(c, '\'' | '’' | '-')))
        .unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches(['\'', '’', '-']);
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    let small = word.chars().skip(1).any(char::is_lowercase);
    (small || word.chars().count() == 1).then_some(word)
}

fn is_wide(c: char) -> bool {
    c >= '\u{2e80}'
}

/// The end of the name of up to `most` words that begins with `first`; initials count as words.
fn name_end(text: &str, start: usize, first: &str, most: usize) -> usize {
    let mut end = start + first.len();
    for _ in 1..most {
        let Some(rest) = text[end..].strip_prefix(' ') else { break };
        let next_at = text.len() - rest.len();
        let Some(next) = word(text, next_at).filter(|next| !NOT_NAMES.contains(next)) else { break };
        let initial = next.chars().count() == 1;
        let point = usize::from(initial && text[next_at + next.len()..].starts_with('.'));
        if initial && (point == 0 || !text[next_at + next.len() + 1..].starts_with(" ")) {
            break;
        }
        end = next_at + next.len() + point;
    }
    end
}

fn found(text: &str, start: usize, end: usize) -> Found {
    Found { kind: Kind::Name, start, end, value: text[start..end].to_owned() }
}
