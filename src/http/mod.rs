//! Routes, extractors, errors, OpenAPI.
