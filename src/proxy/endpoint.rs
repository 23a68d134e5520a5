//! What models are asked for.

/// An endpoint that a model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    Chat,
    /// `POST /v1/completions`: the text that follows a text.
    Completions,
    /// `POST /v1/embeddings`: vectors.
    Embeddings,
}

impl Endpoint {
    /// Its path at the upstream, and here under `/v1`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
        }
    }

    /// Tokens that the provider puts around a bare text; around a chat the client's own JSON is
    /// longer than they are.
    pub(super) const fn wrapping(self) -> u64 {
        match self {
            Self::Chat => 0,
            Self::Completions | Self::Embeddings => 8,
        }
    }

    /// What a model reads there.
    pub(super) const fn inputs(self) -> &'static [&'static str] {
        match self {
            Self::Chat => &["messages", "prompt", "tools", "functions", "response_format"],
            Self::Completions => &["prompt", "suffix"],
            Self::Embeddings => &["input"],
        }
    }
}
