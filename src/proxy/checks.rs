//! What is looked at in a client's request, and why it is refused.

use std::borrow::Cow;

use crate::http::error::{ApiError, Text, both};
use crate::members::Members;

/// Plugins that cost nothing beyond the tokens and touch nothing of our upstream account.
const PLUGINS: [&str; 2] = ["response-healing", "context-compression"];
/// More fallbacks than anybody needs.
const MOST_MODELS: usize = 10;

/// A member that makes no sense.
pub(super) fn invalid(param: &str, message: Text) -> ApiError {
    ApiError::invalid(param, message)
}

/// A member that has to be there.
pub(super) fn missing(name: &str) -> Text {
    both!("`{name}` is missing.", "Не указан `{name}`.")
}

fn not_objects(name: &str) -> Text {
    both!("`{name}` must be an array of objects.", "`{name}` должен быть массивом объектов.")
}

fn not_offered(what: &str) -> Text {
    both!("Not offered here: {what}.", "Здесь не предлагается: {what}.")
}

/// The requested model first, then its fallbacks.
pub(super) fn models(members: &Members<'_>) -> Result<Vec<String>, ApiError> {
    let mut models = Vec::new();
    if members.has("model") {
        let model = members.text("model");
        models.push(model.ok_or_else(|| {
            invalid("model", both!("`model` must be a string.", "`model` должен быть строкой."))
        })?);
    }
    if let Some(list) = members.get("models") {
        let more: Vec<String> = serde_json::from_str(list).map_err(|_| {
            let message = both!(
                "`models` must be an array of strings.",
                "`models` должен быть массивом строк."
            );
            invalid("models", message)
        })?;
        for model in more {
            if !models.contains(&model) {
                models.push(model);
            }
        }
    }
    match models.len() {
        0 => return Err(invalid("model", missing("model"))),
        1..=MOST_MODELS => {}
        _ => {
            let message =
                both!("At most {MOST_MODELS} models.", "Не больше {MOST_MODELS} моделей.");
            return Err(invalid("models", message));
        }
    }
    for model in &models {
        if model.is_empty() || model.len() > 200 {
            return Err(ApiError::ModelNotFound { model: model.clone() });
        }
        if model.starts_with("@preset/") || model.contains("@preset/") || model.ends_with(":online")
        {
            return Err(invalid("model", not_offered("`:online`, `@preset/`")));
        }
    }
    Ok(models)
}

/// What refers to, or spends from, settings of our own upstream account is not for customers.
pub(super) fn refuse_account_settings(members: &Members<'_>) -> Result<(), ApiError> {
    if members.get("preset").is_some() {
        return Err(invalid("preset", not_offered("`preset`")));
    }
    #[derive(serde::Deserialize)]
    struct Plugin<'p> {
        #[serde(borrow, default)]
        id: Cow<'p, str>,
    }
    if let Some(json) = members.get("plugins") {
        let plugins: Vec<Plugin<'_>> =
            serde_json::from_str(json).map_err(|_| invalid("plugins", not_objects("plugins")))?;
        if let Some(plugin) = plugins.iter().find(|plugin| !PLUGINS.contains(&&*plugin.id)) {
            let id: String = plugin.id.chars().take(60).collect();
            return Err(invalid("plugins", not_offered(&format!("`{id}`"))));
        }
    }
    #[derive(serde::Deserialize)]
    struct Tool<'t> {
        #[serde(borrow, default, rename = "type")]
        kind: Cow<'t, str>,
    }
    if let Some(json) = members.get("tools") {
        let tools: Vec<Tool<'_>> =
            serde_json::from_str(json).map_err(|_| invalid("tools", not_objects("tools")))?;
        if tools.iter().any(|tool| tool.kind.starts_with("openrouter:")) {
            return Err(invalid("tools", not_offered("`openrouter:*`")));
        }
    }
    Ok(())
}

/// A number of tokens or of answers.
pub(super) fn count(members: &Members<'_>, name: &'static str) -> Result<Option<u64>, ApiError> {
    let Some(json) = members.get(name) else { return Ok(None) };
    json.parse().map(Some).map_err(|_| {
        let message = both!(
            "`{name}` must be a whole number that is not negative.",
            "`{name}` должен быть целым неотрицательным числом."
        );
        invalid(name, message)
    })
}
