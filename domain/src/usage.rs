//! What a request consumed, in classes that do not overlap.

mod wire;

use serde::{Deserialize, Serialize};

pub use wire::{InputDetails, OutputDetails, ServerToolUse, WireUsage};

fn is_zero(count: &u64) -> bool {
    *count == 0
}

macro_rules! classes {
    ($($(#[$doc:meta])* $field:ident,)+) => {
        /// Consumption by class: every token is in exactly one class, so a sum never counts twice.
        ///
        /// Counts that are zero are left out of JSON.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Usage {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "is_zero")] pub $field: u64,)+
            /// Reasoning tokens: informative, they are inside `output` already.
            #[serde(default, skip_serializing_if = "is_zero")]
            pub reasoning: u64,
        }

        impl Usage {
            /// The classes with their names, in a fixed order, without the informative one.
            #[must_use]
            pub fn classes(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($field), self.$field),)+]
            }
        }
    };
}

classes! {
    /// Input tokens that were neither read from a cache nor written to one, audio left out.
    input,
    /// Input tokens read from a cache.
    cache_read,
    /// Input tokens written to a cache that lives five minutes.
    cache_write,
    /// Input tokens written to a cache that lives an hour.
    cache_write_1h,
    /// Audio input tokens.
    audio_input,
    /// Audio input tokens read from a cache.
    audio_cache_read,
    /// Input images, where the price list asks per image.
    images,
    /// Output tokens: text, tool calls and reasoning.
    output,
    /// Output tokens that are pictures.
    image_output,
    /// Output tokens that are sound.
    audio_output,
    /// Web searches.
    web_searches,
    /// Pages read by a file plugin.
    pages,
}

impl Usage {
    /// All input tokens.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        [
            self.input,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.audio_input,
            self.audio_cache_read,
        ]
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// All output tokens.
    #[must_use]
    pub fn completion_tokens(&self) -> u64 {
        self.output.saturating_add(self.image_output).saturating_add(self.audio_output)
    }

    /// Input and output tokens.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens().saturating_add(self.completion_tokens())
    }
}
