# A fresh machine needs Python 3.11 or newer, make, and either the official Pulumi CLI or Go.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-live test test-fast lint

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## deploy one stack to a folder and see another one refused
	$(PYTHON) tools/bootstrap.py demo
	$(BIN)/python tools/demo.py

demo-live:  ## serve a tiny model on this machine through gateway, router and engines (Linux, root)
	$(PYTHON) tools/bootstrap.py live
	$(BIN)/python tools/demo_live.py

test: ready lint  ## everything: lint, types, unit tests, the real engine and the real data plane
	$(BIN)/pytest -m "not dataplane" -n 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/pytest -m dataplane

test-fast: ready-fast  ## the tests that need no other program
	$(BIN)/pytest -m "not engine and not dataplane"

lint: ready-fast  ## style, types and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: ready ready-fast
ready:
	$(PYTHON) tools/bootstrap.py test
ready-fast:
	$(PYTHON) tools/bootstrap.py fast
