//! Scenarios as tables: one command or one balance a line, `# why` after it.
//!
//! `-> ok` means that something happened, `-> warned` that a spending limit is near as well,
//! `-> again` that it had happened before and is answered
//! without an event, any other word is a refusal. Members are `name=value`; times are seconds.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::books::Books;
use crate::account::{
    AbandonCall, AccountCommand as Command, AccountError, AccountEvent, AccountLimits,
    BookLateBill, CorrectCharge, CostSource, Fallback, Handle, KeyLimits, Latencies, Outcome,
    RateLimits, ReleaseReason, ReleaseUnbilled, ReserveFunds, SettleReservation, SpendLimits,
};
use crate::decimal::{ListCost, Ratio};
use crate::eventful::Eventful;
use crate::fairness::{Mishap, Ruling, Treatment};
use crate::ids::{AccountId, KeyId, MasterAccountId, ReservationId, UserId};
use crate::money::Money;
use crate::time::{Period, Timestamp};
use crate::usage::Usage;

macro_rules! refusals {
    ($($variant:ident => $name:literal,)+) => {
        /// Every refusal, as scenarios name it.
        pub const REFUSALS: &[&str] = &[$($name,)+];

        fn name_of(error: &AccountError) -> &'static str {
            match error { $(AccountError::$variant { .. } => $name,)+ }
        }
    };
}

refusals! {
    NotOpen => "not_open",
    AlreadyOpen => "already_open",
    AmountNotPositive => "amount_not_positive",
    AmountTooLarge => "amount_too_large",
    TextTooLong => "text_too_long",
    IdReused => "id_reused",
    ReservationExistsWithDifferentAmount => "reservation_exists_with_different_amount",
    AlreadySettled => "already_settled",
    AlreadyReleased => "already_released",
    AlreadyExpired => "already_expired",
    NothingToCorrect => "nothing_to_correct",
    AlreadyCorrected => "already_corrected",
    ReservationTooOld => "reservation_too_old",
    ReservationNotFound => "reservation_not_found",
    NotYetExpired => "not_yet_expired",
    Suspended => "suspended",
    NotSuspended => "not_suspended",
    KeyNotFound => "key_not_found",
    KeyRevoked => "key_revoked",
    KeyExpired => "key_expired",
    TooManyKeys => "too_many_keys",
    KeyLimitExceeded => "key_limit_exceeded",
    SpendLimitExceeded => "spend_limit_exceeded",
    InsufficientFunds => "insufficient_funds",
    TooManyEntries => "too_many_entries",
    OwnLimitTooHigh => "own_limit_too_high",
    GrantNotFound => "grant_not_found",
    GrantNotExpired => "grant_not_expired",
    TopUpNotFound => "top_up_not_found",
    RefundTooLarge => "refund_too_large",
}

/// The account that scripts open.
pub fn stream() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(1))
}

