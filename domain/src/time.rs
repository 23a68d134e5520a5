//! Moments and the UTC windows that spending limits are counted in.

use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01T00:00:00Z. In JSON an integer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Timestamp {
    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// A moment from whole seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// The moment this many seconds later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND)))
    }

    /// Days since the epoch, in UTC.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }
}

/// How long a spending limit counts before it starts anew; all in UTC, weeks from Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Since midnight.
    Day,
    /// Since Monday's midnight.
    Week,
    /// Since the first of the month.
    Month,
    /// For ever.
    Total,
}

impl Period {
    /// The number of the window that `at` falls into: two moments share a window if and only if
    /// the numbers are equal.
    ///
    /// Windows are computed from event time. Nothing resets them, so no job can forget to.
    #[must_use]
    pub fn window(self, at: Timestamp) -> i64 {
        match self {
            Self::Day => at.day(),
            // 1970-01-01 was a Thursday: three days after a Monday.
            Self::Week => (at.day() + 3).div_euclid(7),
            Self::Month => month_number(at.day()),
            Self::Total => 0,
        }
    }
}

/// Months since year 0, from days since the epoch (proleptic Gregorian calendar).
///
/// The era arithmetic counts years from March, so that the leap day is the last of its year.
fn month_number(day: i64) -> i64 {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    // March of year y is month 2 counted from January.
    (era * 400 + year_of_era) * 12 + month_from_march + 2
}
