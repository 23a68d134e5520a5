//! Load generators behind `tollgate bench`.
