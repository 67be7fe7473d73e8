//! Durations in the form that people read.

/// What a second of the operation's clock is to the user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// A second of the wall's clock.
    Wall,
    /// A second of the sandbox's own time, in which things last as long as in AWS.
    Sandbox,
    /// A fraction of a real second: in the sandbox at its instant pace nothing lasts, so that its
    /// fast clock means nothing to the user, and neither does what is expected of AWS.
    Instant {
        /// Seconds of the operation's clock per real second.
        speed: f64,
    },
}

impl Pace {
    /// The seconds that are shown for so many of the operation's clock.
    pub(crate) fn shown(self, seconds: f64) -> f64 {
        match self {
            Self::Wall | Self::Sandbox => seconds,
            Self::Instant { speed } => seconds / speed,
        }
    }

    /// Whether expected durations mean anything.
    pub(crate) fn has_expectations(self) -> bool {
        !matches!(self, Self::Instant { .. })
    }
}

/// A measured time: `0.04s`, `1.5s`, `12s`, `3m 20s`, `1h 05m`.
pub(crate) fn measured(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.995 {
        return format!("{seconds:.2}s");
    }
    if seconds < 9.95 {
        return format!("{seconds:.1}s");
    }
    let whole = whole_seconds(seconds);
    match whole {
        0..60 => format!("{whole}s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// An expected time, no more exact than it can be: `1s`, `40s`, `3m 20s`, `25m`.
pub(crate) fn expected(seconds: f64) -> String {
    let whole = whole_seconds(seconds.max(1.0));
    match whole {
        0..20 => format!("{whole}s"),
        20..60 => format!("{}s", round_to(whole, 5)),
        60..600 => match round_to(whole, 10) {
            rounded if rounded % 60 == 0 => format!("{}m", rounded / 60),
            rounded => format!("{}m {:02}s", rounded / 60, rounded % 60),
        },
        600..3600 => format!("{}m", round_to(whole, 60) / 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// The time since the start, as a prefix of log lines: `00:42`, `1:02:03`.
pub(crate) fn stamp(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole / 3600 {
        0 => format!("{:02}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole % 3600 / 60, whole % 60),
    }
}

fn whole_seconds(seconds: f64) -> u64 {
    // A float cast saturates, which is the right answer for nonsense too.
    seconds.round() as u64
}

fn round_to(seconds: u64, unit: u64) -> u64 {
    (seconds + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_times() {
        let shown: Vec<String> =
            [0.04, 1.26, 9.94, 9.96, 59.4, 60.0, 200.0, 3599.6, 3900.0].map(measured).to_vec();
        assert_eq!(shown, ["0.04s", "1.3s", "9.9s", "10s", "59s", "1m 00s", "3m 20s", "1h 00m", "1h 05m"]);
    }

    #[test]
    fn expected_times_are_round() {
        let shown: Vec<String> =
            [0.2, 7.0, 42.0, 58.0, 100.0, 118.0, 634.0, 3570.0, 4000.0].map(expected).to_vec();
        assert_eq!(shown, ["1s", "7s", "40s", "60s", "1m 40s", "2m", "11m", "60m", "1h 06m"]);
    }

    #[test]
    fn stamps() {
        assert_eq!([0.9, 42.0, 3723.0].map(stamp).to_vec(), ["00:00", "00:42", "1:02:03"]);
    }
}
