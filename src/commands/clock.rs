//! Is the clock of the host to be believed?

use crate::cli::Global;
use crate::model::Tick;

/// 2026-11-01: no run of this program can have been earlier.
const MADE_AT: i64 = 1_793_491_200;

/// The moment of a run, unless it is that of a clock which must be wrong.
///
/// A host without a battery for its clock begins in 1970, or where it was switched off, until
/// somebody tells it the time. What it reads then would get a time of then.
pub(super) fn plausible(tick: Tick, global: &Global) -> anyhow::Result<Tick> {
    if global.now.is_none() && tick.0.timestamp() < MADE_AT {
        anyhow::bail!(
            "the clock of this host says {}, when there was no tripline yet; set it, or wait until \
             a time service does: the next run goes on then",
            tick.0.format("%F %TZ")
        );
    }
    Ok(tick)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_clock_that_must_be_wrong_is_told_unless_somebody_said_so() {
        let tick = |time: &str| Tick(time.parse().unwrap());
        let cli = |arguments: &[&str]| Cli::parse_from(["tripline"].iter().chain(arguments));
        let by_clock = cli(&["run"]).global;
        assert_eq!(
            plausible(tick("1970-01-01T00:00:07Z"), &by_clock).unwrap_err().to_string(),
            "the clock of this host says 1970-01-01 00:00:07Z, when there was no tripline yet; \
             set it, or wait until a time service does: the next run goes on then"
        );
        assert!(plausible(tick("2026-11-24T12:00:00Z"), &by_clock).is_ok());
        let by_hand = cli(&["--now", "1999-01-01T00:00:00Z", "run"]).global;
        assert!(plausible(tick("1999-01-01T00:00:00Z"), &by_hand).is_ok());
    }
}
