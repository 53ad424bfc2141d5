use super::Sessions;
use crate::journey::Invalid;

/// By event, its session; `None` for one without a time.
fn sessionize(times: &[Option<i64>], gap: i64) -> Result<Vec<Option<u64>>, Invalid> {
    let mut sessions = Sessions::new(gap)?;
    times.iter().map(|time| time.map(|time| sessions.number(time)).transpose()).collect()
}

#[test]
fn silence_longer_than_the_gap_parts() {
    let times = [Some(0), Some(0), Some(30), None, Some(61), Some(91), Some(500)];
    let expected = [Some(1), Some(1), Some(1), None, Some(2), Some(2), Some(3)];
    assert_eq!(sessionize(&times, 30).unwrap(), expected);
    assert_eq!(sessionize(&[], 30).unwrap(), []);
    assert_eq!(sessionize(&[None, None], 30).unwrap(), [None, None]);
    assert_eq!(sessionize(&[Some(1), Some(2), Some(2)], 0).unwrap(), [Some(1), Some(2), Some(2)]);
}

#[test]
fn extremes() {
    let times = [Some(i64::MIN), Some(i64::MAX)];
    assert_eq!(sessionize(&times, i64::MAX).unwrap(), [Some(1), Some(2)]);
    assert!(sessionize(&[Some(2), Some(1)], 30).is_err());
    assert!(sessionize(&[Some(2)], -1).is_err());
}
