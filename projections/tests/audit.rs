//! The audit names what is wrong and where, and nothing else.

mod support;

use sqlx::{Executor, PgPool};
use support::ledger::{Ledger, usd};
use support::{Database, assert_clean, audit, project};
use tollgate_domain::account::{AccountEvent, ReservationSettled};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::ids::{AccountId, KeyId, MasterAccountId, ReservationId};
use tollgate_projections::audit::{Options, Problem, verify};

struct Books {
    ledger: Ledger,
    account: AccountId,
    key: KeyId,
    master: MasterAccountId,
}

/// Three accounts with two settled and one open request each.
async fn books(pool: &PgPool) -> Books {
    let mut ledger = Ledger::new(pool);
    let master = ledger.buy("100.00", "30.00");
    let mut last = None;
    for _ in 0..3 {
        let (account, key) = ledger.open("10.00");
        for _ in 0..2 {
            let reservation = ledger.reserve(account, key, "0.10");
            ledger.settle(account, reservation, master, "0.010");
        }
        ledger.reserve(account, key, "0.10");
        last = Some((account, key));
    }
    ledger.flush().await;
    project(pool).await;
    assert_clean(pool).await;
    let (account, key) = last.expect("three accounts");
    Books { ledger, account, key, master }
}

/// What a superuser can do and an audit must find.
async fn rewrite(pool: &PgPool, sql: &str) {
    let whole = format!(
        "ALTER TABLE events DISABLE TRIGGER events_are_append_only; {sql}; \
         ALTER TABLE events ENABLE TRIGGER events_are_append_only"
    );
    pool.execute(whole.as_str()).await.expect("a superuser may");
}

async fn problems(pool: &PgPool) -> Vec<Problem> {
    let report = audit(pool).await;
    assert!(!report.is_clean(), "{report}");
    assert_eq!(report.problem_count, report.problems.len() as u64);
    report.problems
}

/// Position, stream and sequence of the event in the middle of an account's life.
async fn victim(pool: &PgPool) -> (i64, String, i64) {
    let sql = "SELECT position, aggregate_type || ' ' || aggregate_id, sequence FROM events \
               WHERE event_type = 'ReservationSettled' ORDER BY position OFFSET 2 LIMIT 1";
    sqlx::query_as(sql).fetch_one(pool).await.expect("a settled request")
}

#[tokio::test]
async fn one_changed_byte_names_exactly_its_event() {
    let database = Database::new().await;
    books(&database.pool).await;
    let (position, stream, sequence) = victim(&database.pool).await;
    rewrite(
        &database.pool,
        &format!(
            "UPDATE events SET payload = replace(payload::text, 'gen-1', 'gen-2')::json \
             WHERE position = {position}"
        ),
    )
    .await;
    let found = problems(&database.pool).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place.position, Some(position));
    assert_eq!(found[0].place.stream.as_deref(), Some(stream.as_str()));
    assert_eq!(found[0].place.sequence, Some(sequence));
    assert!(found[0].what.contains("changed after it was stored"), "{found:?}");
}

#[tokio::test]
async fn every_stored_member_is_covered_by_the_hash() {
    let database = Database::new().await;
    books(&database.pool).await;
    let (position, ..) = victim(&database.pool).await;
    for (change, back) in [
        ("metadata = '{}'", "metadata = before.metadata"),
        (
            "recorded_at = recorded_at + interval '1 microsecond'",
            "recorded_at = before.recorded_at",
        ),
        ("event_version = '2'", "event_version = before.event_version"),
        ("hash = sha256('x')", "hash = before.hash"),
    ] {
        rewrite(
            &database.pool,
            &format!(
                "CREATE TABLE before AS SELECT * FROM events WHERE position = {position}; \
                 UPDATE events SET {change} WHERE position = {position}"
            ),
        )
        .await;
        let found = problems(&database.pool).await;
        assert_eq!(found[0].place.position, Some(position), "{change}: {found:?}");
        rewrite(
            &database.pool,
            &format!(
                "UPDATE events SET {back} FROM before WHERE events.position = {position}; \
                 DROP TABLE before"
            ),
        )
        .await;
        assert_clean(&database.pool).await;
    }
}

#[tokio::test]
async fn a_removed_event_is_missed() {
    let database = Database::new().await;
    books(&database.pool).await;
    let (position, stream, sequence) = victim(&database.pool).await;
    let delete = format!("DELETE FROM events WHERE position = {position}");
    rewrite(&database.pool, &delete).await;
    let found = problems(&database.pool).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].place.position, Some(position));
    assert_eq!(found[0].what, "is missing from the log");
    assert_eq!(found[1].place.stream.as_deref(), Some(stream.as_str()));
    assert_eq!(found[1].place.sequence, Some(sequence + 1));
}