/// An id out of a scenario's name for it: the number in it.
pub fn uuid(name: &str) -> Uuid {
    let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    Uuid::from_u128(number.parse().unwrap_or_else(|_| panic!("`{name}` has no number")))
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn master() -> MasterAccountId {
    MasterAccountId::from_uuid(Uuid::from_u128(9))
}

/// The words of one line: positional ones, and members by name.
struct Line<'a> {
    words: Vec<&'a str>,
    members: HashMap<&'a str, &'a str>,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Self {
        let (members, words): (Vec<_>, Vec<_>) =
            text.split_whitespace().partition(|word| word.contains('='));
        let members = members.into_iter().filter_map(|word| word.split_once('=')).collect();
        Self { words, members }
    }

    fn word(&self, at: usize) -> &'a str {
        self.words.get(at).unwrap_or_else(|| panic!("`{}` needs more words", self.words.join(" ")))
    }

    /// `text*500` repeats it.
    fn text(&self, name: &str, default: &str) -> String {
        let text = self.members.get(name).copied().unwrap_or(default);
        match text.split_once('*') {
            Some((part, times)) => part.repeat(times.parse().expect("a number of times")),
            None => text.to_owned(),
        }
    }

    fn money(&self, name: &str) -> Option<Money> {
        self.members.get(name).map(|text| money(text))
    }

    fn at(&self, name: &str, default: i64) -> Timestamp {
        let seconds = self.members.get(name).map(|text| text.parse().expect("seconds"));
        Timestamp::from_seconds(seconds.unwrap_or(default))
    }

    fn key(&self) -> KeyId {
        KeyId::from_uuid(uuid(self.members.get("key").unwrap_or(&"K1")))
    }

    fn limits(&self) -> KeyLimits {
        KeyLimits {
            limit: self.money("limit"),
            period: self.members.get("period").map(|period| match *period {
                "day" => Period::Day,
                "week" => Period::Week,
                "month" => Period::Month,
                "total" => Period::Total,
                other => panic!("`{other}` is no period"),
            }),
            expires_at: self.members.get("expires").map(|_| self.at("expires", 0)),
            models: self.list("models"),
            addresses: self.list("addresses"),
            rates: RateLimits {
                requests_per_minute: self
                    .members
                    .get("rpm")
                    .map(|count| count.parse().expect("a number above zero")),
                ..RateLimits::default()
            },
        }
    }

    /// Texts with commas between them; `text*3` is three of them.
    fn list(&self, name: &str) -> Vec<String> {
        let Some(text) = self.members.get(name) else { return vec![] };
        match text.split_once('*').and_then(|(text, times)| Some((text, times.parse().ok()?))) {
            Some((text, times)) => vec![text.to_owned(); times],
            None => text.split(',').map(str::to_owned).collect(),
        }
    }

    fn spend(&self, daily: &str, monthly: &str) -> SpendLimits {
        SpendLimits { daily: self.money(daily), monthly: self.money(monthly) }
    }

    fn plan(&self) -> SpendLimits {
        self.spend("plan-daily", "plan-monthly")
    }

    fn reservation(&self) -> ReservationId {
        ReservationId::from_uuid(uuid(self.word(1)))
    }

    fn reserve(&self) -> Command {
        Command::ReserveFunds(ReserveFunds {
            reservation: self.reservation(),
            key: self.key(),
            model: self.text("model", "maker/model"),
            amount: money(self.word(2)),
            sale_ratio: Ratio::parse(&self.text("ratio", "1")).expect("a ratio"),
            price_version: 1,
            fallbacks: self.fallbacks(),
            expires_at: self.at("expires", 600),
            plan: self.plan(),
            at: self.at("at", 0),
        })
    }

    /// `fallbacks=other/model:0.5,third/model:2`
    fn fallbacks(&self) -> Vec<Fallback> {
        let list = self.members.get("fallbacks").map_or("", |list| list);
        let fallback = |part: &str| {
            let (model, ratio) = part.split_once(':').expect("model:ratio");
            Fallback { model: model.to_owned(), sale_ratio: Ratio::parse(ratio).expect("a ratio") }
        };
        list.split(',').filter(|part| !part.is_empty()).map(fallback).collect()
    }

    fn settle(&self) -> Command {
        Command::SettleReservation(Box::new(SettleReservation {
            reservation: self.reservation(),
            answered_model: self.members.get("answered").map(|model| (*model).to_owned()),
            usage: Usage { input: 10, output: 2, ..Usage::default() },
            list_cost: self.list_cost(),
            ruling: self.members.contains_key("rule").then(|| self.ruling()),
            delivered_list_cost: self.delivered(),
            computed_list_cost: None,
            source: match self.text("source", "upstream").as_str() {
                "upstream" => CostSource::Upstream,
                "estimate" => CostSource::Estimate,
                other => panic!("`{other}` is no source"),
            },
            master_account: master(),
            cost_rate: self.rate(),
            generation_id: Some(self.text("generation", "gen-1")).filter(|id| id != "none"),
            outcome: Outcome::Completed,
            streamed: true,
            latencies: Latencies::default(),
            at: self.at("at", 0),
        }))
    }

    fn list_cost(&self) -> ListCost {
        ListCost::parse(self.word(2)).expect("a list cost")
    }

    fn delivered(&self) -> Option<ListCost> {
        self.members.get("delivered").map(|text| ListCost::parse(text).expect("a list cost"))
    }

    fn rate(&self) -> Ratio {
        Ratio::parse(&self.text("rate", "0.3")).expect("a ratio")
    }

    /// `rule=waive`: what the fairness policy says of a client that left.
    fn ruling(&self) -> Ruling {
        let treatment = match self.text("rule", "billed").as_str() {
            "billed" => Treatment::ChargeBilled,
            "delivered" => Treatment::ChargeDelivered,
            "waive" => Treatment::Waive,
            other => panic!("`{other}` is no treatment"),
        };
        Ruling { mishap: Mishap::ClientLeft, treatment, policy_version: 1 }
    }

    /// What is said after a reservation has ended, or instead of a bill.
    fn afterwards(&self) -> Option<Command> {
        let usage = Usage { input: 11, output: 3, ..Usage::default() };
        let (reservation, at) = (|| self.reservation(), self.at("at", 0));
        Some(match self.word(0) {
            "unbilled" => Command::ReleaseUnbilled(Box::new(ReleaseUnbilled {
                reservation: reservation(),
                reason: match self.text("reason", "waived").as_str() {
                    "recovered" => ReleaseReason::Recovered,
                    _ => ReleaseReason::Waived,
                },
                ruling: Some(self.ruling()),
                awaits: Some(self.text("awaits", "gen-1"))
                    .filter(|id| id != "none")
                    .map(|generation_id| Handle { master_account: master(), generation_id }),
            })),
            "correct" => Command::CorrectCharge(Box::new(CorrectCharge {
                reservation: reservation(),
                answered_model: self.answered(),
                usage,
                list_cost: self.list_cost(),
                source: CostSource::GenerationRecord,
                at,
            })),
            "late" => Command::BookLateBill(Box::new(BookLateBill {
                reservation: reservation(),
                answered_model: self.answered(),
                usage,
                list_cost: self.list_cost(),
                ruling: self.ruling(),
                delivered_list_cost: self.delivered(),
                source: CostSource::Upstream,
                master_account: master(),
                cost_rate: self.rate(),
                generation_id: Some(self.text("generation", "gen-1")),
                at,
            })),
            "abandon" => Command::AbandonCall(Box::new(AbandonCall {
                reservation: reservation(),
                key: self.key(),
                model: self.text("model", "maker/model"),
                awaits: Handle {
                    master_account: master(),
                    generation_id: self.text("generation", "gen-1"),
                },
                at,
            })),
            _ => return None,
        })
    }

    fn answered(&self) -> Option<String> {
        self.members.get("answered").map(|model| (*model).to_owned())
    }

    fn command(&self) -> Command {
        let reason = self.text("reason", "because");
        if let Some(command) = self.afterwards() {
            return command;
        }
        match self.word(0) {
            "open" => Command::OpenAccount {
                account: AccountId::from_uuid(uuid(self.word(1))),
                owner: UserId::from_uuid(Uuid::from_u128(1)),
            },
            "reserve" => self.reserve(),
            "settle" => self.settle(),
            "release" => Command::ReleaseReservation {
                reservation: self.reservation(),
                reason: ReleaseReason::UpstreamError,
            },
            "expire" => Command::ExpireReservation {
                reservation: self.reservation(),
                at: self.at("at", 600),
            },
            "issue" => Command::IssueKey { key: self.key(), limits: self.limits() },
            "limit-key" => Command::ChangeKeyLimits { key: self.key(), limits: self.limits() },
            "revoke" => Command::RevokeKey { key: self.key() },
            "suspend" => Command::SuspendAccount { reason },
            "reinstate" => Command::ReinstateAccount { reason: None },
            "limit-account" => {
                let SpendLimits { daily, monthly } = self.spend("daily", "monthly");
                let rates = RateLimits::default();
                let limits = AccountLimits { daily, monthly, rates };
                Command::ChangeSpendLimits { limits, reason: None }
            }
            "limit-own" => Command::ChangeOwnLimits {
                limits: self.spend("daily", "monthly"),
                plan: self.plan(),
            },
            "plan" => Command::AssignPlan { plan: self.text("name", "gold"), reason: None },
            "remove-plan" => Command::RemovePlan { reason: None },
            _ => self.transfer(reason),
        }
    }

    fn transfer(&self, reason: String) -> Command {
        use crate::ids::{AdjustmentId, GrantId, RefundId, TopUpId};
        let amount = |at| money(self.word(at));
        let id = || uuid(self.word(1));
        let reference = self.text("reference", "ref");
        match self.word(0) {
            "top-up" => Command::TopUpFunds {
                top_up: TopUpId::from_uuid(id()),
                amount: amount(2),
                processor: self.text("processor", "manual"),
                reference,
            },
            "grant" => Command::GrantFunds {
                grant: GrantId::from_uuid(id()),
                amount: amount(2),
                reason,
                expires_at: self.members.get("expires").map(|_| self.at("expires", 0)),
            },
            "expire-grant" => {
                Command::ExpireGrant { grant: GrantId::from_uuid(id()), at: self.at("at", 600) }
            }
            "refund" => Command::RefundTopUp {
                refund: RefundId::from_uuid(id()),
                top_up: TopUpId::from_uuid(uuid(self.word(2))),
                amount: amount(3),
                reason,
            },
            "adjust" => Command::PostAdjustment {
                adjustment: AdjustmentId::from_uuid(id()),
                amount: amount(2),
                reason,
                reference,
            },
            other => panic!("`{other}` is no command"),
        }
    }
}

