//! SMTP.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use reqwest::Url;

use super::{Mail, MailError, Mailer};
use crate::config::MailConfig;

/// For each step of the conversation.
const PATIENCE: Duration = Duration::from_secs(30);

/// A relay that takes our mail.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Tells vacation responders and the like not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Smtp {
    /// Over the relay of the configuration; nothing is connected yet.
    ///
    /// # Errors
    /// The URL is not one of a relay, or TLS can't be set up.
    pub fn new(config: &MailConfig) -> Result<Self, MailError> {
        let url = config.smtp_url.expose();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| MailError::Never("SMTP_URL can't be used".to_owned()))?
            .timeout(Some(PATIENCE));
        let transport = match &config.certificates {
            Some(pem) => transport.tls(trusting(url, pem)?),
            None => transport,
        };
        Ok(Self { transport: transport.build(), from: config.from.clone() })
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let never = |what: &str| MailError::Never(what.to_owned());
        let to = mail.to.parse().map_err(|_| never("the address is not one that mail takes"))?;
        let id = format!("<{}@{}>", mail.id, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .message_id(Some(id))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|_| never("the mail could not be put together"))
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(why(&error)),
        }
    }
}

/// The encryption that the URL asks for, with these authorities beside the system's.
fn trusting(url: &str, pem: &[u8]) -> Result<Tls, MailError> {
    let never = |what: &str| MailError::Never(what.to_owned());
    let url = Url::parse(url).map_err(|_| never("SMTP_URL can't be used"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let unusable = |_| never("SMTP_CA_FILE can't be used");
    let authorities = Certificate::from_pem(pem).map_err(unusable)?;
    let parameters = TlsParameters::builder(host.to_owned()).add_root_certificate(authorities);
    let parameters = parameters.build().map_err(unusable)?;
    let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value);
    Ok(match (url.scheme(), asked.as_deref()) {
        ("smtps", _) => Tls::Wrapper(parameters),
        (_, Some("required")) => Tls::Required(parameters),
        (_, Some("opportunistic")) => Tls::Opportunistic(parameters),
        _ => Tls::None,
    })
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(self.hand_over(mail))
    }
}

/// The server's own text often repeats the address, so only its code is kept.
fn why(error: &lettre::transport::smtp::Error) -> MailError {
    if let Some(code) = error.status() {
        let text = format!("the mail server answered {code}");
        // A refused password is about our configuration, which somebody will mend.
        let ours = matches!(u16::from(code), 530 | 534 | 535 | 538);
        return match error.is_permanent() && !ours {
            true => MailError::Never(text),
            false => MailError::Later(text),
        };
    }
    let text = match () {
        () if error.is_timeout() => "the mail server did not answer in time",
        () if error.is_tls() => "no encrypted connection to the mail server",
        () if error.is_client() => "the mail server does not offer what SMTP_URL needs",
        () => "no conversation with the mail server",
    };
    // Of the connection, or of the server's certificate: not of the mail.
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    MailError::Later(cause.map_or_else(|| text.to_owned(), |cause| format!("{text}: {cause}")))
}
