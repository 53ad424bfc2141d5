//! Which files of a table are merged: a pure choice by sizes and partitions.
//!
//! Merging rewrites rows, so a file should be rewritten seldom. In the background files are merged with others of about
//! their size: of each power of four there may be a few, and when there are [`FEWEST_FILES`] these and all smaller ones
//! become one. So a row is rewritten about once each time its file has grown fourfold, until that has half of the target
//! size. A table that has come to rest gets rid of its last few small files, too.

use std::collections::{BTreeMap, HashSet};

use super::snapshot::DataFile;

/// Fewer small files than this in a partition are left alone in the background.
pub const FEWEST_FILES: usize = 8;
/// Files up to this size cost more to open than to read.
const TINY_BYTES: u64 = 32 << 10;
/// One rewrite reads no more files than this.
const MOST_FILES: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// As the background does, while the table changes.
    Tiers,
    /// Every file that is far from the target size, if there are two.
    Small,
    /// Every file of each partition, as one.
    Everything,
}

/// Files of one partition whose rows go into new ones together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bin {
    pub files: HashSet<String>,
    pub bytes: u64,
}

impl Bin {
    fn add(&mut self, file: &DataFile) {
        self.files.insert(file.path.to_string());
        self.bytes += file.size;
    }
}

/// A partition: its columns and their values.
type Partition = Vec<(String, Option<String>)>;

/// What to rewrite of some files.
pub fn bins<'a>(
    files: impl IntoIterator<Item = &'a DataFile>,
    target_bytes: u64,
    choice: Choice,
) -> Vec<Bin> {
    let mut partitions: BTreeMap<Partition, Vec<&DataFile>> = BTreeMap::new();
    for file in files {
        let mut partition: Partition = file.partition_values.clone().into_iter().collect();
        partition.sort();
        partitions.entry(partition).or_default().push(file);
    }
    let mut bins = Vec::new();
    for mut files in partitions.into_values() {
        // By path among equals, so that two processes choose alike.
        files.sort_by_key(|file| (file.size, file.path.to_string()));
        match choice {
            Choice::Everything => bins.push(whole(&files)),
            Choice::Small => bins.extend(packed(below(&files, target_bytes / 4 * 3), target_bytes)),
            // Any two that are below half of the target go into one bin.
            Choice::Tiers => bins.extend(packed(full_tiers(below(&files, target_bytes / 2)), target_bytes)),
        }
    }
    bins
}

fn whole(files: &[&DataFile]) -> Bin {
    let mut bin = Bin::default();
    files.iter().for_each(|file| bin.add(file));
    bin
}

/// Those of the sorted files that are smaller than a limit.
fn below<'f, 'a>(files: &'f [&'a DataFile], limit: u64) -> &'f [&'a DataFile] {
    &files[..files.partition_point(|file| file.size < limit)]
}

/// The power of four, from that of tiny files.
fn tier(bytes: u64) -> u32 {
    let times = bytes.saturating_sub(1) / TINY_BYTES;
    (u64::BITS - times.leading_zeros()).div_ceil(2)
}

/// The sorted files up to the largest tier that has enough of them; none if none has.
fn full_tiers<'f, 'a>(files: &'f [&'a DataFile]) -> &'f [&'a DataFile] {
    let mut end = 0;
    let mut first = 0;
    for (place, file) in files.iter().enumerate() {
        if tier(file.size) != tier(files[first].size) {
            first = place;
        }
        let is_last = files.get(place + 1).is_none_or(|next| tier(next.size) != tier(file.size));
        if is_last && place + 1 - first >= FEWEST_FILES {
            end = place + 1;
        }
    }
    &files[..end]
}

