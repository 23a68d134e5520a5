//! Background loops: projections, recovery, heartbeats.
