//! What auditors read: events, histories, the trial balance, verifications, and what goes on.

mod books;
mod live;
mod verification;
