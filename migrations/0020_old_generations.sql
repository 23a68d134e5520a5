-- Handles of requests that have ended long ago are thrown away, the oldest first.
CREATE INDEX generations_recorded_idx ON generations (recorded_at);
