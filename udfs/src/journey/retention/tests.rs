use super::*;

#[test]
fn later_conditions_count_only_with_the_first() {
    let mut customer = Retention::default();
    customer.update(0b110);
    assert_eq!(customer.answers(3).unwrap(), [false; 3]);
    let mut other = Retention::default();
    other.update(0b1001);
    customer.merge(&Retention::from_bytes(&other.to_bytes()).unwrap());
    assert_eq!(customer.answers(3).unwrap(), [true; 3]);
    assert_eq!(customer.answers(5).unwrap(), [true, true, true, true, false]);
}

#[test]
fn arguments_are_checked() {
    assert!(Retention::default().answers(0).is_err());
    assert!(Retention::default().answers(65).is_err());
    assert!(Retention::from_bytes(&[1, 2]).is_err());
}

#[test]
fn agrees_with_clickhouse() {
    for line in include_str!("../../../golden/journey/retention.csv").lines().skip(1) {
        let (events, answer) = line.split_once(',').unwrap();
        let mut customer = Retention::default();
        for event in events.split_whitespace() {
            customer.update(event.split_once(':').unwrap().1.parse().unwrap());
        }
        let expected: Vec<bool> = answer.chars().map(|c| c == '1').collect();
        assert_eq!(customer.answers(4).unwrap(), expected, "{line}");
    }
}
