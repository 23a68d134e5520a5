//! A sandbox upstream that speaks OpenRouter's wire format.
