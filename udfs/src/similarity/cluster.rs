//! Groups of texts about the same: spherical k-means over tf·idf vectors (Dhillon and Modha 2001) with centres
//! spread out at the beginning (k-means++, Arthur and Vassilvitskii 2007).

use super::Invalid;
use super::features::{DIMENSIONS, Vector, cosine, dot, vectors};
use super::shingles::mix;
use super::summary::{FULL, variety};

const MOST_ROUNDS: usize = 30;

/// Most clusters; each holds a dense centre in memory.
const MOST_CLUSTERS: usize = 256;

/// What came of a clustering.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clustering {
    /// For every text its cluster, `None` for a text without letters and digits.
    pub(crate) labels: Vec<Option<usize>>,
    /// Cosine of every text with its centre, 0 if it has no cluster.
    pub(crate) scores: Vec<f64>,
    /// The largest first; of equal size the one whose representative comes first in the alphabet.
    pub(crate) clusters: Vec<Cluster>,
}

/// A group of texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cluster {
    pub(crate) size: usize,
    /// Row of the text that speaks for the cluster: near to the centre and not too short.
    pub(crate) representative: usize,
    /// Mean cosine of its texts with the centre: 1 if all are the same.
    pub(crate) cohesion: f64,
}

/// `k` clusters of `texts`, fewer if there are fewer different texts. The same texts, `k` and `seed` give the
/// same clusters in whatever order the texts come.
pub(crate) fn cluster_verbatims(texts: &[&str], k: usize, seed: u64) -> Result<Clustering, Invalid> {
    if !(1..=MOST_CLUSTERS).contains(&k) {
        let hint = format!("Ask for 1 to {MOST_CLUSTERS} clusters.");
        return Err(Invalid::new(format!("number of clusters {k} is out of range"), &hint));
    }
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|row| (texts[*row], *row));
    let sorted: Vec<&str> = order.iter().map(|row| texts[*row]).collect();
    let vectors = vectors(&sorted);
    let mut centres = first_centres(&vectors, k, seed);
    let mut labels = assign(&vectors, &centres);
    for _ in 0..MOST_ROUNDS {
        move_centres(&vectors, &labels, &mut centres);
        let next = assign(&vectors, &centres);
        if next == labels {
            break;
        }
        labels = next;
    }
    Ok(describe(&sorted, &order, &vectors, &labels, &centres))
}

/// Centres at texts, each far from those before: the next is drawn with a probability that grows with the square
/// of its distance to the nearest.
fn first_centres(vectors: &[Vector], k: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut nearest: Vec<f64> =
        vectors.iter().map(|vector| if vector.is_empty() { 0.0 } else { 1.0 }).collect();
    let mut centres: Vec<Vec<f32>> = Vec::new();
    let mut state = seed;
    while centres.len() < k {
        state = mix(state);
        let total: f64 = nearest.iter().sum();
        // What rounding leaves of texts equal to a centre is no distance.
        if total <= 1e-6 {
            break;
        }
        let mut left = (state >> 11) as f64 / (1_u64 << 53) as f64 * total;
        let drawn = nearest.iter().position(|weight| {
            left -= weight;
            left < 0.0 && *weight > 0.0
        });
        let Some(chosen) = drawn.or_else(|| nearest.iter().rposition(|weight| *weight > 0.0)) else { break };
        let centre = &vectors[chosen];
        for (weight, vector) in nearest.iter_mut().zip(vectors) {
            let distance = f64::from(1.0 - cosine(centre, vector)).max(0.0);
            let distance = if distance < 1e-6 { 0.0 } else { distance };
            *weight = weight.min(distance * distance);
        }
        centres.push(dense(centre));
    }
    centres
}

fn dense(vector: &Vector) -> Vec<f32> {
    let mut dense = vec![0.0; DIMENSIONS];
    for (dimension, weight) in vector {
        dense[*dimension as usize] = *weight;
    }
    dense
}

/// For every vector the centre with the largest cosine, the first of equals; `None` for an empty vector.
fn assign(vectors: &[Vector], centres: &[Vec<f32>]) -> Vec<Option<usize>> {
    let nearest = |vector: &Vector| {
        let cosines = centres.iter().map(|centre| dot(vector, centre)).enumerate();
        cosines.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i))).map(|(place, _)| place)
    };
    vectors.iter().map(|vector| if vector.is_empty() { None } else { nearest(vector) }).collect()
}

/// Every centre becomes the direction of the sum of its texts; one without texts stays.
fn move_centres(vectors: &[Vector], labels: &[Option<usize>], centres: &mut [Vec<f32>]) {
    for (number, centre) in centres.iter_mut().enumerate() {
        let mut sum = vec![0.0_f32; DIMENSIONS];
        for (vector, _) in vectors.iter().zip(labels).filter(|(_, label)| **label == Some(number)) {
            for (dimension, weight) in vector {
                sum[*dimension as usize] += weight;
            }
        }
        let length = sum.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
        if length > 0.0 {
            sum.iter_mut().for_each(|weight| *weight /= length);
            *centre = sum;
        }
    }
}

/// Puts the clusters in order of size and the rows in theirs.
fn describe(
    sorted: &[&str],
    order: &[usize],
    vectors: &[Vector],
    labels: &[Option<usize>],
    centres: &[Vec<f32>],
) -> Clustering {
    let cosine_at =
        |place: usize, number: usize| f64::from(dot(&vectors[place], &centres[number])).clamp(0.0, 1.0);
    let mut found: Vec<(usize, usize, f64, usize)> = Vec::new();
    for number in 0..centres.len() {
        let members: Vec<usize> = (0..sorted.len()).filter(|place| labels[*place] == Some(number)).collect();
        let fitness = |place: usize| (variety(sorted[place]) as f64 / FULL as f64).min(1.0).sqrt();
        let value = |place: usize| cosine_at(place, number) * fitness(place);
        let nearest = |a: &usize, b: &usize| value(*a).total_cmp(&value(*b)).then(b.cmp(a));
        if let Some(best) = members.iter().copied().max_by(nearest) {
            let sum: f64 = members.iter().map(|place| cosine_at(*place, number)).sum();
            found.push((members.len(), best, sum / members.len() as f64, number));
        }
    }
    found.sort_by_key(|(size, best, _, _)| (std::cmp::Reverse(*size), *best));
    let mut clustering =
        Clustering { labels: vec![None; order.len()], scores: vec![0.0; order.len()], clusters: Vec::new() };
    for (size, best, cohesion, number) in found {
        let label = clustering.clusters.len();
        clustering.clusters.push(Cluster { size, representative: order[best], cohesion });
        for place in (0..sorted.len()).filter(|place| labels[*place] == Some(number)) {
            clustering.labels[order[place]] = Some(label);
            clustering.scores[order[place]] = cosine_at(place, number);
        }
    }
    clustering
}
