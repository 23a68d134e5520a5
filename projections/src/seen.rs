//! An event as the folds see it: decoded once, whatever the number of projections.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use tollgate_domain::account::AccountEvent;
use tollgate_domain::ids::{AccountId, MasterAccountId};
use tollgate_domain::ledger_event::{AggregateType, LedgerEvent};
use tollgate_domain::{MasterAccountEvent, PriceBookEvent, Timestamp};

use crate::error::FoldError;
use crate::log::LogRow;

/// The members of the metadata that read models show.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Meta<'a> {
    /// Who caused it.
    #[serde(borrow, default)]
    pub actor: Cow<'a, str>,
    /// The request.
    #[serde(borrow, default)]
    pub request_id: Option<Cow<'a, str>>,
    /// The process that wrote it.
    #[serde(borrow, default)]
    pub node: Cow<'a, str>,
}

/// One event with its stream's id parsed.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub meta: Meta<'a>,
    pub body: Body<'a>,
}

/// The event itself.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// Of a customer's account, with the requested model where there is one.
    Account(AccountId, &'a AccountEvent, Option<Arc<str>>),
    /// Of an upstream account.
    MasterAccount(MasterAccountId, &'a MasterAccountEvent),
    /// Of the price book.
    PriceBook(&'a PriceBookEvent),
}

/// Names of models, each kept once: they are part of keys, and a key must be cheap to copy.
#[derive(Debug, Default)]
pub(crate) struct Models(HashSet<Arc<str>>);

impl Models {
    fn intern(&mut self, model: &str) -> Arc<str> {
        if let Some(known) = self.0.get(model) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(model);
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// Decodes the payload; the upcasting of older versions belongs here when there are any.
pub(crate) fn decode(row: &LogRow<'_>) -> Result<LedgerEvent, FoldError> {
    let kind = AggregateType::find(row.aggregate_type).ok_or_else(|| {
        FoldError::Undecodable(format!("unknown aggregate type `{}`", row.aggregate_type))
    })?;
    let mut json = serde_json::Deserializer::from_str(row.payload);
    let event = kind.deserialize(&mut json).map_err(undecodable)?;
    json.end().map_err(undecodable)?;
    Ok(event)
}

fn undecodable(error: serde_json::Error) -> FoldError {
    FoldError::Undecodable(error.to_string())
}

impl<'a> Seen<'a> {
    /// Joins a row and its decoded event.
    pub(crate) fn new(
        row: &LogRow<'a>,
        event: &'a LedgerEvent,
        models: &mut Models,
    ) -> Result<Self, FoldError> {
        let foreign = || FoldError::ForeignStream(row.aggregate_id.to_owned());
        let body = match event {
            LedgerEvent::Account(event) => {
                let account = row.aggregate_id.parse().map_err(|_| foreign())?;
                Body::Account(account, event, model_of(event).map(|model| models.intern(model)))
            }
            LedgerEvent::MasterAccount(event) => {
                Body::MasterAccount(row.aggregate_id.parse().map_err(|_| foreign())?, event)
            }
            LedgerEvent::PriceBook(event) => Body::PriceBook(event),
        };
        let meta = serde_json::from_str(row.metadata).map_err(undecodable)?;
        Ok(Self { position: row.position, recorded_at: row.recorded_at, meta, body })
    }
}

fn model_of(event: &AccountEvent) -> Option<&str> {
    match event {
        AccountEvent::FundsReserved(reserved) => Some(&reserved.model),
        AccountEvent::ReservationSettled(settled) => Some(&settled.model),
        AccountEvent::ChargeCorrected(corrected) => Some(&corrected.model),
        AccountEvent::LateBillBooked(late) => Some(&late.model),
        AccountEvent::CallAbandoned(call) => Some(&call.model),
        AccountEvent::ReservationReleased { model, .. }
        | AccountEvent::ReservationExpired { model, .. } => Some(model),
        AccountEvent::AccountOpened { .. }
        | AccountEvent::FundsToppedUp { .. }
        | AccountEvent::FundsGranted { .. }
        | AccountEvent::GrantExpired { .. }
        | AccountEvent::TopUpRefunded { .. }
        | AccountEvent::AdjustmentPosted { .. }
        | AccountEvent::KeyIssued { .. }
        | AccountEvent::KeyLimitsChanged { .. }
        | AccountEvent::KeyRevoked { .. }
        | AccountEvent::AccountSuspended { .. }
        | AccountEvent::AccountReinstated { .. }
        | AccountEvent::SpendLimitsChanged { .. }
        | AccountEvent::PlanAssigned { .. }
        | AccountEvent::OwnLimitsChanged { .. }
        | AccountEvent::PlanRemoved { .. }
        | AccountEvent::SpendWarningRaised(_) => None,
    }
}
