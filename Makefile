# The project's commands. `make help` lists them.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WINDFLOW := target/debug/windflow
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)
# Where `make run` and `make serve` keep theirs; `make clean` removes it.
WINDFLOW_DATA_DIR ?= $(CURDIR)/target/windflow-data

# The tests that need a Docker engine are in modules of this name; `make test SKIP_DOCKER=1` is for where none can run.
ifdef SKIP_DOCKER
NEXTEST_FILTER := -E 'not test(/^docker_engine::/)'
LIBTEST_FILTER := -- --skip docker_engine::
endif

.PHONY: help run serve build embedded plugins marketplace editor test test-long lint bench clean prepared tools

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

run: build ## Set everything up and run the status report on a team's task list
	$(WINDFLOW) --data-dir "$(WINDFLOW_DATA_DIR)" run workflows/status-report/workflow.yaml --input-file workflows/status-report/tasks.json

serve: build ## Set everything up and serve the API on 127.0.0.1:7878
	$(WINDFLOW) --data-dir "$(WINDFLOW_DATA_DIR)" serve

# With the features that the tests build with: what they share is compiled once.
build: embedded
	cargo build --workspace --bin windflow

# What the binary embeds. Building the editor takes one processor most of the time.
embedded:
	@sdk/toolchain/ensure-wasm-target.sh > /dev/null
	@echo 'building plugins, templates and the web editor: some minutes the first time'
	@cargo build --workspace --bin xtask
	@web-editor/build.sh & editor=$$!; built=0; \
	{ cargo xtask plugins && cargo xtask marketplace; } || built=1; \
	wait $$editor || built=1; exit $$built

plugins: ## Build the built-in plugins as WebAssembly components
	cargo xtask plugins

marketplace: plugins ## Check the templates of marketplace/, pack and sign them
	cargo xtask marketplace

editor: ## Build the web editor, which the binary embeds
	web-editor/build.sh

test: prepared ## Set everything up and run every quick test
	cargo fmt --all --check
ifneq ($(NEXTEST),)
	# Two more than processors: there are always two that wait for containers.
	cargo nextest run --workspace --no-fail-fast --test-threads $$(($$(nproc) + 2)) $(NEXTEST_FILTER)
	cargo test --package windflow-sdk --doc
else
	cargo test --workspace --no-fail-fast $(LIBTEST_FILTER)
endif
	web-editor/test.sh

test-long: test ## The quick tests, then thousands of simulations, fuzzing, hundreds of crashes, minutes of mixed load (an hour with WINDFLOW_SOAK_SECONDS=3600), plugins in JavaScript and Python, and the second way to the WebAssembly target
	# Of the workspace, although each is in one package: what `make test` compiled is taken as it is.
	WINDFLOW_LONG=1 cargo test --workspace --test simulation -- --nocapture
	engine/windflow-fuzz/run.sh 20
	WINDFLOW_LONG=1 cargo test --workspace --test hostile
	WINDFLOW_LONG=1 cargo test --workspace --test crash -- --nocapture
	WINDFLOW_LONG=1 cargo test --workspace --test serve soak -- --nocapture
	WINDFLOW_LONG=1 cargo test --workspace --test kill --test contract --test power -- --nocapture
	sdk/examples/words/test.sh $(WINDFLOW)
	WINDFLOW_WASM_NO_RUSTUP=1 WINDFLOW_WASM_SYSROOT=target/wasm-sysroot-long sdk/toolchain/ensure-wasm-target.sh

lint: embedded ## Formatting, clippy, licences and sources of dependencies, unused dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	sdk/toolchain/ensure-tool.sh cargo-machete
	cargo machete
	sdk/toolchain/ensure-tool.sh cargo-deny
	cargo deny check bans licenses sources

bench: build ## Measure; docs/benchmarks.md says what came out and how to read it
	cargo xtask pack bench/guests/fib --out target/guests
	sdk/examples/words/test.sh $(WINDFLOW)
	cargo bench --package windflow-core --package windflow-store --package windflow-host --package windflow-runtime --package windflow-marketplace
	cargo bench --package windflow --bench builtins
	bench/cli.sh
	bench/editor/lighthouse.sh

clean: ## Remove everything that was built or run
	cargo clean

# What is fetched is fetched while others compile. Both need Node.js, which one of them may have to fetch.
prepared:
	@sdk/toolchain/ensure-tool.sh python3
	@sdk/toolchain/ensure-node.sh > /dev/null
	@$(MAKE) --no-print-directory tools & tools=$$!; built=0; \
	$(MAKE) --no-print-directory embedded || built=1; \
	wait $$tools || built=1; exit $$built

tools: # What the tests use beside Rust
	@sdk/toolchain/ensure-tool.sh strace
	@sdk/toolchain/ensure-tool.sh curl
	@sdk/toolchain/ensure-tool.sh git
	@sdk/toolchain/ensure-browser.sh > /dev/null
	@sdk/toolchain/ensure-model-server.sh > /dev/null
	@sdk/toolchain/ensure-mail-server.sh > /dev/null
	@sdk/toolchain/ensure-trace-collector.sh > /dev/null
	@sdk/toolchain/ensure-token-server.sh > /dev/null
	@sdk/toolchain/ensure-schemathesis.sh > /dev/null
	@sdk/toolchain/ensure-openapi-linter.sh > /dev/null
ifndef SKIP_DOCKER
	@engine/windflow-testkit/docker/install.sh
endif
