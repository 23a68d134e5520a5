#!/usr/bin/env bash
# Builds the dashboard into frontend/dist, which the gateway carries within itself. Quick when nothing changed.
# `packages` only installs what the tests of the dashboard need.
set -euo pipefail
cd "$(dirname "$0")/../frontend"
. ../.ci/lib.sh

stamp=node_modules/.built
oldest=20.19.0

recent_node() {
    command -v node >/dev/null 2>&1 &&
        [ "$(printf '%s\n%s\n' "$oldest" "$(node -p process.versions.node)" | sort -V | head -n 1)" = "$oldest" ]
}

if ! recent_node; then
    echo "dashboard: Node $oldest or newer is missing" >&2
    exit 1
fi

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
