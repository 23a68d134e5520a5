//! The people of the tests.

use reqwest::Method;
use serde_json::{Value, json};
use tollgate::config::Secret;
use tollgate::identity::Role;
use tollgate::identity::people::NewUser;
use tollgate::ledger::{Actor, CommandContext};

use super::TestApp;

pub const ADMIN_EMAIL: &str = "admin@example.com";
pub const ADMIN_PASSWORD: &str = "an admin's password";
const PASSWORD: &str = "correct horse battery";

/// Somebody who is signed in.
pub struct Person {
    /// The account.
    pub account: String,
    /// The access token.
    pub token: String,
    /// The refresh token.
    pub refresh: String,
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("{member} in {body}")).to_owned()
}

impl TestApp {
    /// Registers somebody and signs them in.
    pub async fn customer(&self, name: &str) -> Person {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        let answer = self.send(Method::POST, "/v1/auth/register", None, Some(&body)).await;
        answer.expect(201);
        self.sign_in(&email, PASSWORD).await
    }

    /// The admin, signed in.
    pub async fn admin(&self) -> Person {
        self.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD).await
    }

    /// An auditor, signed in.
    pub async fn auditor(&self) -> Person {
        let (email, role) = ("auditor@example.com".to_owned(), Role::Auditor);
        let password = Secret::new(PASSWORD);
        let new = NewUser { email: email.clone(), password, name: String::new(), role };
        let context = CommandContext::by(Actor::System("test"));
        self.state().people.register(new, &context).await.expect("an auditor");
        self.sign_in(&email, PASSWORD).await
    }

    /// Signs somebody in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Person {
        let body = json!({ "email": email, "password": password });
        let answer = self.send(Method::POST, "/v1/auth/login", None, Some(&body)).await;
        let tokens = answer.expect(200);
        let token = text(&tokens, "access_token");
        let me = self.get("/v1/auth/me", &token).await.expect(200);
        let refresh = text(&tokens, "refresh_token");
        Person { account: text(&me, "account_id"), token, refresh }
    }

    /// Tops an account up and returns the position.
    pub async fn top_up(&self, person: &Person, amount: &str) -> i64 {
        let admin = self.admin().await;
        let path = format!("/v1/admin/clients/{}/top-ups", person.account);
        let body = json!({ "amount_usd": amount });
        let booked = self.post(&path, &admin.token, &body).await.expect(201);
        booked["position"].as_i64().expect("a position")
    }

    /// Issues a key and returns its id and the key itself.
    pub async fn issue_key(&self, person: &Person) -> (String, String) {
        let body = json!({ "name": "test" });
        let issued = self.post("/v1/auth/api-keys", &person.token, &body).await.expect(201);
        (text(&issued, "id"), text(&issued, "key"))
    }

    /// A customer with money and a key.
    pub async fn paying_customer(&self, name: &str) -> (Person, String) {
        let person = self.customer(name).await;
        self.top_up(&person, "10.00").await;
        let (_, key) = self.issue_key(&person).await;
        (person, key)
    }
}
