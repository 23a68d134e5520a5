//! async-openai as its users write it, with only the base URL and the key changed.

use std::{env, fs};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessageArgs, ChatCompletionStreamOptions,
    CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use async_openai::types::embeddings::CreateEmbeddingRequestArgs;
use futures_util::StreamExt as _;

const MODEL: &str = "openai/gpt-4o-mini";

fn client(key: &str) -> Client<OpenAIConfig> {
    let url = env::var("TOLLGATE_URL").expect("TOLLGATE_URL");
    Client::with_config(OpenAIConfig::new().with_api_base(format!("{url}/v1")).with_api_key(key))
}

fn demo() -> Client<OpenAIConfig> {
    let secrets = env::var("TOLLGATE_SECRETS").expect("TOLLGATE_SECRETS");
    let key = fs::read_to_string(format!("{secrets}/demo-key")).expect("the demo customer's key");
    client(key.trim())
}

fn question(model: &str) -> CreateChatCompletionRequestArgs {
    let message = ChatCompletionRequestUserMessageArgs::default()
        .content("What is double-entry bookkeeping?")
        .build()
        .expect("a message");
    let mut request = CreateChatCompletionRequestArgs::default();
    request.model(model).max_completion_tokens(64_u32).messages([message.into()]);
    request
}

fn build(args: &CreateChatCompletionRequestArgs) -> CreateChatCompletionRequest {
    args.build().expect("a request")
}

#[tokio::test]
async fn a_chat_is_answered_with_its_usage() {
    let answer = demo().chat().create(build(&question(MODEL))).await.expect("an answer");
    let choice = &answer.choices[0];
    assert!(choice.message.content.as_ref().is_some_and(|text| !text.is_empty()));
    let usage = answer.usage.expect("usage");
    assert!(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
    assert_eq!(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
}

#[tokio::test]
async fn a_stream_comes_in_pieces_and_ends_with_its_usage() {
    let mut args = question(MODEL);
    let options = ChatCompletionStreamOptions {
        include_usage: Some(true),
        include_obfuscation: None,
    };
    args.stream_options(options);
    let mut stream = demo().chat().create_stream(build(&args)).await.expect("a stream");
    let (mut text, mut pieces, mut usage) = (String::new(), 0, None);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.expect("a chunk");
        for choice in chunk.choices {
            text.push_str(&choice.delta.content.unwrap_or_default());
        }
        pieces += 1;
        usage = chunk.usage.or(usage);
    }
    assert!(pieces > 2 && !text.is_empty());
    assert!(usage.expect("usage").completion_tokens > 0);
}

#[tokio::test]
async fn models_are_listed() {
    let models = demo().models().list().await.expect("models");
    let model = models.data.iter().find(|model| model.id == MODEL).expect("the model");
    assert_eq!((model.object.as_str(), model.owned_by.as_str()), ("model", "openai"));
}

#[tokio::test]
async fn texts_are_embedded() {
    let request = CreateEmbeddingRequestArgs::default()
        .model("openai/text-embedding-3-small")
        .input(["debit", "credit"])
        .build()
        .expect("a request");
    let answer = demo().embeddings().create(request).await.expect("vectors");
    assert_eq!(answer.data.len(), 2);
    assert!(!answer.data[0].embedding.is_empty());
}

#[tokio::test]
async fn refusals_are_errors_with_their_status_and_code() {
    let nobody = client(&format!("sk-tg-{}", "A".repeat(43)));
    let refused = nobody.chat().create(build(&question(MODEL))).await;
    let Err(OpenAIError::ApiError(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.status_code.as_u16(), 401);
    assert_eq!(refused.api_error.code.as_deref(), Some("invalid_api_key"));

    let unknown = demo().chat().create(build(&question("nobody/sells-this"))).await;
    let Err(OpenAIError::ApiError(unknown)) = unknown else { panic!("{unknown:?}") };
    assert_eq!(unknown.status_code.as_u16(), 404);
    assert_eq!(unknown.api_error.code.as_deref(), Some("model_not_found"));
    assert_eq!(unknown.api_error.param.as_deref(), Some("model"));
}
