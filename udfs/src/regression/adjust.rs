//! p values of a family of tests, adjusted for their number.

/// Benjamini and Hochberg (1995): p·m/rank, made monotone from the largest down, at most 1. Tests without a p
/// value stay without and do not count.
pub(crate) fn benjamini_hochberg(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(place, p)| Some((place, (*p)?))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let tests = order.len();
    let mut adjusted = vec![None; p_values.len()];
    let mut least = 1.0f64;
    for (above, (place, p)) in order.into_iter().enumerate() {
        least = least.min(p * tests as f64 / (tests - above) as f64);
        adjusted[place] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::benjamini_hochberg;

    #[test]
    fn golden_values() {
        let p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216];
        let expected = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105_714_3, 0.216, 0.216, 0.216];
        let mut family: Vec<Option<f64>> = p.iter().rev().map(|p| Some(*p)).collect();
        family.insert(3, None);
        let mut adjusted = benjamini_hochberg(&family);
        assert_eq!(adjusted.remove(3), None);
        for (found, expected) in adjusted.iter().rev().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-7);
        }
    }
}
