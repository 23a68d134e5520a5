//! Command → events of a master account.

use super::{
    Adjustment, MasterAccount, MasterAccountCommand as Command, MasterAccountError as Error,
    MasterAccountEvent as Event, Purchase,
};

pub(super) fn decide(state: &MasterAccount, command: Command) -> Result<Vec<Event>, Error> {
    if let Command::RegisterMasterAccount { master_account, provider, label, reason } = command {
        short("reason", reason.as_deref().unwrap_or_default())?;
        short("provider", &provider)?;
        short("label", &label)?;
        return match state.id {
            None => {
                Ok(vec![Event::MasterAccountRegistered { master_account, provider, label, reason }])
            }
            Some(known) if known == master_account => Ok(vec![]),
            Some(known) => Err(Error::AlreadyRegistered(known)),
        };
    }
    if state.id.is_none() {
        return Err(Error::NotRegistered);
    }
    match command {
        Command::RegisterMasterAccount { .. } => Ok(vec![]),
        Command::PurchaseCredits { purchase, credits, paid, fee, processor, reference } => {
            let new = Purchase { credits, paid, fee };
            if let Some(known) = state.purchases.get(&purchase) {
                return same(*known == new, purchase);
            }
            if !credits.is_positive() || paid.is_negative() || fee.is_negative() {
                return Err(Error::InvalidPurchase);
            }
            short("processor", &processor)?;
            short("reference", &reference)?;
            let whole = paid.checked_add(fee).and_then(|whole| state.paid.checked_add(whole));
            whole.and(state.credits.checked_add(credits)).ok_or(Error::AmountTooLarge)?;
            Ok(vec![Event::CreditsPurchased { purchase, credits, paid, fee, processor, reference }])
        }
        Command::AdjustCredits { adjustment, credits, value, reason, stated } => {
            if let Some(known) = state.adjustments.get(&adjustment) {
                return same(*known == Adjustment { credits, value }, adjustment);
            }
            if credits.is_zero() && value.is_zero() {
                return Err(Error::EmptyAdjustment);
            }
            short("reason", &reason)?;
            state.credits.checked_add(credits).ok_or(Error::AmountTooLarge)?;
            Ok(vec![Event::CreditsAdjusted { adjustment, credits, value, reason, stated }])
        }
        Command::RotateUpstreamKey { key_version, reason } => {
            short("reason", reason.as_deref().unwrap_or_default())?;
            match key_version > state.key_version {
                true => Ok(vec![Event::UpstreamKeyRotated { key_version, reason }]),
                false => Err(Error::KeyVersionNotNewer(state.key_version)),
            }
        }
        Command::DisableMasterAccount { reason } => {
            short("reason", &reason)?;
            match state.enabled {
                true => Ok(vec![Event::MasterAccountDisabled { reason }]),
                false => Ok(vec![]),
            }
        }
        Command::EnableMasterAccount { reason } => {
            short("reason", reason.as_deref().unwrap_or_default())?;
            match state.enabled {
                true => Ok(vec![]),
                false => Ok(vec![Event::MasterAccountEnabled { reason }]),
            }
        }
    }
}

fn same(equal: bool, id: impl std::fmt::Display) -> Result<Vec<Event>, Error> {
    match equal {
        true => Ok(vec![]),
        false => Err(Error::IdReused(id.to_string())),
    }
}

fn short(name: &'static str, text: &str) -> Result<(), Error> {
    match text.chars().count() <= 200 {
        true => Ok(()),
        false => Err(Error::TextTooLong(name)),
    }
}
