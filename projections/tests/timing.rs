//! Times catch-up, rebuild and audit on generated events, and checks that they agree.
//!
//! `TOLLGATE_BENCH_EVENTS=1000000 cargo test --release -p tollgate-projections --test timing --
//! --nocapture` measures; without the variable it is a short test of the same.

mod support;

use support::Database;
use tollgate_projections::bench::{Load, catch_up, generate, rebuild, verify};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_log_is_projected_rebuilt_and_audited() {
    let events = std::env::var("TOLLGATE_BENCH_EVENTS").ok().and_then(|text| text.parse().ok());
    let events: usize = events.unwrap_or(12_000);
    let accounts = (events / 100).clamp(10, 10_000);
    let database = Database::new().await;
    let pool = &database.pool;
    let head = generate(pool, Load { events, accounts, ..Load::default() }).await.expect("events");
    assert!(head >= i64::try_from(events).expect("a count"));

    let timing = catch_up(pool).await.expect("the projections catch up");
    println!("catch-up: {} events in {:?}, {}/s", timing.events, timing.took, timing.per_second());
    assert_eq!(timing.events, head);

    let (timing, report) = rebuild(pool).await.expect("the rebuild runs");
    println!("rebuild:  {} events in {:?}\n{report}", timing.events, timing.took);
    assert!(report.switched, "the rebuilt copy equals the live one");
    assert_eq!(report.position, head);

    let (timing, report) = verify(pool).await.expect("the audit runs");
    println!("verify:   {} events in {:?}\n{report}", timing.events, timing.took);
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.events, head);
    assert!(report.read_models.iter().all(|model| model.outcome == "equal"));
}
