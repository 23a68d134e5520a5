//! Price cards: what the upstream asks publicly, and what a request costs by it.

mod bound;
mod card;
mod catalogue;
mod charge;

pub use bound::{Demand, afford};
pub use card::{PriceCard, Rates, Tier};
pub use catalogue::{CardError, RawPricing, RawTier};
pub use charge::{CostLine, ListCostError, Sale, cost_lines, list_cost};
