//! What people read, in both languages. Codes for programs stand in `wire` and have no language.

use tollgate_domain::time::Period;

use super::{ApiError, Text, both};

/// One line for each error: a new one does not compile without its two texts.
macro_rules! words {
    (
        given: $given:pat => $message:ident;
        told: $told:pat => $teller:ident;
        $($error:pat => $english:literal, $russian:literal $(, $name:ident = $value:expr)*;)*
    ) => {
        impl ApiError {
            /// What the client is told; it never contains a cause.
            #[must_use]
            pub fn text(&self) -> Text {
                match self {
                    $given => $message.clone(),
                    $told => $teller.text(),
                    $($error => both!($english, $russian $(, $name = $value)*),)*
                }
            }
        }
    };
}

words! {
    given: Self::InvalidRequest { message, .. }
        | Self::InvalidJson { message }
        | Self::Conflict { message, .. }
        | Self::Upstream { message, .. } => message;
    told: Self::LimitReached(reached) => reached;

    Self::MissingApiKey =>
        "You didn't provide an API key. Send it in a header as in `Authorization: Bearer sk-tg-…`.",
        "Не указан ключ API. Передайте его в заголовке: `Authorization: Bearer sk-tg-…`.";
    Self::InvalidApiKey =>
        "Incorrect API key provided.",
        "Неверный ключ API.";
    Self::KeyRevoked =>
        "This API key was revoked.",
        "Этот ключ API отозван.";
    Self::KeyExpired =>
        "This API key has expired.",
        "Срок действия этого ключа API истёк.";
    Self::NotSignedIn =>
        "Sign in at /v1/auth/login and send the access token as `Authorization: Bearer …`.",
        "Войдите через /v1/auth/login и передайте токен доступа: `Authorization: Bearer …`.";
    Self::TokenExpired =>
        "The access token has expired: get a new one from /v1/auth/refresh.",
        "Срок действия токена доступа истёк: получите новый через /v1/auth/refresh.";
    Self::SessionEnded =>
        "This session was ended: sign in again.",
        "Этот сеанс завершён: войдите снова.";
    Self::InvalidRefreshToken =>
        "The refresh token is not valid (any more): sign in again.",
        "Токен обновления недействителен: войдите снова.";
    Self::WrongPassword =>
        "The e-mail address or the password is wrong.",
        "Неверный адрес электронной почты или пароль.";
    Self::EmailNotVerified =>
        "Confirm your e-mail address first: open the link that was mailed to you, or ask for a new \
         one at /v1/auth/email-verification.",
        "Сначала подтвердите адрес электронной почты: откройте ссылку из письма или запросите \
         новую через /v1/auth/email-verification.";
    Self::RegistrationClosed =>
        "Registration is closed: ask the operator of this service.",
        "Регистрация закрыта: обратитесь к оператору сервиса.";
    Self::SignInAgain =>
        "This cannot be undone: sign in again and do it within ten minutes.",
        "Это нельзя отменить: войдите снова и повторите в течение десяти минут.";
    Self::Forbidden { needs } =>
        "This needs the role `{needs}`.",
        "Для этого нужна роль `{needs}`.";

    Self::AccountSuspended =>
        "This account is suspended: ask the operator of this service.",
        "Этот счёт заблокирован: обратитесь к оператору сервиса.";
    // OpenRouter's wording, which tools recognise.
    Self::KeyLimitExceeded { required, left, period } =>
        "Key limit exceeded ({period} limit). It leaves ${left}, and this request may cost up to \
         ${required}: raise the key's limit or use another key.",
        "Исчерпан лимит ключа ({period:#} лимит). Осталось ${left}, а запрос может стоить до \
         ${required}: увеличьте лимит ключа или используйте другой ключ.",
        period = name_of(*period);
    Self::SpendLimitExceeded { required, left, period } =>
        "Account limit exceeded ({period} limit). It leaves ${left}, and this request may cost up \
         to ${required}.",
        "Исчерпан лимит счёта ({period:#} лимит). Осталось ${left}, а запрос может стоить до \
         ${required}.",
        period = name_of(*period);
    // OpenRouter's wording, which tools recognise.
    Self::InsufficientFunds {
        requested_tokens: Some(requested), affordable_tokens: Some(affordable), ..
    } =>
        "This request requires more credits, or fewer max_tokens. You requested up to {requested} \
         tokens, but can only afford {affordable}. Top up the account and try again.",
        "Для этого запроса не хватает средств, либо нужно меньше max_tokens. Запрошено до \
         {requested} токенов, средств хватает на {affordable}. Пополните счёт и повторите запрос.";
    Self::InsufficientFunds { required, available, .. } =>
        "Insufficient credits: this request may cost up to ${required}, and ${available} is \
         available. Top up the account and try again.",
        "Недостаточно средств: запрос может стоить до ${required}, доступно ${available}. \
         Пополните счёт и повторите запрос.";

    Self::ModelNotAllowed { model } =>
        "This API key may not use the model `{model}`: add it to the key's models or use another \
         key.",
        "Этому ключу API нельзя использовать модель `{model}`: добавьте её в список моделей \
         ключа или используйте другой ключ.",
        model = shortened(model);
    Self::AddressNotAllowed { address } =>
        "This API key may not be used from the address {address}.",
        "Этот ключ API нельзя использовать с адреса {address}.";

    Self::ModelNotFound { model } =>
        "The model `{model}` does not exist or you do not have access to it.",
        "Модель `{model}` не существует, или у вас нет к ней доступа.",
        model = shortened(model);
    Self::ModelNotPriced { model } =>
        "The model `{model}` has no price here, so it is not sold.",
        "У модели `{model}` здесь нет цены, поэтому она не продаётся.",
        model = shortened(model);
    Self::NotFound { what } =>
        "There is no such {what}.",
        "Не найдено: {what:#}.";
    Self::MethodNotAllowed =>
        "This path does not take this method.",
        "Этот путь не поддерживает такой метод.";
    Self::IdempotencyMismatch =>
        "This Idempotency-Key was used before with another request: make a new key.",
        "Этот Idempotency-Key уже использован с другим запросом: создайте новый ключ.";
    Self::RequestInProgress { .. } =>
        "The first request with this Idempotency-Key is still running: ask again in a moment.",
        "Первый запрос с этим Idempotency-Key ещё выполняется: повторите чуть позже.";
    Self::AnswerNotKept { charge, request } =>
        "The answer to the first request with this Idempotency-Key ({request}) is not available. \
         It was charged ${charge} and is not charged again; to ask anew, make a new key.",
        "Ответ на первый запрос с этим Idempotency-Key ({request}) недоступен. За него списано \
         ${charge}, повторно не списывается; чтобы спросить заново, создайте новый ключ.";
    Self::BodyTooLarge { limit } =>
        "The request is larger than this server takes ({limit} bytes).",
        "Запрос больше, чем принимает этот сервер ({limit} байт).";
    Self::HeadersTooLarge { limit } =>
        "The headers of the request are larger than this server takes ({limit} bytes).",
        "Заголовки запроса больше, чем принимает этот сервер ({limit} байт).";
    Self::UrlTooLong { limit } =>
        "The URL is longer than this server takes ({limit} bytes).",
        "URL длиннее, чем принимает этот сервер ({limit} байт).";
    Self::BodyTimedOut =>
        "The body of the request came too slowly and was not waited for.",
        "Тело запроса передавалось слишком медленно, ожидание прервано.";
    Self::UnsupportedMediaType =>
        "Send JSON, with the header `Content-Type: application/json`.",
        "Отправьте JSON с заголовком `Content-Type: application/json`.";
    Self::RateLimited { .. } =>
        "Rate limit exceeded: slow down and try again.",
        "Слишком много запросов: подождите и повторите.";

    Self::UpstreamUnavailable =>
        "The model's provider failed to answer: try again.",
        "Провайдер модели не смог ответить: повторите запрос.";
    Self::AnswerBroke =>
        "The model's provider broke off its answer. What it bills for the part before is charged; \
         try again if you accept another charge.",
        "Провайдер модели оборвал ответ. Выставленное им за начало ответа списано; повторите \
         запрос, если согласны на новое списание.";
    Self::NoUpstream =>
        "No provider can take this request now: try again.",
        "Сейчас ни один провайдер не может принять этот запрос: повторите позже.";
    Self::Overloaded =>
        "This server has too many requests: try again.",
        "Сервер перегружен запросами: повторите позже.";
    Self::UpstreamTimeout =>
        "The model's provider did not answer in time.",
        "Провайдер модели не ответил вовремя.";
    Self::NotYetVisible { at_least, position } =>
        "The read models are at position {position} and have not reached {at_least} yet.",
        "Модели чтения на позиции {position} и ещё не дошли до {at_least}.";
    Self::Unavailable(_) =>
        "The books can't be reached, so nothing was done: try again.",
        "Учётные книги недоступны, ничего не сделано: повторите запрос.";
    Self::TimedOut =>
        "The answer took too long and was given up.",
        "Ответ занял слишком много времени и был прерван.";
    Self::ClientClosed =>
        "The client closed the connection.",
        "Клиент закрыл соединение.";
    Self::Internal(_) =>
        "Something went wrong on our side; the x-request-id header names it in our log.",
        "Что-то сломалось на нашей стороне; заголовок x-request-id указывает на запись в журнале.";
}

/// A model name from a client can be anything; an error repeats a readable part of it.
fn shortened(model: &str) -> String {
    model.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// As OpenRouter calls the limits of a key.
fn name_of(period: Period) -> Text {
    match period {
        Period::Day => both!("daily", "дневной"),
        Period::Week => both!("weekly", "недельный"),
        Period::Month => both!("monthly", "месячный"),
        Period::Total => both!("total", "общий"),
    }
}
