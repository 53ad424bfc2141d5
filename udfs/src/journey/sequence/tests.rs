use super::*;
use crate::journey::dice::Dice;

const SECOND: i64 = 1_000_000;

/// Events `second:conditions`.
fn state(text: &str) -> SequenceState {
    let mut state = SequenceState::default();
    for event in text.split_whitespace() {
        let (second, conditions) = event.split_once(':').unwrap();
        let (second, conditions): (i64, u64) = (second.parse().unwrap(), conditions.parse().unwrap());
        state.update(Event { time: second * SECOND, sequence: 0, conditions });
    }
    state
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, 4).unwrap()
}

#[test]
fn sequences_by_hand() {
    let cases = [
        ("(?1)(?2)", "1:1 2:2", 1),
        ("(?1)(?2)", "1:1 2:4 3:2", 0),
        // Events that meet nothing are not there.
        ("(?1)(?2)", "1:1 2:0 3:2", 1),
        ("(?1).*(?2)", "1:1 2:1 3:2 4:2 5:1 6:2", 2),
        ("(?1)(?t<=3600)(?2).*(?3)", "0:1 3600:2 9000:4", 1),
        ("(?1)(?t<=3600)(?2).*(?3)", "0:1 3601:2 9000:4", 0),
        ("(?1)(?t>=60)(?t<=90)(?2)", "0:1 10:2 70:2 95:2", 1),
        ("(?1)(?1)", "1:1 2:1 3:1 4:1 5:1", 2),
        // One event may meet several items of different matches, but not two of one.
        ("(?1)(?2)", "1:3", 0),
        ("(?1)(?2)", "1:3 2:3", 1),
        (".", "1:1 2:8", 2),
    ];
    for (text, events, count) in cases {
        assert_eq!(state(events).count(&pattern(text)), count, "{text} {events}");
        assert_eq!(state(events).matches(&pattern(text)), count > 0, "{text} {events}");
    }
}

#[test]
fn simultaneous_events_follow_their_lowest_condition() {
    assert!(state("5:2 5:1").matches(&pattern("(?1)(?2)")));
    assert!(!state("5:2 5:1").matches(&pattern("(?2).*(?1)")));
    let mut numbered = SequenceState::default();
    numbered.update(Event { time: 5, sequence: 2, conditions: 1 });
    numbered.update(Event { time: 5, sequence: 1, conditions: 2 });
    assert!(numbered.matches(&pattern("(?2)(?1)")));
}

#[test]
fn the_first_match_tells_its_times() {
    let seconds = |text: &str, events: &str| -> Vec<i64> {
        state(events).times(&pattern(text)).iter().map(|time| time / SECOND).collect()
    };
    assert_eq!(seconds("(?1).*(?2).*(?3)", "0:1 2:1 3:2 4:2 5:4 6:4"), [0, 3, 5]);
    assert_eq!(seconds("(?1)(?t<=2)(?2)", "0:1 2:1 4:2 5:2"), [2, 4]);
    assert_eq!(seconds("(?3)", "0:1"), [] as [i64; 0]);
}

#[test]
fn no_pattern_is_slow() {
    // Exponential for a backtracking matcher.
    let text = format!("{}(?2)", "(?1)(?t<=100000000)".repeat(30));
    let mut many = SequenceState::default();
    for time in 0..20_000 {
        many.update(Event { time: time * SECOND, sequence: 0, conditions: 1 });
    }
    many.update(Event { time: 0, sequence: 0, conditions: 2 });
    assert_eq!(many.count(&pattern(&text)), 0);
}

#[test]
fn extreme_times_are_far_apart() {
    let mut state = SequenceState::default();
    state.update(Event { time: i64::MIN, sequence: 0, conditions: 1 });
    state.update(Event { time: i64::MAX, sequence: 0, conditions: 2 });
    assert!(state.matches(&pattern("(?1)(?t>1000)(?2)")));
    assert!(!state.matches(&pattern("(?1)(?t<1000)(?2)")));
}