/// Runs a scenario on an open account with the key `K1`.
pub fn script(text: &str) -> Books {
    let opened = "open A1 -> ok\n issue key=K1 -> ok\n";
    let mut books = Books::default();
    run(&mut books, opened);
    run(&mut books, text);
    books
}

/// Runs lines, proves that the events replay to the same state, and gives the names of the refusals
/// that were met.
pub fn run(books: &mut Books, text: &str) -> BTreeSet<&'static str> {
    let met = run_unchecked(books, text);
    books.check_replay();
    met
}

/// The same without the replay, for a line of many.
pub fn run_unchecked(books: &mut Books, text: &str) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let Some((command, expected)) = line.split_once("->") else {
            compare(books, &Line::read(line), line);
            continue;
        };
        let before = books.account.clone();
        let outcome = match books.account.decide(Line::read(command).command()) {
            Ok(events) if events.is_empty() => "again",
            Ok(events) => {
                let warns =
                    |event: &AccountEvent| matches!(event, AccountEvent::SpendWarningRaised(_));
                let warnings = events.iter().filter(|event| warns(event)).count();
                books.apply(stream(), events);
                ["ok", "warned", "warned-twice", "warned-thrice"][warnings]
            }
            Err(error) => name_of(&error),
        };
        assert_eq!(outcome, expected.trim(), "line {}: {line}", at + 1);
        if outcome == "again" || REFUSALS.contains(&outcome) {
            assert_eq!(books.account, before, "INV-6: line {}: {line}", at + 1);
        }
        if REFUSALS.contains(&outcome) {
            met.insert(outcome);
        }
    }
    met
}

/// `balance 9.25  reserved 0.00  spendable 9.25  …`: what is named must be so.
fn compare(books: &Books, expected: &Line<'_>, line: &str) {
    let account = &books.account;
    for pair in expected.words.chunks(2) {
        let [name, amount] = pair else { panic!("`{line}`: names and amounts alternate") };
        let actual = match *name {
            "balance" => account.balance(),
            "reserved" => account.reserved(),
            "available" => account.available(),
            "granted-left" => account.open_grants.left(),
            "topped-up" => account.topped_up(),
            "spent" => account.spent(),
            "spendable" => account.spendable(expected.key(), expected.at("at", 0), expected.plan()),
            other => panic!("`{other}` is not known of an account"),
        };
        assert_eq!(actual, money(amount), "{name} in `{line}`");
    }
}
