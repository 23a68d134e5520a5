//! Prices, reservations and master accounts as the request path sees them.

mod catalogue;
mod masters;
mod prices;
mod reservation;

pub use catalogue::{CatalogueError, publish_catalogue};
pub use masters::{MasterAccounts, MastersError};
pub use prices::{PriceList, Prices};
pub use reservation::{
    Books, Observed, OpenReservation, Refusal, ReservationOrder, Reserved, Terms, reserve,
};
