//! Golden files: one stored JSON per event version ever written, kept for ever.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};

/// One file: its stem (`FundsReserved.v1`) and its text.
pub type Golden = (&'static str, &'static str);

/// Lists the golden files of an aggregate by event, and finds an event's own ones through a match
/// without a wildcard: a new event does not compile before it stands here, and it cannot stand here
/// without a file.
macro_rules! goldens {
    ($event:ident in $folder:literal: $($variant:ident => [$($suffix:literal),+],)+) => {
        const GOLDENS: &[crate::golden_files::Golden] = &[$($((
            concat!(stringify!($variant), ".", $suffix),
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/src/", $folder, "/golden/",
                stringify!($variant), ".", $suffix, ".json"
            )),
        ),)+)+];

        fn stem_of(event: &$event) -> &'static str {
            match event { $($event::$variant { .. } => stringify!($variant),)+ }
        }
    };
}
pub(crate) use goldens;

/// Every file decodes into the event of its name, and encodes to the same JSON again.
pub fn check<E: DeserializeOwned + Serialize>(
    goldens: &[Golden],
    stem_of: fn(&E) -> &'static str,
    name_and_version: fn(&E) -> (&'static str, &'static str),
) {
    for (stem, text) in goldens {
        let event: E = serde_json::from_str(text).unwrap_or_else(|e| panic!("{stem}: {e}"));
        let stored: serde_json::Value = serde_json::from_str(text).expect("goldens are JSON");
        let encoded = serde_json::to_value(&event).expect("events encode");
        assert_eq!(encoded, stored, "{stem} is stored like this and must stay so");
        let (name, version) = name_and_version(&event);
        assert_eq!(name, stem_of(&event), "{stem}");
        let current = format!("{name}.v{version}");
        assert!(*stem == current || stem.starts_with(&format!("{current}.")), "{stem}: {current}");
        let member = stored.as_object().and_then(|object| object.keys().next());
        assert_eq!(member.map(String::as_str), Some(name), "{stem}: named by its only member");
    }
}

/// No file lies in the folder that nothing reads.
pub fn check_folder(goldens: &[Golden], folder: &str) {
    let path = format!("{}/src/{folder}/golden", env!("CARGO_MANIFEST_DIR"));
    let found: BTreeSet<String> = std::fs::read_dir(path)
        .expect("the folder exists")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    let known = goldens.iter().map(|(stem, _)| format!("{stem}.json")).collect();
    assert_eq!(found, known);
}
