//! Numbers and logs that one seed decides, so that a failure can be repeated.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};

/// `SplitMix64`: small, and good enough to choose instants.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The numbers of a case; `TRIPLINE_TEST_SEED` chooses others than usual.
    pub(crate) fn new(case: usize) -> Self {
        let seed = std::env::var("TRIPLINE_TEST_SEED").ok().filter(|seed| !seed.is_empty());
        let seed = seed.map_or(1, |seed| seed.parse::<u64>().expect("a number"));
        let random = Self { state: (seed << 20) + case as u64 };
        // Shown when the test fails.
        println!("case {case} of TRIPLINE_TEST_SEED={seed}");
        random
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }
}

/// A log of so many lines, of all kinds, over half a day in which errors come in bursts.
pub(crate) fn log(random: &mut Random, lines: usize) -> String {
    let mut time: DateTime<Utc> = "2026-01-15T00:00:00Z".parse().expect("a time");
    let mut log = String::new();
    let mut errors = 10;
    for line in 0..lines {
        if random.below(100) == 0 {
            // Quiet times end the alerts, and the next stretch is good or bad.
            time += TimeDelta::minutes(12);
            errors = [0, 1, 10, 60][random.below(4)];
        }
        time += TimeDelta::milliseconds(i64::try_from(random.below(6000)).expect("small"));
        let level = match random.below(100) {
            0 if errors > 0 => "FATAL",
            chance if chance < errors => "ERROR",
            chance => ["TRACE", "DEBUG", "INFO", "WARN"][chance % 4],
        };
        match random.below(20) {
            0 => writeln!(log, "neither this nor that {line}"),
            1 => writeln!(log, "\tat some.Class(File.java:{line})\n"),
            _ => writeln!(log, "{} [{level}] line {line}", time.format("%F %T%.3f")),
        }
        .expect("a string takes everything");
    }
    log
}
