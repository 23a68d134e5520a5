//! `tollgate admin`, beside a server and without one.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::{ADMIN, Gateway, PASSWORD, PROGRAM, Place, until};
use crate::wire;

const SOON: Duration = Duration::from_secs(20);

/// Runs a command to its end: whether it succeeded, and what it printed.
fn run(place: &Place, arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new(PROGRAM);
    for inherited in ["DATABASE_URL", "OPENROUTER_MASTER_KEYS", "ENCRYPTION_KEY", "LOG_FILTER"] {
        command.env_remove(inherited);
    }
    command.arg("admin").args(arguments).env("TOLLGATE_DATA_DIR", place.path());
    command.env("ADMIN_EMAIL", ADMIN).env("ADMIN_PASSWORD", PASSWORD);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A command that reads nothing may have closed it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let printed = match output.status.success() {
        true => output.stdout,
        false => output.stderr,
    };
    (output.status.success(), String::from_utf8(printed).expect("text"))
}

/// What a command answers as JSON.
#[track_caller]
fn admin(place: &Place, arguments: &[&str]) -> Value {
    let (right, printed) = run(place, &[&["--json"], arguments].concat(), "");
    assert!(right, "{arguments:?}: {printed}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// Why a command refuses.
#[track_caller]
fn refused(place: &Place, arguments: &[&str]) -> String {
    let (right, printed) = run(place, arguments, "");
    assert!(!right, "{arguments:?}: {printed}");
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_the_first_hour_from_the_shell_beside_a_server() {
    let place = Place::new();
    let gateway = Gateway::serve(&place, &[]).await;
    // The gateway has started it: now it outlives that.
    place.postgres().await;
    let (account, key) = gateway.customer("ada", "1.00").await;
    let mail = "ada@example.com";

    let again = ["top-up", mail, "9", "--reference", "invoice 1", "--idempotency-key", "t1"];
    let (first, second) = (admin(&place, &again), admin(&place, &again));
    assert_eq!((&first["replayed"], &second["replayed"]), (&false.into(), &true.into()));
    assert_eq!(first["id"], second["id"]);
    admin(&place, &["grant", &account, "2", "--reason", "welcome"]);
    admin(&place, &["adjust", mail, "-0.5", "--reason", "x", "--reference", "ticket 1"]);
    let top_up = first["id"].as_str().expect("an id");
    admin(&place, &["refund", mail, top_up, "4", "--reason", "asked for it"]);
    let shown = admin(&place, &["show-client", mail]);
    assert_eq!((&shown["balance_usd"], &shown["account_id"]), (&"7.5".into(), &account.into()));
    let listed = admin(&place, &["list-clients"]);
    let clients = listed["data"].as_array().expect("clients");
    let ada = clients.iter().find(|client| client["email"] == mail).expect("she is listed");
    assert_eq!(ada["balance_usd"], "7.5");

    // The server decides on what the shell has written.
    let ask = async |key: &str| {
        let body = wire::body("Hello", false);
        let request = gateway.request(Method::POST, "/v1/chat/completions", key).json(&body);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(ask(&key).await, 200);
    admin(&place, &["suspend", mail, "--reason", "chargeback"]);
    assert_eq!(ask(&key).await, 403);
    admin(&place, &["reinstate", mail, "--reason", "settled"]);
    until("the account goes on", SOON, async || (ask(&key).await == 200).then_some(())).await;
    let issued = admin(&place, &["issue-key", mail, "--name", "laptop"]);
    let (id, new) = (issued["id"].as_str().expect("id"), issued["key"].as_str().expect("key"));
    until("the new key works", SOON, async || (ask(new).await == 200).then_some(())).await;
    admin(&place, &["revoke-key", mail, id]);
    until("it is revoked", SOON, async || (ask(new).await == 401).then_some(())).await;

    assert!(refused(&place, &["top-up", "nobody@example.com", "1"]).contains("no customer"));
    assert!(refused(&place, &["top-up", mail, "0"]).contains("above zero"));
    assert!(refused(&place, &["refund", mail, top_up, "40", "--reason", "x"]).contains("refunded"));
    gateway.process.terminate();
    assert!(gateway.process.ended().await.success());
    place.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_upstreams_are_set_up_without_a_server() {
    let place = Place::new();
    let created = admin(&place, &["create-admin", "boss@example.com"]);
    assert!(created["password"].as_str().expect("a password").len() > 20);
    assert!(refused(&place, &["create-admin", "boss@example.com"]).contains("registered"));
    let role = admin(&place, &["set-role", "boss@example.com", "admin"]);
    assert_eq!(role["role"], "admin");
    let reset = admin(&place, &["reset-password", "boss@example.com"]);
    assert!(reset["url"].as_str().expect("a link").contains("tgp_"));

    let new = ["--json", "add-master-account", "--label", "main"];
    let (right, printed) = run(&place, &new, "sk-or-v1-0123456789abcdef\n");
    assert!(right, "{printed}");
    assert!(!printed.contains("0123456789"), "{printed}");
    let added: Value = serde_json::from_str(&printed).expect("JSON");
    let id = added["id"].as_str().expect("an id");
    admin(&place, &["purchase", id, "1000", "300", "--reference", "PO 17"]);
    let listed = admin(&place, &["list-master-accounts"]);
    assert_eq!((&listed[0]["id"], &listed[0]["remaining_usd"]), (&added["id"], &"1000".into()));
    assert_eq!(admin(&place, &["set-ratio", "0.85"])["ratio"], "0.85");
    assert!(refused(&place, &["set-ratio", "0.9", "--model", "no/such"]).contains("no/such"));
    assert!(refused(&place, &["add-master-account", "--label", "x"]).contains("standard input"));

    // A new key for what is sealed, twice: the second has nothing left of the first.
    for _ in 0..2 {
        let rotated = admin(&place, &["rotate-encryption-key", "--generate"]);
        assert_eq!((&rotated["secrets"], &rotated["resealed"]), (&1.into(), &1.into()));
    }
    let rotated = admin(&place, &["rotate-encryption-key"]);
    assert_eq!(rotated["resealed"], 0);
    assert!(!place.path().join("secrets/encryption-key-previous").exists());
}
