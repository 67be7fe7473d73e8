//! The windows in which databases are backed up (daily) and maintained (weekly), as RDS and ElastiCache write them, in UTC.

use std::ops::Range;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const DAY_MINUTES: u32 = 24 * 60;
const WEEK_MINUTES: u32 = 7 * DAY_MINUTES;
/// In the order of their offsets from Monday.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `hh:mm-hh:mm`, every day. It may reach over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DailyWindow {
    /// In minutes since midnight.
    begins: u32,
    minutes: u32,
}

/// `ddd:hh:mm-ddd:hh:mm`, every week. It may reach over Sunday's midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WeeklyWindow {
    /// In minutes since Monday's midnight.
    begins: u32,
    minutes: u32,
}

impl DailyWindow {
    /// The window of a text; `None` for one that is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (begins, ends) = (time(from)?, time(to)?);
        Some(Self { begins, minutes: (ends + DAY_MINUTES - begins) % DAY_MINUTES })
    }

    /// How long it is.
    pub(crate) fn minutes(self) -> u32 {
        self.minutes
    }

    /// Whether it and a weekly one share any minute.
    pub(crate) fn overlaps(self, weekly: WeeklyWindow) -> bool {
        // Each on a line of three weeks, so that what reaches over an end is met on either side.
        let weekly = |week: u32| span(weekly.begins + week * WEEK_MINUTES, weekly.minutes);
        (0..21).any(|day| {
            let daily = span(self.begins + day * DAY_MINUTES, self.minutes);
            (0..3).map(weekly).any(|weekly| daily.start < weekly.end && weekly.start < daily.end)
        })
    }
}

impl WeeklyWindow {
    /// The window of a text, in which case does not matter; `None` for one that is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (begins, ends) = (weekly_time(from)?, weekly_time(to)?);
        Some(Self { begins, minutes: (ends + WEEK_MINUTES - begins) % WEEK_MINUTES })
    }

    /// How long it is.
    pub(crate) fn minutes(self) -> u32 {
        self.minutes
    }

    /// When it begins for the next time after `now`.
    pub(crate) fn next(self, now: Timestamp) -> Timestamp {
        let now_in_zone = now.to_zoned(TimeZone::UTC);
        let day = u32::try_from(now_in_zone.weekday().to_monday_zero_offset()).unwrap_or_default();
        let minutes_of_day = |hour: i8, minute: i8| {
            u32::try_from(hour).unwrap_or_default() * 60 + u32::try_from(minute).unwrap_or_default()
        };
        let present = day * DAY_MINUTES + minutes_of_day(now_in_zone.hour(), now_in_zone.minute());
        let ahead = match (self.begins + WEEK_MINUTES - present) % WEEK_MINUTES {
            0 => WEEK_MINUTES,
            ahead => ahead,
        };
        let seconds = i64::from(ahead) * 60 - i64::from(now_in_zone.second());
        now.checked_add(seconds.seconds()).unwrap_or(now)
    }
}

/// A weekly window that begins two to four days from now, so that no test meets it that does not wait for it.
#[cfg(test)]
pub(crate) fn far_window() -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).weekday().to_monday_zero_offset();
    let day = usize::try_from(today + 3).unwrap_or_default() % WEEKDAYS.len();
    format!("{0}:05:00-{0}:06:00", WEEKDAYS[day])
}

fn span(begins: u32, minutes: u32) -> Range<u32> {
    begins..begins + minutes
}

fn time(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    if [hours, minutes].iter().any(|part| part.len() != 2 || !part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn weekly_time(text: &str) -> Option<u32> {
    let (name, rest) = text.split_once(':')?;
    let day = WEEKDAYS.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    let day = u32::try_from(day).ok()?;
    Some(day * DAY_MINUTES + time(rest)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn windows_are_read_and_what_is_none_is_refused() {
        assert_eq!(DailyWindow::parse("23:30-00:15").unwrap().minutes(), 45);
        assert_eq!(WeeklyWindow::parse("Sun:23:00-mon:01:00").unwrap().minutes(), 120);
        for bad in ["", "3:00-04:00", "03:00", "24:00-01:00", "03:60-04:00", "a3:00-04:00"] {
            assert_eq!(DailyWindow::parse(bad), None, "{bad}");
        }
        for bad in ["sunday:05:00-sun:06:00", "sun:05:00", "05:00-06:00"] {
            assert_eq!(WeeklyWindow::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn overlaps_are_seen_across_midnight_and_the_end_of_the_week() {
        let overlap = |daily: &str, weekly: &str| {
            DailyWindow::parse(daily).unwrap().overlaps(WeeklyWindow::parse(weekly).unwrap())
        };
        assert!(overlap("03:00-04:00", "sun:03:30-sun:04:30"));
        assert!(overlap("23:30-00:30", "mon:00:00-mon:01:00"));
        assert!(overlap("00:15-00:45", "sun:23:30-mon:00:30"));
        assert!(!overlap("03:00-04:00", "sun:04:00-sun:05:00"));
    }

    #[test]
    fn the_next_window_is_in_the_future() {
        let window = WeeklyWindow::parse("sun:05:00-sun:06:00").unwrap();
        let next = |now: &str| window.next(now.parse().unwrap()).to_string();
        // 2026-11-29 is a Sunday.
        assert_eq!(next("2026-11-26T12:00:30Z"), "2026-11-29T05:00:00Z");
        assert_eq!(next("2026-11-29T04:59:59Z"), "2026-11-29T05:00:00Z");
        assert_eq!(next("2026-11-29T05:00:00Z"), "2026-12-06T05:00:00Z");
        assert_eq!(next("2026-11-29T05:30:00Z"), "2026-12-06T05:00:00Z");
    }
}
