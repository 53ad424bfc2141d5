use super::*;
use crate::journey::dice::Dice;

mod oracle;

const MICROS: i64 = 1_000_000;

fn event(time: i64, conditions: u64) -> Event {
    Event { time, sequence: 0, conditions }
}

fn state(funnel: &Funnel, events: &[Event]) -> FunnelState {
    let mut state = FunnelState::default();
    events.iter().for_each(|event| state.update(funnel, *event));
    state
}

/// One letter an event, one second apart: `a` is the first step, another character meets nothing.
fn letters(text: &str) -> Vec<Event> {
    let step = |c: char| if c.is_ascii_lowercase() { 1 << (c as u64 - u64::from(b'a')) } else { 0 };
    text.chars().zip(0..).map(|(c, second)| event(second * MICROS, step(c))).collect()
}

fn level(text: &str, steps: usize, modes: &str) -> usize {
    let funnel = Funnel::new(steps, 1000 * MICROS, Modes::parse(modes).unwrap()).unwrap();
    state(&funnel, &letters(text)).level(&funnel)
}

#[test]
fn modes_by_example() {
    let cases = [
        ("", 3, "", 0),
        ("bca", 3, "", 1),
        ("abc", 3, "", 3),
        ("acb", 3, "", 2),
        ("axbxc", 3, "", 3),
        ("axbxc", 3, "strict_order", 1),
        ("abdc", 4, "strict_order", 2),
        ("abbc", 3, "strict_order", 3),
        ("xxabc", 3, "strict_order", 3),
        ("axabc", 3, "strict_order", 1),
        ("axabc", 3, "strict_order, restart", 3),
        ("abcbd", 4, "", 4),
        ("abcbd", 4, "strict_deduplication", 3),
        ("abacd", 4, "strict_deduplication", 4),
        ("abdb", 4, "strict_deduplication", 2),
        // ClickHouse issue 37177: the third and later attempts of one customer.
        ("abcababcd", 4, "strict_deduplication", 3),
        ("abcababcd", 4, "strict_deduplication,restart", 4),
    ];
    for (text, steps, modes, expected) in cases {
        assert_eq!(level(text, steps, modes), expected, "{text} {steps} {modes}");
    }
}

#[test]
fn one_event_fills_one_step() {
    // ClickHouse issue 21835: both conditions hold for the same event.
    let funnel = Funnel::new(2, 10, Modes::default()).unwrap();
    assert_eq!(state(&funnel, &[event(100, 0b11)]).level(&funnel), 1);
    assert_eq!(state(&funnel, &[event(100, 0b11), event(100, 0b11)]).level(&funnel), 2);
}

#[test]
fn equal_times_help_unless_increase_is_asked() {
    let rows = [event(5, 0b10), event(5, 0b01)];
    let lenient = Funnel::new(2, 10, Modes::default()).unwrap();
    assert_eq!(state(&lenient, &rows).times(&lenient), [5, 5]);
    let strict = Funnel::new(2, 10, Modes::default().with(Mode::StrictIncrease)).unwrap();
    assert_eq!(state(&strict, &rows).times(&strict), [5]);
    // Any order helps: the first condition must go to the event that meets nothing else.
    let rows = [event(5, 0b101), event(5, 0b010), event(5, 0b001)];
    let three = Funnel::new(3, 10, Modes::default()).unwrap();
    assert_eq!(state(&three, &rows).level(&three), 3);
}

#[test]
fn a_later_simultaneous_start_hides_no_chain() {
    // ClickHouse issues 52844 and 93789: a second step at the time of the third overwrote the first one.
    let rows = [event(0, 0b001), event(1, 0b010), event(2, 0b010), event(2, 0b100)];
    let funnel = Funnel::new(3, 10, Modes::default().with(Mode::StrictIncrease)).unwrap();
    assert_eq!(state(&funnel, &rows).times(&funnel), [0, 1, 2]);
}

#[test]
fn the_winner_is_the_earliest_completion() {
    let funnel = Funnel::new(3, 10, Modes::default()).unwrap();
    let rows = [event(0, 1), event(3, 1), event(4, 2), event(5, 2), event(6, 4), event(7, 1), event(8, 2)];
    assert_eq!(state(&funnel, &rows).times(&funnel), [3, 4, 6]);
    assert_eq!(state(&funnel, &rows[3..]).times(&funnel), [7, 8]);
    assert_eq!(state(&funnel, &rows[3..5]).times(&funnel), [] as [i64; 0]);
}

#[test]
fn sixty_four_steps_and_extreme_times() {
    let funnel = Funnel::new(64, i64::MAX, Modes::default()).unwrap();
    let rows: Vec<Event> = (0..64).rev().map(|step| event(i64::MIN, 1 << step)).collect();
    assert_eq!(state(&funnel, &rows).level(&funnel), 64);
    let all: Vec<Event> = (0..100).map(|_| event(7, u64::MAX)).collect();
    assert_eq!(state(&funnel, &all).level(&funnel), 64);
    assert_eq!(state(&funnel, &all[..63]).level(&funnel), 63);
    let narrow = Funnel::new(2, 10, Modes::default()).unwrap();
    assert_eq!(state(&narrow, &[event(i64::MIN, 1), event(i64::MAX, 2)]).level(&narrow), 1);
}

