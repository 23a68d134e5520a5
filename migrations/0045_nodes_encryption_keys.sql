-- A key that a running node does not know must not seal what it needs.
ALTER TABLE nodes ADD COLUMN encryption_keys text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN nodes.encryption_keys IS
    'Names of the keys that open secrets on this node: a rotation waits until all nodes have the new one.';
