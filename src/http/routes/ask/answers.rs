//! What models answer, as the document tells it. It comes from an upstream and is passed on as it
//! is, so nothing is ever made of these types, and members that are not named here may come too.

use utoipa::ToSchema;

/// A chat model's answer.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct ChatCompletion {
    /// The handle for `GET /v1/generation`.
    #[schema(examples("gen-1780944464-aVi4x8Mw2aEBGnCL6z99"))]
    id: String,
    #[schema(examples("chat.completion"))]
    object: String,
    /// Seconds since 1970.
    created: i64,
    /// The model that answered.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    choices: Vec<ChatChoice>,
    #[schema(required = false)]
    usage: TokenUsage,
}

/// One of the answers.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct ChatChoice {
    index: i64,
    /// `stop`, `length`, `tool_calls`, `content_filter` or `error`.
    #[schema(examples("stop"))]
    finish_reason: Option<String>,
    message: ChatMessage,
}

/// What the model says.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct ChatMessage {
    #[schema(examples("assistant"))]
    role: String,
    #[schema(examples("Every entry has two sides."))]
    content: Option<String>,
    /// The thoughts before it, where the model shows them.
    reasoning: Option<String>,
    refusal: Option<String>,
    /// Functions that the model wants called.
    #[schema(value_type = Option<Vec<Object>>)]
    tool_calls: Option<Vec<serde_json::Value>>,
}

/// What the answer took, and what is charged for it.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct TokenUsage {
    #[schema(examples(16))]
    prompt_tokens: i64,
    #[schema(required = false, examples(6))]
    completion_tokens: i64,
    #[schema(examples(22))]
    total_tokens: i64,
    /// The charge in US dollars, exact as it is written: parse it as a decimal.
    #[schema(value_type = f64, required = false, examples(0.000_004_8))]
    cost: serde_json::Number,
}

/// A text model's answer.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct TextCompletion {
    /// The handle for `GET /v1/generation`.
    #[schema(examples("gen-1780944464-aVi4x8Mw2aEBGnCL6z99"))]
    id: String,
    #[schema(examples("text_completion"))]
    object: String,
    /// Seconds since 1970.
    created: i64,
    /// The model that answered.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    choices: Vec<TextChoice>,
    #[schema(required = false)]
    usage: TokenUsage,
}

/// One of the texts.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct TextChoice {
    index: i64,
    #[schema(examples(" sides."))]
    text: String,
    /// `stop`, `length` or `error`.
    #[schema(examples("stop"))]
    finish_reason: Option<String>,
}

/// An embedding model's answer.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct EmbeddingList {
    #[schema(examples("list"))]
    object: String,
    /// In the order of the input.
    data: Vec<EmbeddingItem>,
    #[schema(examples("text-embedding-3-small"))]
    model: String,
    #[schema(required = false)]
    usage: TokenUsage,
}

/// One vector.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct EmbeddingItem {
    #[schema(examples("embedding"))]
    object: String,
    index: i64,
    /// Numbers, or a text with `base64`.
    #[schema(value_type = serde_json::Value)]
    embedding: serde_json::Value,
}
