//! What mails say, in both languages.

use super::Language;
use super::kind::{Kind, Queued};

/// A subject and a text.
pub(super) struct Content {
    pub(super) subject: String,
    pub(super) text: String,
}

/// The words of a mail; `None` where a figure is missing.
pub(super) fn content(mail: &Queued, url: &str) -> Option<Content> {
    let (subject, body) = match mail.language {
        Language::English => english(mail, url)?,
        Language::Russian => russian(mail, url)?,
    };
    let name = line(&mail.name);
    let greeting = match (mail.language, name.is_empty()) {
        (Language::English, true) => "Hello,".to_owned(),
        (Language::English, false) => format!("Hello {name},"),
        (Language::Russian, true) => "Здравствуйте!".to_owned(),
        (Language::Russian, false) => format!("Здравствуйте, {name}!"),
    };
    let end = match mail.language {
        Language::English => "This mail was sent by Tollgate; nobody reads answers to it.",
        Language::Russian => "Это письмо отправил Tollgate; ответы на него никто не читает.",
    };
    let text = format!("{greeting}\n\n{body}\n\n-- \n{end}\n");
    Some(Content { subject: subject.to_owned(), text })
}

fn english(mail: &Queued, url: &str) -> Option<(&'static str, String)> {
    Some(match mail.kind {
        Kind::PasswordReset => (
            "Set a new password",
            format!(
                "Somebody, probably you, asked for a new password. Open this link within an hour \
                 to set one:\n\n{url}\n\nIt works once. If it was not you, do nothing: your \
                 password stays as it is."
            ),
        ),
        Kind::EmailVerification => (
            "Confirm your e-mail address",
            format!(
                "Open this link within three days to confirm that this address is \
                 yours:\n\n{url}\n\nIf you did not register, do nothing."
            ),
        ),
        Kind::AddressTaken => (
            "You have an account already",
            format!(
                "Somebody, probably you, tried to register with this address, which has an \
                 account already. Sign in instead, or ask for a new password \
                 there:\n\n{url}\n\nIf it was not you, do nothing: nothing was changed."
            ),
        ),
        Kind::PasswordChanged => (
            "Your password was changed",
            format!(
                "Your password was changed, and you were signed out everywhere else. If it was \
                 not you, ask for a new password at once:\n\n{url}"
            ),
        ),
        Kind::LowBalance => {
            let (balance, alert) = (mail.details.balance_usd?, mail.details.alert_usd?);
            let (balance, alert) = (balance.normalize(), alert.normalize());
            let body = format!(
                "Your balance is ${balance}, below the ${alert} that you asked to be told of. \
                 Requests are refused when nothing is left:\n\n{url}"
            );
            ("Your balance is low", body)
        }
        Kind::Invitation => (
            "You are invited",
            format!("You are invited to register. Open this link, which works once:\n\n{url}"),
        ),
    })
}

fn russian(mail: &Queued, url: &str) -> Option<(&'static str, String)> {
    Some(match mail.kind {
        Kind::PasswordReset => (
            "Новый пароль",
            format!(
                "Кто-то, вероятно вы, запросил новый пароль. Откройте эту ссылку в течение часа, \
                 чтобы задать его:\n\n{url}\n\nОна сработает один раз. Если это были не вы, ничего \
                 не делайте: пароль останется прежним."
            ),
        ),
        Kind::EmailVerification => (
            "Подтвердите адрес электронной почты",
            format!(
                "Откройте эту ссылку в течение трёх дней, чтобы подтвердить, что адрес \
                 ваш:\n\n{url}\n\nЕсли вы не регистрировались, ничего не делайте."
            ),
        ),
        Kind::AddressTaken => (
            "У вас уже есть учётная запись",
            format!(
                "Кто-то, вероятно вы, пытался зарегистрироваться с этим адресом, но учётная \
                 запись для него уже есть. Войдите или запросите новый пароль:\n\n{url}\n\nЕсли \
                 это были не вы, ничего не делайте: ничего не изменилось."
            ),
        ),
        Kind::PasswordChanged => (
            "Пароль изменён",
            format!(
                "Ваш пароль изменён, остальные сеансы завершены. Если это были не вы, сразу \
                 запросите новый пароль:\n\n{url}"
            ),
        ),
        Kind::LowBalance => {
            let (balance, alert) = (mail.details.balance_usd?, mail.details.alert_usd?);
            let (balance, alert) = (balance.normalize(), alert.normalize());
            let body = format!(
                "На вашем балансе ${balance}, это меньше порога ${alert}, о котором вы просили \
                 сообщить. Когда средства закончатся, запросы будут отклоняться:\n\n{url}"
            );
            ("Баланс подходит к концу", body)
        }
        Kind::Invitation => (
            "Приглашение",
            format!("Вас приглашают зарегистрироваться. Эта ссылка сработает один раз:\n\n{url}"),
        ),
    })
}

/// A name is what somebody entered, perhaps for somebody else to read: one short line of it, and
/// no link.
fn line(name: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '\'' | '’');
    name.chars().filter(plain).take(60).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use tollgate_domain::ids::MailId;
    use uuid::Uuid;

    use super::super::kind::{Details, State};
    use super::*;

    fn queued(kind: Kind, language: Language) -> Queued {
        Queued {
            id: MailId::from_uuid(Uuid::now_v7()),
            kind,
            email: "ada@example.com".to_owned(),
            name: "Ada\r\nBcc: eve@example.com https://evil.example".to_owned(),
            language,
            link: None,
            invitation: None,
            details: Details {
                balance_usd: Some("1.50".parse().unwrap()),
                alert_usd: Some("2".parse().unwrap()),
                language: None,
            },
            state: State::Queued,
        }
    }

    #[test]
    fn every_mail_has_its_link_and_speaks_its_reader_s_language() {
        for kind in Kind::ALL {
            let english = content(&queued(kind, Language::English), "https://gate/x").unwrap();
            let russian = content(&queued(kind, Language::Russian), "https://gate/x").unwrap();
            let cyrillic = |text: &str| text.chars().any(|c| ('а'..='я').contains(&c));
            assert!(!cyrillic(&english.text) && !cyrillic(&english.subject), "{kind:?}");
            assert!(cyrillic(&russian.text) && cyrillic(&russian.subject), "{kind:?}");
            for text in [&english.text, &russian.text] {
                assert!(text.contains("\nhttps://gate/x"), "{kind:?}: {text}");
                assert!(!text.contains("evil.example") && !text.contains('\r'), "{text}");
            }
        }
    }

    #[test]
    fn an_alert_shows_the_balance_and_what_it_is_below() {
        let text = content(&queued(Kind::LowBalance, Language::English), "u").unwrap().text;
        assert!(text.contains("$1.5, below the $2 "), "{text}");
    }
}
