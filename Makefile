.DEFAULT_GOAL := help
.PHONY: help setup run test torture fuzz bench fmt

# Many installers put cargo where only login shells look.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing on this machine
	@.ci/setup.sh

run: setup ## Build and start the gateway; where none is configured, with its own database, upstream and demo customer
	@.ci/dashboard.sh || echo "make: without the dashboard, the page at / is a plain one" >&2
	cargo build --release --workspace
	exec target/release/tollgate serve --demo

test: setup ## Check the format, the lints and every test
	@.ci/test.sh

torture: setup ## Kill processes, PostgreSQL and connections under load, 200 times (about 10 minutes)
	TORTURE_ROUNDS=$${TORTURE_ROUNDS:-200} cargo test --workspace --locked --test it -- torture --nocapture

fuzz: ## Feed noise to the readers of foreign bytes, an hour each (FUZZ_SECONDS); needs nightly Rust and cargo-fuzz
	@for target in answer chat usage prices; do \
		mkdir -p target/fuzz/corpus/$$target; \
		CARGO_TARGET_DIR=target/fuzz cargo +nightly fuzz run --fuzz-dir tests/fuzz -O -a -s none $$target \
			target/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
			-max_total_time=$${FUZZ_SECONDS:-3600} -artifact_prefix=target/fuzz/ || exit 1; \
	done

bench: setup ## Measure this machine; the report is kept in target/bench/report.md
	cargo build --release --workspace
	target/release/tollgate bench

fmt: ## Format the sources
	cargo fmt --all
