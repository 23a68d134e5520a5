-- Where projections live. Their tables are made by the code that fills them, so that a rebuild can
-- fill a second copy in "read_next" and switch.
CREATE SCHEMA read;
COMMENT ON SCHEMA read IS 'Read models. Disposable: every row can be folded again from the events.';
CREATE SCHEMA read_next;
COMMENT ON SCHEMA read_next IS 'Read models that are being rebuilt beside the live ones.';

CREATE TABLE projection_checkpoints (
    name     text   NOT NULL,
    copy     text   NOT NULL CONSTRAINT projection_checkpoints_copy CHECK (copy IN ('live', 'next')),
    version  integer NOT NULL,
    position bigint NOT NULL CONSTRAINT projection_checkpoints_not_negative CHECK (position >= 0),
    CONSTRAINT projection_checkpoints_pkey PRIMARY KEY (name, copy)
);
COMMENT ON TABLE projection_checkpoints IS
    'The last position that a projection has applied. It moves in the transaction that writes the read models, so each event is applied exactly once.';
