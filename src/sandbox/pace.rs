//! How fast an answer comes.

use std::time::Duration;

use super::Sandbox;
use super::plan::{Order, Plan};

/// The time a whole answer takes at most when nobody asked for another pace.
const USUAL_LENGTH: Duration = Duration::from_millis(1_500);
const USUAL_GAP: Duration = Duration::from_millis(4);

/// How long the answer takes to begin, and from step to step.
pub struct Pace {
    pub first: Duration,
    pub gap: Duration,
}

impl Pace {
    pub fn of(sandbox: &Sandbox, order: &Order, plan: &Plan) -> Self {
        let faults = &order.controls.faults;
        let unhurried = !sandbox.config.instant && order.controls.delay.is_none();
        let usual_first = Duration::from_millis(40 + plan.dice.clone().below(80));
        let usual_gap = USUAL_GAP.min(USUAL_LENGTH / plan.steps.len().max(1) as u32);
        let usual = |usual: Duration| if unhurried { usual } else { Duration::ZERO };
        Self {
            first: faults.slow_first_token.unwrap_or_else(|| usual(usual_first)),
            gap: faults.slow_chunks.unwrap_or_else(|| usual(usual_gap)),
        }
    }
}
