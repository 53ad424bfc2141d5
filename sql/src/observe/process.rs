//! What the operating system says of this process. What it does not say is left out.

use std::fs;

/// The kernel counts processor time in hundredths of a second, whatever it counts in itself.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) resident_bytes: Option<u64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) open_files: Option<u64>,
}

pub(super) fn usage() -> Usage {
    Usage {
        resident_bytes: fs::read_to_string("/proc/self/status").ok().and_then(|text| resident_bytes(&text)),
        cpu_seconds: fs::read_to_string("/proc/self/stat").ok().and_then(|text| cpu_seconds(&text)),
        open_files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64),
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

/// The name of the program, in brackets, may hold anything; behind it the 12th and 13th field are what is wanted.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_understood() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t  2048 kB\nVmData: 1 kB\n"), Some(2 << 20));
        assert_eq!(cpu_seconds("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0"), Some(3.0));
        assert_eq!((resident_bytes(""), cpu_seconds("7 (x) S")), (None, None));
        let usage = usage();
        assert!(usage.resident_bytes.is_some_and(|bytes| bytes > 1 << 20) && usage.cpu_seconds.is_some());
    }
}