#[test]
fn arguments_are_checked() {
    assert!(Funnel::new(0, 1, Modes::default()).is_err());
    assert!(Funnel::new(65, 1, Modes::default()).is_err());
    assert!(Funnel::new(2, -1, Modes::default()).is_err());
    assert!(Funnel::new(2, 1, Modes::parse("restart").unwrap()).is_err());
    let error = Modes::parse("strict").unwrap_err();
    assert_eq!(error.message, "funnel mode \"strict\" does not exist");
    assert!(error.hint.is_some());
}

#[test]
fn unordered_events_are_refused_by_the_scan() {
    let funnel = Funnel::new(2, 1, Modes::default()).unwrap();
    let mut scan = Scan::default();
    scan.push(&funnel, event(2, 1)).unwrap();
    assert!(scan.push(&funnel, event(1, 1)).is_err());
}

/// Every set of modes that can be asked for.
fn all_modes() -> Vec<Modes> {
    let all = [Mode::StrictDeduplication, Mode::StrictOrder, Mode::StrictIncrease, Mode::Restart];
    let pick = |set: usize| {
        let chosen = all.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0);
        chosen.fold(Modes::default(), |modes, (_, mode)| modes.with(*mode))
    };
    (0..16).map(pick).filter(|modes| modes.check().is_ok()).collect()
}

fn random_events(dice: &mut Dice, steps: u64) -> Vec<Event> {
    let (count, times, sequences) = (dice.below(8), 1 + dice.below(12), 1 + dice.below(2));
    let overlap = dice.below(2) == 0;
    let conditions = |dice: &mut Dice| match dice.below(8) {
        0 => 0,
        _ if overlap => dice.below(1 << steps),
        _ => 1 << dice.below(steps),
    };
    let row = |dice: &mut Dice| Event {
        time: dice.below(times) as i64,
        sequence: dice.below(sequences),
        conditions: conditions(dice),
    };
    (0..count).map(|_| row(dice)).collect()
}

#[test]
fn agrees_with_the_enumeration_of_all_chains() {
    let mut dice = Dice::new(20);
    let modes = all_modes();
    for round in 0..40_000 {
        let steps = 1 + dice.below(4);
        let events = random_events(&mut dice, steps);
        let modes = modes[dice.below(modes.len() as u64) as usize];
        let funnel = Funnel::new(steps as usize, dice.below(12) as i64, modes).unwrap();
        let expected = oracle::winner(&funnel, &events);
        let mut found = state(&funnel, &events);
        assert_eq!(found.times(&funnel), expected, "round {round} {funnel:?} {events:?}");
        assert_eq!(found.level(&funnel), expected.len());
    }
}

#[test]
fn order_splits_and_streaming_make_no_difference() {
    let mut dice = Dice::new(21);
    let modes = all_modes();
    for _ in 0..5_000 {
        let mut events = random_events(&mut dice, 3);
        let funnel = Funnel::new(3, 6, modes[dice.below(modes.len() as u64) as usize]).unwrap();
        let expected = state(&funnel, &events).times(&funnel);
        dice.shuffle(&mut events);
        let cut = dice.below(events.len() as u64 + 1) as usize;
        let mut left = state(&funnel, &events[cut..]);
        let right = state(&funnel, &events[..cut]);
        left.merge(&FunnelState::from_bytes(&right.to_bytes()).unwrap());
        assert_eq!(left.times(&funnel), expected);
        events.sort_by_key(|event| (event.time, event.sequence));
        let mut scan = Scan::with_times();
        scan.push(&funnel, event(0, 1)).unwrap();
        scan.reset();
        events.iter().for_each(|event| scan.push(&funnel, *event).unwrap());
        scan.finish(&funnel);
        assert_eq!(scan.times(), expected);
    }
}

#[test]
fn agrees_with_clickhouse_where_no_times_are_equal() {
    let golden = include_str!("../../../golden/journey/funnel.csv");
    let mut cases = 0;
    for line in golden.lines().skip(1) {
        let [modes, steps, window, events, expected] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let modes = Modes::parse(&modes.replace('+', ",")).unwrap();
        let funnel = Funnel::new(steps.parse().unwrap(), window.parse().unwrap(), modes).unwrap();
        let row = |text: &str| {
            let (time, conditions) = text.split_once(':').unwrap();
            event(time.parse().unwrap(), conditions.parse().unwrap())
        };
        let events: Vec<Event> = events.split_whitespace().map(row).collect();
        assert_eq!(state(&funnel, &events).level(&funnel), expected.parse::<usize>().unwrap(), "{line}");
        cases += 1;
    }
    assert!(cases > 500);
}
