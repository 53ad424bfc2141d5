//! What identity resolution costs, in CPU seconds of its one thread: `identity [records [seed]]`.
//!
//! Training, a run under the trained model that remembers nothing, and batches of 1% new, changed and deleted
//! records on top of a run that is remembered. Each answer to a batch is compared with that of a run over all.

use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use voxhouse_benches::people::{Known, records};
use voxhouse_engine::Result;
use voxhouse_engine::identity::matching::{Answer, Matcher, Task};
use voxhouse_engine::identity::policy;
use voxhouse_udfs::Resolver;

const KEPT_BYTES: usize = 64 << 30;
const BATCHES: usize = 3;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let size = arguments.next().and_then(|size| size.ok()).unwrap_or(100_000) as usize;
    let seed = arguments.next().and_then(|seed| seed.ok()).unwrap_or(7);
    let all = records(size + BATCHES * size / 200, seed);
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let (mut here, mut later): (Vec<Known>, Vec<Known>) = (Vec::new(), Vec::new());
    for known in all {
        let comes_later = later.len() < BATCHES * size / 200 && dice.random_bool(0.02);
        if comes_later { later.push(known) } else { here.push(known) }
    }

    let (trained, seconds) = timed(|| Resolver::new(0).resolve(&task(&here, None)))?;
    println!("{} records, {} pairs compared", here.len(), trained.compared);
    println!("training and resolving      {seconds:8.2} CPU s");
    println!("                            {}", quality(&here, &trained.labels));
    let model = Some(trained.model);
    let (_, in_full) = timed(|| Resolver::new(0).resolve(&task(&here, model.clone())))?;
    println!("resolving under the model   {in_full:8.2} CPU s");

    let kept = Resolver::new(KEPT_BYTES);
    kept.resolve(&task(&here, model.clone()))?;
    for _ in 0..BATCHES {
        let changed = change(&mut here, &mut later, &mut dice);
        let batch = task(&here, model.clone());
        let (answer, seconds) = timed(|| kept.resolve(&batch))?;
        let expected = Resolver::new(0).resolve(&batch)?;
        assert_eq!((&answer.labels, &answer.pairs), (&expected.labels, &expected.pairs));
        assert_eq!(answer.rules, expected.rules);
        println!(
            "{changed:8} records changed   {seconds:9.3} CPU s, {:.2}% of {in_full:.2}, {} pairs compared",
            100.0 * seconds / in_full,
            answer.compared
        );
    }
    Ok(())
}

fn task(records: &[Known], model: Option<String>) -> Task {
    Task {
        records: records.iter().map(|known| known.record.clone()).collect(),
        policies: policy::defaults(),
        together: Vec::new(),
        apart: Vec::new(),
        model,
        most_pairs: None,
    }
}

/// Half a per cent comes, a quarter holds another value, a quarter goes.
fn change(here: &mut Vec<Known>, later: &mut Vec<Known>, dice: &mut ChaCha8Rng) -> usize {
    let part = here.len() / 400;
    for _ in 0..part {
        let gone = dice.random_range(0..here.len());
        here.swap_remove(gone);
        let (at, from) = (dice.random_range(0..here.len()), dice.random_range(0..here.len()));
        let column = dice.random_range(0..here[at].record.values.len());
        here[at].record.values[column] = here[from].record.values[column].clone();
    }
    let new: Vec<Known> = later.drain(..later.len().min(2 * part)).collect();
    let changed = 2 * part + new.len();
    here.extend(new);
    here.sort_by(|a, b| {
        let (a, b) = (&a.record, &b.record);
        (&a.source_system, &a.record_id).cmp(&(&b.source_system, &b.record_id))
    });
    changed
}

fn timed(run: impl FnOnce() -> Result<Answer>) -> Result<(Answer, f64)> {
    let before = cpu_seconds();
    let answer = run()?;
    Ok((answer, cpu_seconds() - before))
}

/// What the process has run for, by the kernel's count in nanoseconds.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ran| ran.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

/// Precision, recall and F1 of the pairs that are one person.
fn quality(records: &[Known], labels: &[u32]) -> String {
    let pairs = |sizes: HashMap<(u32, u32), u64>| sizes.values().map(|n| n * (n - 1) / 2).sum::<u64>() as f64;
    let count = |key: &dyn Fn(usize) -> (u32, u32)| {
        let mut sizes: HashMap<(u32, u32), u64> = HashMap::new();
        (0..records.len()).for_each(|at| *sizes.entry(key(at)).or_default() += 1);
        pairs(sizes)
    };
    let found = count(&|at| (labels[at], 0));
    let truth = count(&|at| (records[at].person, 0));
    let right = count(&|at| (records[at].person, labels[at]));
    let (precision, recall) = (right / found, right / truth);
    let f1 = 2.0 * precision * recall / (precision + recall);
    format!("precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}")
}
