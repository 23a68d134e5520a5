//! Turning a plan into the frames of a body, with the faults that were asked for.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::answer::Finish;
use super::fault::{BodyFault, Faults};
use super::meter::End;
use super::pace::Pace;
use super::plan::Plan;
use super::render::{self, Delta};
use super::script::{Frame, Last, Script};
use super::usage;

/// A plain answer is padded at most this often, so that a long wait costs little memory.
const MOST_PADS: u64 = 600;

/// Longer than anybody waits for the rest.
const SILENCE: Duration = Duration::from_secs(600);

/// The frames of a stream of events.
pub fn streamed_script(plan: &Plan, faults: &Faults, pace: &Pace) -> Script {
    let head = &plan.head;
    let mut frames = VecDeque::new();
    let frame = |wait, bytes, billed| Frame { wait, bytes, billed };
    if faults.body == Some(BodyFault::DropBeforeHeaders) {
        return Script { frames, last: Last::Abort };
    }
    let comments = 1 + plan.dice.clone().below(4) as u32;
    for _ in 0..comments {
        frames.push_back(frame(pace.first / comments, Bytes::from_static(render::COMMENT), 0));
    }
    frames.push_back(frame(Duration::ZERO, head.delta(&Delta::Role, None), 0));
    let mut steps: Vec<Frame> = plan
        .steps
        .iter()
        .map(|(delta, billed)| frame(pace.gap, head.delta(delta, None), *billed))
        .collect();
    let half = steps.len().div_ceil(2);
    let billed_at_half = steps.get(half.saturating_sub(1)).map_or(0, |step| step.billed);
    let now = |bytes: Bytes, billed| frame(Duration::ZERO, bytes, billed);
    match faults.body {
        Some(BodyFault::Endless) => return Script { frames, last: endless(steps, pace) },
        Some(BodyFault::Drop) => {
            frames.extend(steps.drain(..half));
            return Script { frames, last: Last::Abort };
        }
        Some(BodyFault::Stall) => {
            frames.extend(steps.drain(..half));
            let silence =
                Frame { wait: SILENCE, bytes: Bytes::from_static(render::COMMENT), billed: 0 };
            return Script { frames, last: Last::Repeat(vec![silence]) };
        }
        Some(BodyFault::MidstreamErrorBilled) => {
            frames.extend(steps.drain(..half));
            let usage = usage::json(&plan.tally, &plan.cost, faults.cost);
            frames.push_back(now(head.failure(Some(&usage)), plan.tally.completion));
            frames.push_back(now(Bytes::from_static(render::DONE), plan.tally.completion));
            return Script { frames, last: Last::Complete(End::Finished) };
        }
        Some(BodyFault::MidstreamError { with_usage }) => {
            frames.extend(steps.drain(..half));
            let tally = plan.tally.with_completion(billed_at_half);
            let usage = with_usage.then(|| usage::free_of_charge(&tally));
            frames.push_back(now(head.failure(usage.as_deref()), billed_at_half));
            if with_usage {
                frames.push_back(now(Bytes::from_static(render::DONE), billed_at_half));
            }
            let end = if with_usage { End::Free } else { End::Partial };
            return Script { frames, last: Last::Complete(end) };
        }
        Some(BodyFault::MalformedSse) => {
            let broken = Bytes::from_static(b"data: {\"id\":\"gen-\n\ndat: nonsense\n\n");
            steps.insert(half, now(broken, billed_at_half));
        }
        _ => {}
    }
    frames.extend(steps);
    frames.extend(closing_frames(plan, faults));
    Script { frames, last: Last::Complete(End::Finished) }
}