/// The places of all matches, by trying every choice of events, earliest first.
fn enumerate(pattern: &Pattern, events: &[Event], from: usize) -> Option<Vec<usize>> {
    fn go(pattern: &Pattern, events: &[Event], from: usize, chosen: &mut Vec<usize>) -> bool {
        let item = chosen.len();
        if item == pattern.items.len() {
            return true;
        }
        for place in from..events.len() {
            let fits = item == 0 || {
                let (gap, before) = (pattern.gaps[item - 1], chosen[item - 1]);
                let time = events[place].time - events[before].time;
                (gap.skips || place == before + 1) && (gap.least..=gap.most).contains(&time)
            };
            if fits && events[place].conditions & pattern.items[item] != 0 {
                chosen.push(place);
                if go(pattern, events, place + 1, chosen) {
                    return true;
                }
                chosen.pop();
            }
        }
        false
    }
    let mut chosen = Vec::new();
    go(pattern, events, from, &mut chosen).then_some(chosen)
}

fn random_pattern(dice: &mut Dice) -> String {
    let mut text = String::new();
    for item in 0..=dice.below(4) {
        let operator = ["<=", "<", ">=", ">", "=="][dice.below(5) as usize];
        match dice.below(5) {
            _ if item == 0 => {}
            0 | 1 => text += &format!("(?t{operator}{})", dice.below(8)),
            2 => text += ".*",
            _ => {}
        }
        match dice.below(6) {
            0 => text.push('.'),
            condition => text += &format!("(?{})", 1 + condition % 3),
        }
    }
    text
}

#[test]
fn agrees_with_trying_every_choice() {
    let mut dice = Dice::new(30);
    let mut matched = 0;
    for _ in 0..40_000 {
        let pattern = pattern(&random_pattern(&mut dice));
        let (count, span) = (dice.below(12), 1 + dice.below(20));
        let mut events: Vec<Event> = (0..count)
            .map(|_| Event {
                time: dice.below(span) as i64 * SECOND,
                sequence: dice.below(2),
                conditions: dice.below(8),
            })
            .collect();
        let mut found = SequenceState::default();
        events.iter().for_each(|event| found.update(*event));
        events.retain(|event| event.conditions != 0);
        events.sort();
        let first = enumerate(&pattern, &events, 0).unwrap_or_default();
        let times: Vec<i64> = first.iter().map(|place| events[*place].time).collect();
        let (mut count, mut from) = (0, 0);
        while let Some(places) = enumerate(&pattern, &events, from) {
            count += 1;
            from = places[places.len() - 1] + 1;
        }
        assert_eq!(found.times(&pattern), times, "{pattern:?} {events:?}");
        assert_eq!(found.count(&pattern), count, "{pattern:?} {events:?}");
        assert_eq!(found.matches(&pattern), count > 0);
        matched += u64::from(count > 0);
    }
    assert!(matched > 10_000);
}

#[test]
fn order_and_splits_make_no_difference() {
    let mut dice = Dice::new(31);
    for _ in 0..3_000 {
        let pattern = pattern(&random_pattern(&mut dice));
        let mut events: Vec<Event> = (0..dice.below(10))
            .map(|_| Event { time: dice.below(9) as i64 * SECOND, sequence: 0, conditions: dice.below(8) })
            .collect();
        let gather = |events: &[Event]| {
            let mut state = SequenceState::default();
            events.iter().for_each(|event| state.update(*event));
            state
        };
        let mut whole = gather(&events);
        dice.shuffle(&mut events);
        let cut = dice.below(events.len() as u64 + 1) as usize;
        let mut merged = gather(&events[..cut]);
        merged.merge(&SequenceState::from_bytes(&gather(&events[cut..]).to_bytes()).unwrap());
        assert_eq!(merged.count(&pattern), whole.count(&pattern));
        assert_eq!(merged.times(&pattern), whole.times(&pattern));
    }
}

#[test]
fn agrees_with_clickhouse_where_no_times_are_equal() {
    let mut cases = 0;
    for line in include_str!("../../../golden/journey/sequence.csv").lines().skip(1) {
        let [text, events, matches, count] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(state(events).matches(&pattern(text)), matches == "1", "{line}");
        assert_eq!(state(events).count(&pattern(text)), count.parse::<u64>().unwrap(), "{line}");
        cases += 1;
    }
    assert!(cases > 500);
}
