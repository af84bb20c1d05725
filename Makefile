# Everything is started from here; `make` alone lists the targets. The work is done by scripts/.

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-clickhouse test-asan test-tsan fuzz torture services services-stop bench bench-check bench-targets bench-peers bench-curves format clean

help: ## list the targets
	@echo "streamplat: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 20

setup: ## install the system packages (apt-get, as root or with sudo); instant when they are there
	@bash scripts/setup.sh

build: setup ## build the release executable into .build-release
	@bash scripts/build.sh

demo: ## set up, build, generate, run and query the ecommerce domain in this folder
	@bash scripts/demo.sh

test: ## set up what tests need and run every test
	@bash scripts/test.sh

test-clickhouse: ## test the ClickHouse sink against the engine of today (downloads about 900 MB once)
	@bash scripts/test-clickhouse.sh

test-asan: setup ## run the tests that need no server under AddressSanitizer
	@bash scripts/test-sanitized.sh address

test-tsan: setup ## run the tests that need no server under ThreadSanitizer
	@bash scripts/test-sanitized.sh thread

fuzz: setup ## feed mutated inputs to every reader of foreign bytes: FUZZ_SECONDS=600 each, FUZZ_TARGET=all
	@bash scripts/fuzz.sh

torture: ## kill runner, generator and sink servers 200 times for each store; 20 minutes
	@bash scripts/torture.sh

services: build ## start Kafka, registry, ClickHouse, PostgreSQL and OpenBao on loopback for environment dev
	@bash scripts/services.sh start

services-stop: ## stop what make services started; data stays
	@bash scripts/services.sh stop

bench: setup ## measure generate, ingest, run and validate
	@bash scripts/bench.sh

bench-check: setup ## count instructions an event and judge them, as CI does
	@bash scripts/bench.sh --check

bench-targets: setup ## measure generate, start, core, workers, slides, sinks, Kafka and latency: PARTS=latency,kafka EVENTS=5000000 ROUNDS=5
	@bash scripts/bench-targets.sh

bench-peers: setup ## compare with DuckDB, Polars, Flink, Spark and others: EVENTS=1000000 ROUNDS=5 PEERS=duckdb,flink
	@bash scripts/bench-peers.sh

bench-curves: setup ## draw time and memory over events, groups, windows and more into docs/: MOST_EVENTS=10000000
	@bash scripts/bench-curves.sh

format: ## rewrite the Swift files in the project's style
	@echo "== formatting Sources, Tests, plugins and Package.swift"
	@swift format --in-place --recursive Sources Tests plugins Package.swift

clean: ## remove build folders, the tests' Python environments and the peers; data in .streamplat stays
	@echo "== removing .build-*, .venv, .venv-chdb and .peers (.streamplat stays)"
	@rm -rf .build-* .venv .venv-chdb .peers
