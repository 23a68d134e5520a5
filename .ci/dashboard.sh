#!/usr/bin/env bash
# Builds the dashboard into frontend/dist, which the gateway carries within itself. Quick when nothing changed.
# `packages` only installs what the tests of the dashboard need.
set -euo pipefail
cd "$(dirname "$0")/../frontend"
. ../.ci/lib.sh

. ../.ci/node.sh

stamp=node_modules/.built

use_node "$PWD"

packages() {
    cmp -s package-lock.json node_modules/.installed && return
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error &&
        cp package-lock.json node_modules/.installed
}

up_to_date() {
    [ -f "$stamp" ] && [ -f dist/index.html ] &&
        [ -z "$(find src public scripts index.html package-lock.json ./*.ts ../openapi/openapi.json \
            -newer "$stamp" ! -path src/api/schema.ts -type f -print -quit)" ]
}

step "dashboard: packages" packages
[ "${1:-}" = packages ] && exit 0
if up_to_date; then
    echo "==> dashboard: nothing changed since it was built"
    exit 0
fi
# What changes while it is built is not in it.
touch node_modules/.building
step "dashboard: build" npm run --silent build
mv node_modules/.building "$stamp"
