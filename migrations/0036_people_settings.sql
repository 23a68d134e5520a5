ALTER TABLE users
    ADD COLUMN language              text        NOT NULL DEFAULT 'en'
        CONSTRAINT users_language CHECK (language IN ('en', 'ru')),
    ADD COLUMN email_verified_at     timestamptz,
    ADD COLUMN low_balance_alert_usd numeric(30, 12)
        CONSTRAINT users_low_balance_alert_not_negative CHECK (low_balance_alert_usd >= 0),
    ADD COLUMN low_balance_told      boolean     NOT NULL DEFAULT false;
-- Who was let in before there was a verification stays in.
UPDATE users SET email_verified_at = created_at;
CREATE INDEX users_low_balance_idx ON users (account_id) WHERE low_balance_alert_usd IS NOT NULL;
COMMENT ON COLUMN users.language IS 'Of the mails that are sent to this person.';
COMMENT ON COLUMN users.email_verified_at IS 'When a link that was mailed to the address came back.';
COMMENT ON COLUMN users.low_balance_alert_usd IS 'A balance below this is mailed, once per crossing.';
COMMENT ON COLUMN users.low_balance_told IS 'The balance is below and it was mailed; false again once it is not below.';
