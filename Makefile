# Every target is one command; `make` alone lists them.
PYTHON ?= python3
V := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo test fast check fmt lint type proto proto-check bench interop storm fuzz docs clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: .venv/stamp ## make .venv from pins.txt (again only when the pins change)

demo: setup ## run a sandbox, exchange, attack it, and verify every receipt
	$(V)/hutong demo

test: setup ## the whole test suite (wheels only, no system package)
	.ci/test

fast: setup ## the tests that start no server and take no second each
	$(V)/pytest -q -m 'not slow and not integration'

check: lint type proto-check test ## all that CI runs

fmt: setup ## format the code and the contract
	.ci/format

lint: setup ## style, format, direction of imports
	.ci/lint

type: setup ## mypy strict
	$(V)/mypy

proto: setup ## write hutong/<service>/v1 from proto/
	.ci/generate

proto-check: setup ## contract: lint, format, generated code up to date, nothing broken
	.ci/proto-check

bench: setup ## exchanges per second and latency, beside bare gRPC in the same run
	$(V)/python -m bench

interop: setup ## checks against foreign programs (openssl, Node, Go, psql, pdfsig)
	$(V)/python -m bench.interop

storm: setup ## kills and injected faults, in full number
	$(V)/python -m bench.storm

fuzz: setup ## long random input for every parser
	$(V)/python -m bench.fuzz

docs: setup ## links, anchors and length of the documents
	$(V)/pytest -q tests/architecture -k docs

clean: ## remove what can be made again
	rm -rf .venv build *.egg-info .coverage* htmlcov .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/stamp: pins.txt
	$(PYTHON) -m venv .venv
	$(V)/python -m pip install --quiet --require-hashes -r pins.txt
	$(V)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@