#[tokio::test]
async fn the_last_event_is_missed_too() {
    let database = Database::new().await;
    books(&database.pool).await;
    let head: i64 = sqlx::query_scalar("SELECT position FROM ledger_head")
        .fetch_one(&database.pool)
        .await
        .expect("a head");
    rewrite(&database.pool, &format!("DELETE FROM events WHERE position = {head}")).await;
    let found = problems(&database.pool).await;
    assert_eq!(found[0].place.position, Some(head), "{found:?}");
}

#[tokio::test]
async fn a_changed_read_model_is_found_with_row_and_column() {
    let database = Database::new().await;
    let Books { account, .. } = books(&database.pool).await;
    let pool = &database.pool;
    pool.execute(
        format!(
            "UPDATE read.account_balances SET balance = balance + 1 WHERE account_id = '{account}'; \
             UPDATE read.requests SET model = 'x' WHERE position = \
               (SELECT min(position) FROM read.requests); \
             DELETE FROM read.trial_balance WHERE ledger_account = 'income:usage'; \
             INSERT INTO read.top_ups (position, id) VALUES (9, 'topup_0')"
        )
        .as_str(),
    )
    .await
    .expect("a superuser may");
    let report = audit(pool).await;
    let text: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 4, "{report}");
    assert_eq!(
        text[0],
        format!("read.account_balances {account}: column balance: expected 9.984, found 10.984")
    );
    assert!(text[1].contains("read.requests") && text[1].contains("column model"), "{report}");
    assert!(text[2].ends_with("no event makes this row"), "{report}");
    assert_eq!(text[3], "read.trial_balance income:usage: the row is missing");
}

/// The event that stands at a position.
async fn stored(pool: &PgPool, position: i64) -> AccountEvent {
    let sql = "SELECT payload::text FROM events WHERE position = $1";
    let payload: String =
        sqlx::query_scalar(sql).bind(position).fetch_one(pool).await.expect("the event");
    serde_json::from_str(&payload).expect("an event of an account")
}

/// What the audit says of one event that a forger with rights appended, with a sound chain.
async fn said_of_forgery(
    books: &mut Books,
    change: impl FnOnce(&mut AccountEvent, ReservationId),
) -> String {
    let Books { ledger, account, key, master } = books;
    let settled = ledger.reserve(*account, *key, "1.00");
    ledger.settle(*account, settled, *master, "0.010");
    let head = ledger.flush().await;
    let open = ledger.reserve(*account, *key, "1.00");
    ledger.flush().await;
    let mut event = stored(&ledger.pool, head).await;
    change(&mut event, open);
    ledger.append(*account, &event);
    let head = ledger.flush().await;
    let found = problems(&ledger.pool).await;
    assert_eq!((found.len(), found[0].place.position), (1, Some(head)), "{found:?}");
    found[0].what.clone()
}

fn settlement(event: &mut AccountEvent) -> &mut ReservationSettled {
    match event {
        AccountEvent::ReservationSettled(settled) => settled,
        other => panic!("not a settlement: {other:?}"),
    }
}

#[tokio::test]
async fn a_charge_that_is_not_computed_from_its_list_cost_is_found() {
    let database = Database::new().await;
    let mut books = books(&database.pool).await;
    let what = said_of_forgery(&mut books, |event, open| {
        settlement(event).reservation = open;
        settlement(event).charge = usd("0.007");
    });
    assert_eq!(what.await, "is not what the rules make of it");
}

#[tokio::test]
async fn a_cost_that_is_not_computed_from_its_list_cost_is_found() {
    let database = Database::new().await;
    let mut books = books(&database.pool).await;
    let what = said_of_forgery(&mut books, |event, open| {
        settlement(event).reservation = open;
        settlement(event).cost = usd("0.001");
    });
    assert_eq!(what.await, "is not what the rules make of it");
}

#[tokio::test]
async fn a_second_end_of_a_reservation_is_found() {
    let database = Database::new().await;
    let mut books = books(&database.pool).await;
    let what = said_of_forgery(&mut books, |event, _| {
        settlement(event).list_cost = ListCost::parse("0.02").expect("a cost");
    });
    let what = what.await;
    assert!(what.starts_with("should have been refused"), "{what}");
}

#[tokio::test]
async fn the_same_end_twice_is_found() {
    let database = Database::new().await;
    let mut books = books(&database.pool).await;
    let what = said_of_forgery(&mut books, |_, _| {}).await;
    assert_eq!(what, "repeats what has happened already");
}

