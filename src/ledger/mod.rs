//! The event store engine.
