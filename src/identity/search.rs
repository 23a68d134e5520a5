//! Finding people by what they are called.

use sqlx::{PgPool, Postgres, QueryBuilder};
use tollgate_domain::ids::AccountId;

use crate::database::rows::parsed;

/// More words than anybody types; the rest would only cost.
const MOST_WORDS: usize = 8;

/// The accounts of people in whose name or address every word of `text` is found, or whose id
/// (`usr_…`) begins with it; in order of their ids, those after `after`.
///
/// There is no index for the middle of a word without an extension that not every PostgreSQL has.
/// The table of people is narrow: looking through ten thousand takes milliseconds.
pub async fn accounts(
    pool: &PgPool,
    text: &str,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<AccountId>, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT account_id FROM users WHERE true");
    push_words(&mut sql, text);
    if let Some(after) = after {
        sql.push(" AND account_id > ").push_bind(after.to_string());
    }
    sql.push(" ORDER BY account_id LIMIT ").push_bind(limit);
    let rows = sql.build().fetch_all(pool).await?;
    rows.iter().map(|row| parsed(row, "account_id")).collect()
}

/// Adds the conditions that rows of `users` fit these words.
pub(super) fn push_words(sql: &mut QueryBuilder<'_, Postgres>, text: &str) {
    for word in text.split_whitespace().take(MOST_WORDS) {
        sql.push(" AND (email ILIKE ").push_bind(format!("%{}%", escaped(word)));
        sql.push(" OR name ILIKE ANY (").push_bind(forms(word)).push(")");
        if word.starts_with("usr_") {
            sql.push(" OR starts_with(user_id, ").push_bind(word.to_owned()).push(")");
        }
        sql.push(")");
    }
}

/// A word as a name may have it. `ILIKE` knows the case of English letters only where the
/// database's locale is C, as the private one's is.
fn forms(word: &str) -> Vec<String> {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let capital = first + &letters.as_str().to_lowercase();
    let mut forms = vec![word.to_owned(), word.to_lowercase(), word.to_uppercase(), capital];
    forms.sort_unstable();
    forms.dedup();
    forms.iter().map(|form| format!("%{}%", escaped(form))).collect()
}

/// The word as a pattern that means itself.
fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_no_pattern_and_its_case_does_not_matter() {
        assert_eq!(escaped(r"50%_\"), r"50\%\_\\");
        assert_eq!(forms("анна"), ["%АННА%", "%Анна%", "%анна%"]);
        assert_eq!(forms("7"), ["%7%"]);
    }
}
