//! Limits that are not money: how often, how many tokens a minute, how much at once.
//!
//! What may be *spent* is decided by the account's stream. What is counted here is kept in the
//! memory of this process alone: with several nodes each one counts for itself, so an account may
//! send as many times its limit as there are nodes. That costs nobody money, and it spares every
//! request a round trip. A limit divided by the nodes would refuse half of what was sold to a
//! client that keeps one connection, and so one node.
//!
//! - [`Meter`] counts units that come back steadily, in one number.
//! - [`Keyed`] keeps one of something for each key, in bounded memory.
//! - [`Gate`] lets requests in by the limits of their key and of their account, and takes the
//!   tokens of an answer afterwards: the estimated prompt counts at once, the settled tokens of
//!   prompt and answer take its place when the request is charged.
//! - [`Throttle`] is both together: so many tries each, for logins and the like.
//!
//! A ready-made limiter such as `governor` has one quota for all keys and counts only before the
//! fact; here every API key has a quota of its own, and tokens are known only afterwards.

mod gate;
mod keyed;
mod meter;
mod reached;
mod rules;
mod throttle;

pub use gate::{Admitted, Gate, Rates};
pub use keyed::{Idle, Keyed};
pub use meter::{Meter, Moment, Quota, Wait};
pub use reached::{Counted, Holder, Level, Reached, Standing};
pub use rules::{Rules, find as find_rules, refused};
pub use throttle::Throttle;
