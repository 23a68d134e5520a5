//! What the operator does and sees. Auditors see it too and change nothing.

mod actions;
mod audit_trail;
mod client_detail;
mod client_money;
mod client_pages;
mod client_status;
mod clients;
mod credits;
mod fairness;
mod invitations;
mod limits;
mod live;
mod logs;
mod mails;
mod master_accounts;
mod master_changes;
mod movements;
mod notes;
mod offers;
mod plans;
mod prices;
mod profit;
mod ratios;
mod request;
mod statement;
mod stats;
mod top_ups;
mod users;

use utoipa_axum::router::OpenApiRouter;

use crate::http::AppState;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(stats::router())
        .merge(clients::router())
        .merge(client_detail::router())
        .merge(client_money::router())
        .merge(client_pages::router())
        .merge(client_status::router())
        .merge(movements::router())
        .merge(top_ups::router())
        .merge(credits::router())
        .merge(master_accounts::router())
        .merge(limits::router())
        .merge(live::router())
        .merge(plans::router())
        .merge(prices::router())
        .merge(offers::router())
        .merge(fairness::router())
        .merge(master_changes::router())
        .merge(statement::router())
        .merge(ratios::router())
        .merge(actions::router())
        .merge(logs::router())
        .merge(request::router())
        .merge(profit::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(mails::router())
        .merge(audit_trail::router())
}