/// In bins of about the target size; a file that is alone in one stays as it is.
fn packed(files: &[&DataFile], target_bytes: u64) -> Vec<Bin> {
    let mut bins = vec![];
    let mut bin = Bin::default();
    for file in files {
        let is_full = bin.bytes + file.size > target_bytes || bin.files.len() >= MOST_FILES;
        if is_full && !bin.files.is_empty() {
            bins.push(std::mem::take(&mut bin));
        }
        bin.add(file);
    }
    bins.push(bin);
    bins.retain(|bin| bin.files.len() > 1);
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: u64 = 128 << 20;
    const KB: u64 = 1 << 10;
    const MB: u64 = 1 << 20;

    fn files(sizes: &[u64], partition: &str) -> Vec<DataFile> {
        let named =
            |(place, size): (usize, &u64)| DataFile::sized(&format!("{partition}/{place}"), *size, partition);
        sizes.iter().enumerate().map(named).collect()
    }

    fn counts(bins: &[Bin]) -> Vec<usize> {
        bins.iter().map(|bin| bin.files.len()).collect()
    }

    #[test]
    fn small_files_of_one_partition_become_one() {
        let mut all = files(&[KB; 10], "a");
        all.extend(files(&[KB; 3], "b"));
        all.extend(files(&[KB], "c"));
        assert_eq!(counts(&bins(&all, TARGET, Choice::Small)), [10, 3]);
        assert_eq!(counts(&bins(&all, TARGET, Choice::Tiers)), [10]);
        assert_eq!(counts(&bins(&all, TARGET, Choice::Everything)), [10, 3, 1]);
    }

    #[test]
    fn a_bin_holds_about_the_target_and_large_files_stay() {
        let all = files(&[50 * MB, 50 * MB, 50 * MB, 50 * MB, 50 * MB, 120 * MB, 300 * MB], "a");
        assert_eq!(counts(&bins(&all, TARGET, Choice::Small)), [2, 2]);
        assert!(bins(&files(&[90 * MB, 90 * MB], "a"), TARGET, Choice::Small).is_empty());
    }

    #[test]
    fn a_file_waits_for_others_of_its_size() {
        let mut sizes = vec![2 * KB; 9];
        sizes.push(16 * MB);
        assert_eq!(counts(&bins(&files(&sizes, "a"), TARGET, Choice::Tiers)), [9]);
        let mut sizes = vec![MB; 8];
        sizes.push(16 * MB);
        assert_eq!(counts(&bins(&files(&sizes, "a"), TARGET, Choice::Tiers)), [8]);
        sizes.extend([2 * MB, 2 * MB, 4 * MB]);
        assert_eq!(counts(&bins(&files(&sizes, "a"), TARGET, Choice::Tiers)), [10]);
        // There are few of any size.
        let sizes: Vec<u64> = (0..9).map(|power| MB << power).filter(|size| *size < 64 * MB).collect();
        assert!(bins(&files(&sizes, "a"), TARGET, Choice::Tiers).is_empty());
    }

    #[test]
    fn tiers_are_powers_of_four() {
        for (bytes, expected) in [
            (0, 0),
            (1, 0),
            (32 * KB, 0),
            (32 * KB + 1, 1),
            (128 * KB, 1),
            (129 * KB, 2),
            (2 * MB, 3),
            (2 * MB + 1, 4),
        ] {
            assert_eq!(tier(bytes), expected, "{bytes}");
        }
    }

    /// Commits of one file each, a look after each commit.
    #[test]
    fn rows_are_rewritten_seldom_and_files_stay_few() {
        let mut sizes: Vec<u64> = Vec::new();
        let (mut written, mut merged, mut most) = (0, 0, 0);
        for _ in 0..10_000 {
            sizes.push(20 * KB);
            written += 20 * KB;
            let all = files(&sizes, "a");
            for bin in bins(&all, TARGET, Choice::Tiers) {
                let gone: HashSet<usize> =
                    (0..all.len()).filter(|place| bin.files.contains(all[*place].path.as_ref())).collect();
                sizes = (0..sizes.len()).filter(|place| !gone.contains(place)).map(|p| sizes[p]).collect();
                sizes.push(bin.bytes);
                merged += bin.bytes;
            }
            most = most.max(sizes.len());
        }
        assert!(most < 40, "{most} files");
        assert!(merged < written * 5, "each row was rewritten {} times", merged / written);
    }
}
