# The verbs. Each is one command; logic lives in Python. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
N ?=
ENGINE ?= sqlite

.PHONY: help install parts run test check unit lint typecheck floors sim diff hyp kill9 bypass crashpoints lin hot tz mutants bench bench-reports pghot real-upstream test-real lock clean format

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.installed: requirements.lock pyproject.toml otari_daemon/__init__.py
	test -x $(PY) || python3 -m venv .venv
	$(PY) -m pip install --quiet --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

install: .venv/.installed  ## create .venv and install everything into it, by hash

run: install  ## serve on 127.0.0.1:8000; the first start prints a key and a curl
	exec .venv/bin/otarid

parts: install  ## what the tests need beyond Python packages
	$(PY) scripts/parts.py

test: parts lint typecheck floors  ## everything CI runs
	$(PY) -m pytest -n 2 --dist loadgroup
	$(PY) -m tests.ledger.simulate --histories 10000 --seed 1

check: install lint typecheck floors unit  ## the inner loop, under two minutes

unit: install  ## the quick tests
	$(PY) -m pytest -n 2 --dist loadgroup -m "not e2e and not slow"

lint: install  ## ruff: rules and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

format: install  ## let ruff rewrite
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

typecheck: install  ## mypy --strict
	.venv/bin/mypy

floors: install  ## who may import whom
	.venv/bin/lint-imports

sim: install  ## seeded ledger histories; make sim N=1000000 SEED=7 ENGINE=postgresql
	$(PY) -m tests.ledger.simulate --histories $(or $(N),10000) --seed $(or $(SEED),1) --engine $(ENGINE)

diff: install  ## the same seeds on both engines leave the same rows; make diff N=1000 SEED=7
	$(PY) -m tests.proofs.twins --histories $(or $(N),1000) --seed $(or $(SEED),1)

hyp: install  ## book and store against a model, steps in any order; make hyp N=2000 ENGINE=postgresql
	$(PY) -m tests.ledger.machine --examples $(or $(N),2000) --engine $(ENGINE)

kill9: install  ## kill -9 under load, restart, verify; make kill9 N=500 ENGINE=postgresql
	$(PY) -m tests.e2e.kill9 --cycles $(or $(N),20) --engine $(ENGINE)

bypass: install  ## thirty ways around a budget, each by name
	$(PY) -m pytest tests/bypass

crashpoints: install  ## die at every named point, five times, and prove the books
	$(PY) -m tests.proofs.crashpoints

lin: install  ## histories of admissions, each checked for an order; make lin N=200
	$(PY) -m tests.proofs.histories --histories $(or $(N),200)

hot: install  ## 2,000 at once on a key with room for 1,000; make hot N=200
	$(PY) -m tests.proofs.hot --runs $(or $(N),200)

tz: install  ## every period of every time zone from 2025 to 2031, about a minute
	$(PY) -m tests.domain.timezones

mutants: install  ## do the tests notice a changed ledger? make mutants N=book.py
	nice -n 19 $(PY) -m tests.proofs.mutants $(N)

bench: parts  ## CPU and latency per request beside nginx and stock httpx, one run
	$(PY) -m bench.relay

bench-reports: install  ## reports over ten million generated requests; make bench-reports N=1000000
	$(PY) -m bench.reports --rows $(or $(N),10000000)

pghot: parts  ## one hot budget on PostgreSQL: two nodes with leases beside an UPDATE for each request
	$(PY) -m bench.pghot

real-upstream: install  ## build llama.cpp's server and put its small model together (about ten minutes)
	$(PY) scripts/real_upstream.py

test-real: install  ## the official SDK through the gateway against a real model
	$(PY) -m tests.real.run

lock:  ## resolve the lock file anew; needs uv
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header -q -o requirements.lock

clean:  ## remove what was installed and built
	rm -rf .venv .real dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
