#!/usr/bin/env bash
# Run once, when the database is made: one role owns the tables, the other one serves. The migrations grant the rights
# to the role `tollgate`.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$TOLLGATE_OWNER_PASSWORD" --set server_password="$TOLLGATE_SERVER_PASSWORD" <<'SQL'
CREATE ROLE tollgate_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE tollgate LOGIN PASSWORD :'server_password';
CREATE DATABASE tollgate OWNER tollgate_owner;
SQL
