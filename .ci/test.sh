#!/usr/bin/env bash
# The steps of `make test`. Cargo always gets the whole workspace: another selection of packages means other
# features, and builds most dependencies again.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "tests" cargo test --workspace --locked
if [ -d tests/sdk ]; then
    step "SDKs" tests/sdk/run
fi
