//! Prices, reservations and master accounts as the request path sees them.

mod abandoned;
mod catalogue;
mod listing;
mod masters;
mod once;
mod open;
mod prices;
mod reservation;
mod terms;

pub use abandoned::abandon;
pub use catalogue::{CatalogueError, publish_catalogue};
pub use listing::for_sale;
pub use masters::MasterAccounts;
pub use once::{Begun, OnceKey};
pub use open::{LONGEST_HANDLE, Observed, OpenReservation};
pub use prices::{PriceList, Prices};
pub use reservation::{Books, Refusal, ReservationOrder, Reserved, Unreserved, reserve};
pub use terms::Terms;
