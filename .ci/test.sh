#!/usr/bin/env bash
# The steps of `make test`. Cargo always gets the whole workspace: another selection of packages means other
# features, and builds most dependencies again.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh
. .ci/node.sh

.ci/dashboard.sh
use_node "$PWD/frontend"
step "dashboard: lints" npm --prefix frontend run --silent lint
step "dashboard: tests" npm --prefix frontend test --silent
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "tests" cargo test --workspace --locked
if [ -d tests/sdk ]; then
    step "SDKs" tests/sdk/run
fi
if [ -x frontend/e2e/run ]; then
    step "dashboard in a browser" frontend/e2e/run
fi
