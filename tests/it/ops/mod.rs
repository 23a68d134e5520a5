//! What an operator runs and watches: figures, and the files for containers.

mod compose;
mod counts;
mod image;
mod promql;
mod queries;
mod text;

pub use text::Scraped;

/// A file of the tree.
#[track_caller]
fn file(path: &str) -> String {
    let whole = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether there is such a file or folder in the tree.
fn exists(path: &str) -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

/// That an image has a tag with a version, so that it is the same tomorrow.
#[track_caller]
fn assert_pinned(image: &str) {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let version = tag.trim_start_matches('v').split('-').next().unwrap_or_default();
    let parts = version.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
    assert!(parts >= 2, "{image} has no version");
}