#[tokio::test]
async fn a_reservation_beyond_what_is_available_is_found() {
    let database = Database::new().await;
    let Books { mut ledger, account, key, .. } = books(&database.pool).await;
    ledger.reserve(account, key, "1.00");
    let head = ledger.flush().await;
    let mut event = stored(&database.pool, head).await;
    let next = ReservationId::from_uuid(ledger.uuid());
    match &mut event {
        AccountEvent::FundsReserved(reserved) => {
            reserved.amount = usd("1000");
            reserved.reservation = next;
        }
        other => panic!("not a reservation: {other:?}"),
    }
    ledger.append(account, &event);
    let head = ledger.flush().await;
    let found = problems(&database.pool).await;
    assert_eq!((found.len(), found[0].place.position), (1, Some(head)), "{found:?}");
    assert!(found[0].what.starts_with("should have been refused"), "{found:?}");
}

#[tokio::test]
async fn snapshots_must_equal_the_fold_and_other_layouts_are_skipped() {
    let database = Database::new().await;
    let Books { mut ledger, account, key, .. } = books(&database.pool).await;
    let state = serde_json::to_string(&ledger.accounts[&account]).expect("json");
    let sequence = i64::try_from(tollgate_domain::Eventful::applied(&ledger.accounts[&account]));
    let put = "INSERT INTO snapshots VALUES ('account', $1, $2, $3, $4::json) \
               ON CONFLICT ON CONSTRAINT snapshots_pkey \
               DO UPDATE SET payload = excluded.payload, current_snapshot = excluded.current_snapshot";
    let snapshot = async |layout: i64, payload: &str| {
        sqlx::query(put)
            .bind(account.to_string())
            .bind(sequence.expect("a sequence"))
            .bind(layout)
            .bind(payload)
            .execute(&database.pool)
            .await
            .expect("stored");
    };
    ledger.reserve(account, key, "0.01");
    ledger.flush().await;
    project(&database.pool).await;
    snapshot(Options::default().snapshot_layout, &state).await;
    assert_eq!(audit(&database.pool).await.snapshots, 1);
    assert_clean(&database.pool).await;

    let wrong = state.replace("9.984", "9.985");
    assert_ne!(wrong, state);
    snapshot(Options::default().snapshot_layout, &wrong).await;
    let found = problems(&database.pool).await;
    assert_eq!(found[0].what, "the snapshot differs from the fold");
    snapshot(99, &wrong).await;
    assert_clean(&database.pool).await;
}

#[tokio::test]
async fn an_idempotency_key_without_its_stream_is_found() {
    let database = Database::new().await;
    let Books { account, .. } = books(&database.pool).await;
    let put = "INSERT INTO idempotency_keys VALUES ('s', $1, '', '{}', 'account', $2, now())";
    let known = account.to_string();
    for (key, stream) in [("good", known.as_str()), ("bad", "acct_nobody")] {
        sqlx::query(put).bind(key).bind(stream).execute(&database.pool).await.expect("stored");
    }
    let found = problems(&database.pool).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place.row.as_deref(), Some("idempotency_keys s / bad"));
}

#[tokio::test]
async fn problems_are_all_counted_and_the_first_are_kept() {
    let database = Database::new().await;
    books(&database.pool).await;
    rewrite(&database.pool, "UPDATE events SET metadata = '{\"actor\":\"me\",\"node\":\"n\"}'")
        .await;
    let options = Options { most_problems: 5, ..Options::default() };
    let report = verify(&database.pool, &options, |_| {}).await.expect("the audit runs");
    assert_eq!(report.problem_count, u64::try_from(report.events).expect("a count"));
    let kept: Vec<_> = report.problems.iter().map(|problem| problem.place.position).collect();
    assert_eq!(kept, (1..=5).map(Some).collect::<Vec<_>>());
    assert!(report.to_string().contains("more"), "{report}");
}

#[tokio::test]
async fn the_audit_runs_against_a_ledger_in_use() {
    let database = Database::new().await;
    let Books { mut ledger, account, key, master } = books(&database.pool).await;
    let runner = support::Running::start(&database.pool, 50);
    let writing = async {
        for _ in 0..60 {
            let reservation = ledger.reserve(account, key, "0.01");
            ledger.settle(account, reservation, master, "0.001");
            ledger.flush().await;
        }
    };
    let auditing = async {
        for _ in 0..5 {
            assert_clean(&database.pool).await;
        }
    };
    tokio::join!(writing, auditing);
    runner.stop().await.expect("a quiet end");
    project(&database.pool).await;
    assert_clean(&database.pool).await;
}
