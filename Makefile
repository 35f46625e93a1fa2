# Everything a newcomer needs; `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup check dashboards services test-services demo bench bench-judging chaos delivery exact fuzz mutants judge outage test lint types layers format clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-13s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv with pinned versions, so that .venv/bin/hipwatch works

$(STAMP): pyproject.toml constraints.txt
	@ops/install-debian.sh python
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[demo]" --group dev
	@touch $(STAMP)

services: ## on Debian as root: install Prometheus and Alertmanager, which the demo runs
	@ops/install-debian.sh prometheus alertmanager

test-services: services ## on Debian as root: install what else the tests run: Java and Maven for Apache Kafka, PostgreSQL, PgBouncer, kcat
	@ops/install-debian.sh java maven postgresql pgbouncer kcat openssl sqlite3

chaos: setup test-services ## a month under faults on real Kafka and PostgreSQL: make chaos SEED=1 FAULTS=100 (ONLY="broker restart"; UNSAFE=1: compare-and-set off, has to fail)
	$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(ONLY),--only "$(ONLY)") \
		$(if $(UNSAFE),--worker-module tests.chaos.unsafe_worker)

delivery: setup test-services ## a month to four targets on real services, under restarts: make delivery SEED=1; DEAD_MINUTES=20: Prometheus is dead for so long
	$(BIN)/python -m tests.delivery $(if $(SEED),--seed $(SEED)) $(if $(DEAD_MINUTES),--dead-minutes $(DEAD_MINUTES))

bench: setup test-services ## hipwatch beside its peers, live, at scale; writes docs/benchmark.md: make bench BROKER=kafka (EVENTS=1000000 ROUNDS=3 PART="live latency")
	$(BIN)/python -m bench $(PART) $(if $(EVENTS),--events $(EVENTS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(BROKER),--broker $(BROKER))

bench-judging: setup ## what one evaluation of 10,000 units costs, whatever the ledger's age: make bench-judging UNITS=10000
	$(BIN)/python -m bench.judging $(if $(UNITS),--units $(UNITS))

exact: setup test-services ## a million events with faults through real Kafka and PostgreSQL, every counter compared: make exact EVENTS=1000000 SEED=1
	$(BIN)/python -m tests.exact $(if $(EVENTS),--events $(EVENTS)) $(if $(SEED),--seed $(SEED))

fuzz: setup ## the decoder against bytes that nobody sends, led by coverage: make fuzz RUNS=1000000 SEED=1
	$(BIN)/python -m tests.fuzz $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED))

mutants: setup ## small changes to the code that no test notices; hours for all, or make mutants ONLY=counting/fold
	$(BIN)/python -m tests.mutants $(if $(ONLY),--only $(ONLY))

judge: setup ## a labelled city through the real fold and judge, with what it missed and cried wolf: make judge SEED=1 MONTHS=24 UNITS=52 (CURVE=1)
	$(BIN)/python -m tests.judge $(if $(SEED),--seed $(SEED)) $(if $(MONTHS),--months $(MONTHS)) $(if $(UNITS),--units $(UNITS)) \
		$(if $(JUDGE),--judge $(JUDGE)) $(if $(CURVE),--curve) $(if $(SILENCES),--silences) $(if $(JSON),--json) $(if $(SHOW),--show) $(if $(WRITE),--write $(WRITE))

dashboards: setup ## write the JSON of the Grafana dashboards anew
	$(BIN)/python -m ops.grafana

outage: setup test-services ## a database that is away under load: make outage MINUTES=10; the worker's memory, membership and counts
	$(BIN)/python -m tests.faults.outage $(if $(MINUTES),--minutes $(MINUTES))

demo: setup services ## a real month in time-lapse, from the units to the alert; Ctrl-C ends it
	$(BIN)/hipwatch demo

check: setup ## before every commit: format, lint, types, layers, unit tests; a minute or so
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses 2 --quiet tests/unit

# A machine that stands still amid a real service may fail a test: it is run once more, and the summary says RERUN.
test: setup test-services lint types layers ## set up and run the whole test suite: some 25 minutes on two cores
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 20 --durations-min 20 --reruns 1 --reruns-delay 5

lint: setup ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## strict types, tests too
	$(BIN)/mypy

layers: setup ## imports go one way, from room to room
	$(BIN)/lint-imports

format: setup ## rewrite the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what setup and the tools made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
