# Two commands matter: `make run` starts the demo company, `make test` proves the code.
.DEFAULT_GOAL := help
.PHONY: help setup run test check lock soak audit bench clean

help: ## List the recipes
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' Makefile

setup: ## Put the development environment into .venv
	@sh requirements/install.sh dev

run: ## Set up what is missing and start the demo company
	@sh requirements/install.sh run
	@.venv/bin/accord models pull --if-wanted || echo "The local model is not there; Accord goes on without it."
	@exec .venv/bin/accord serve --demo

test: setup ## Run the tests
	@.venv/bin/python -m pytest -q tests

check: setup ## Judge style, types and imports
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/pyright
	@.venv/bin/lint-imports

lock: ## Compile requirements/*.txt anew from pyproject.toml
	@sh requirements/lock.sh

soak: setup ## Run the long loops
	@.venv/bin/python -m pytest -q -m soak tests

audit: setup ## Look for known vulnerabilities in what run.txt pins, and say plainly when nobody could be asked
	@sh requirements/audit.sh

bench: setup ## Measure what docs/figures.md states
	@for bench in evals/bench/[a-z]*.py; do echo "$$bench"; .venv/bin/python "$$bench" || echo "no figure from $$bench"; done

clean: ## Remove environments and caches, never data (.accord)
	@rm -rf .venv .uv .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
