//! People: passwords, sessions, API keys, secrets at rest.
