//! `price_changes`: what the price book ever said.

use tollgate_domain::decimal::{Price, Ratio};
use tollgate_domain::price_book::{PriceBookEvent as Event, RatioScope};

use crate::error::FoldError;
use crate::fold::Line;
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text, Time};
use crate::table::Merge::{Key, Once};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "price_changes",
    comment: "One row per event of the price book. ratio NULL in a row of kind ratio_set: the \
              override was taken away. prompt, completion: list prices of a token.",
    life: Life::Appended,
    columns: &[
        col("position", Int, Key),
        col("kind", Text, Once),
        col("scope", Text, Once),
        col("subject", Text, Once),
        col("ratio", Number, Once),
        col("prompt", Number, Once),
        col("completion", Number, Once),
        col("price_version", Int, Once),
        col("models", Int, Once),
        col("reason", Text, Once),
        col("at", Time, Once),
        col("actor", Text, Once),
    ],
    indexes: &[("kind_idx", "(kind, position DESC)"), ("subject_idx", "(subject, position DESC)")],
};

/// A row of `price_changes`.
#[derive(Debug, Default)]
pub(super) struct PriceLine;

#[derive(Default)]
struct Change<'a> {
    kind: &'static str,
    scope: Option<&'static str>,
    subject: Option<String>,
    ratio: Option<Ratio>,
    prices: [Option<Price>; 2],
    version: Option<u64>,
    models: Option<u64>,
    reason: Option<&'a str>,
}

fn change(event: &Event) -> Change<'_> {
    match event {
        Event::PricesPublished { version, source, models } => Change {
            kind: "prices_published",
            subject: Some(source.clone()),
            version: Some(*version),
            models: Some(*models),
            ..Change::default()
        },
        Event::ModelPriced { model, card } => Change {
            kind: "model_priced",
            scope: Some("model"),
            subject: Some(model.clone()),
            prices: [card.rates.prompt, card.rates.completion],
            ..Change::default()
        },
        Event::ModelRetired { model } => Change {
            kind: "model_retired",
            scope: Some("model"),
            subject: Some(model.clone()),
            ..Change::default()
        },
        Event::SaleRatioSet { scope, ratio, reason } => {
            let (scope, subject) = match scope {
                RatioScope::Default => ("default", None),
                RatioScope::Plan(plan) => ("plan", Some(plan.clone())),
                RatioScope::Model(model) => ("model", Some(model.clone())),
                RatioScope::Account(account) => ("account", Some(account.to_string())),
            };
            let (kind, reason) = ("ratio_set", reason.as_deref());
            Change { kind, scope: Some(scope), subject, ratio: *ratio, reason, ..Change::default() }
        }
        Event::FairnessPolicySet { version, reason, .. } => Change {
            kind: "fairness_policy_set",
            subject: Some(version.to_string()),
            reason: reason.as_deref(),
            ..Change::default()
        },
        Event::PlanDefined { plan, ratio, reason, .. } => Change {
            kind: "plan_defined",
            reason: reason.as_deref(),
            scope: Some("plan"),
            subject: Some(plan.clone()),
            ratio: Some(*ratio),
            ..Change::default()
        },
    }
}

fn count(value: Option<u64>) -> Result<Option<i64>, FoldError> {
    value.map(super::key_usage::count).transpose()
}

impl Line for PriceLine {
    fn write(seen: &Seen<'_>, sink: &mut dyn Sink) -> Result<bool, FoldError> {
        let Body::PriceBook(event) = &seen.body else { return Ok(false) };
        let change = change(event);
        let [prompt, completion] = change.prices;
        let (version, models) = (count(change.version)?, count(change.models)?);
        sink.int(Some(seen.position));
        sink.text(Some(change.kind));
        sink.text(change.scope);
        sink.text(change.subject.as_deref());
        sink.number(change.ratio.as_ref().map(|ratio| ratio as &dyn std::fmt::Display));
        sink.number(prompt.as_ref().map(|price| price as &dyn std::fmt::Display));
        sink.number(completion.as_ref().map(|price| price as &dyn std::fmt::Display));
        sink.int(version);
        sink.int(models);
        sink.text(change.reason);
        sink.time(Some(seen.recorded_at));
        sink.text(Some(&seen.meta.actor));
        Ok(true)
    }
}
