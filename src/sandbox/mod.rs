//! A sandbox upstream that speaks OpenRouter's wire format.

mod catalogue;
mod money;
mod price;

#[cfg(test)]
mod tests {
    mod prices;
}