/// Finish, usage and `[DONE]`, as far as the faults leave them.
fn closing_frames(plan: &Plan, faults: &Faults) -> Vec<Frame> {
    let head = &plan.head;
    let failed = faults.body == Some(BodyFault::FinishError);
    let finish = if failed { Finish::Error } else { plan.answer.finish };
    let usage = head.usage(finish, &usage::json(&plan.tally, &plan.cost, faults.cost));
    let mut frames = vec![head.delta(&Delta::End, Some(finish))];
    match faults.body {
        Some(BodyFault::MissingUsage) => {}
        // Cut in the middle, but a line of its own.
        Some(BodyFault::GarbledUsage) => {
            frames.push([&usage[..usage.len() - 20], b"\n\n"].concat().into());
        }
        _ => frames.push(usage.clone()),
    }
    if faults.body == Some(BodyFault::UsageTwice) {
        frames.push(usage);
    }
    if faults.body != Some(BodyFault::NoDone) {
        frames.push(Bytes::from_static(render::DONE));
    }
    let billed = plan.tally.completion;
    frames.into_iter().map(|bytes| Frame { wait: Duration::ZERO, bytes, billed }).collect()
}

fn endless(mut steps: Vec<Frame>, pace: &Pace) -> Last {
    // Without a pause it would fill the client's memory instead of its time.
    let gap = pace.gap.max(Duration::from_millis(5));
    for step in &mut steps {
        step.wait = gap;
    }
    match steps.is_empty() {
        true => Last::Complete(End::Finished),
        false => Last::Repeat(steps),
    }
}

/// The frames of an answer in one piece.
pub fn whole_script(plan: &Plan, faults: &Faults, pace: &Pace) -> Script {
    let total = plan.tally.completion;
    let length = pace.first.saturating_add(pace.gap.saturating_mul(plan.steps.len() as u32));
    // Whitespace keeps the connection alive while the model works, about once a second.
    let pads = 2 + length.as_secs().min(MOST_PADS);
    let pad = |number: u64| Frame {
        wait: length / pads as u32,
        bytes: Bytes::from_static(render::PADDING),
        billed: total * number / pads,
    };
    let mut frames: VecDeque<Frame> = (0..pads).map(pad).collect();
    let mut finish = plan.answer.finish;
    let mut usage = Some(usage::json(&plan.tally, &plan.cost, faults.cost));
    let mut last = Last::Complete(End::Finished);
    match faults.body {
        Some(BodyFault::DropBeforeHeaders) => {
            return Script { frames: VecDeque::new(), last: Last::Abort };
        }
        Some(BodyFault::Endless) => {
            let padding = vec![Frame { wait: Duration::from_millis(250), billed: 1, ..pad(0) }];
            return Script { frames, last: Last::Repeat(padding) };
        }
        Some(BodyFault::PaddedError) => last = Last::Complete(End::Free),
        Some(BodyFault::Stall) => {
            let silence = vec![Frame { wait: SILENCE, billed: 0, ..pad(0) }];
            return Script { frames, last: Last::Repeat(silence) };
        }
        Some(BodyFault::MidstreamErrorBilled) => finish = Finish::Error,
        Some(BodyFault::Drop) => last = Last::Abort,
        Some(BodyFault::FinishError) => finish = Finish::Error,
        Some(BodyFault::MidstreamError { with_usage }) => {
            finish = Finish::Error;
            usage = with_usage.then(|| usage::free_of_charge(&plan.tally));
            last = Last::Complete(if with_usage { End::Free } else { End::Partial });
        }
        Some(BodyFault::MissingUsage | BodyFault::GarbledUsage) => usage = None,
        _ => {}
    }
    let mut json = match faults.body {
        Some(BodyFault::PaddedError) => plan.head.late_error(None),
        Some(BodyFault::BilledError) => plan.head.late_error(usage.as_deref()),
        _ => plan.head.whole(&plan.answer, finish, usage.as_deref()),
    }
    .into_bytes();
    if matches!(faults.body, Some(BodyFault::Drop | BodyFault::MalformedSse)) {
        // Half a character at the end is no worse than half an object.
        json.truncate(json.len() / 2);
    }
    frames.push_back(Frame { wait: Duration::ZERO, bytes: Bytes::from(json), billed: total });
    Script { frames, last }
}
