# Every target installs what it needs into .venv, once. Another interpreter: make test PYTHON=python3.13.
# pip follows its own settings: PyTorch's builds without CUDA, for one, come with PIP_EXTRA_INDEX_URL.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
PEERS := .venv-peers/bin/python -m pip -qq --disable-pip-version-check

.PHONY: demo setup test lint docs bench peers faults reproduce clean

demo: .venv/.demo  # train small nets on real images, compare all their layers, write a report
	$(BIN)/visavis demo --out demo-report

setup: .venv/.dev  # the development environment
	@echo "visavis: the development environment is ready in .venv"

test: lint  # everything that must hold before a change lands
	$(BIN)/pytest -n auto --maxprocesses 4

lint: .venv/.dev  # style, contracts, types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/basedpyright

docs: .venv/.dev  # the pages that are written from the code
	@for script in docs/*.py; do echo "$(BIN)/python $$script"; $(BIN)/python $$script || exit 1; done

bench: .venv/.dev  # speed, beside the bare products
	@for script in bench/*.py; do echo "$(BIN)/python $$script"; $(BIN)/python $$script || exit 1; done

reproduce: .venv/.reproduce  # the paper's experiments, in 90 minutes; make reproduce QUICK=1 in a few
	$(BIN)/python -m reproduction $(if $(QUICK),--quick)

peers: .venv-peers/.done  # other packages on the same data: docs/peers.md
	.venv-peers/bin/python -W ignore -m bench.peers.agreement

faults: .venv/.dev  # known faults planted in a copy, each of which the tests must notice
	$(BIN)/python scripts/planted_faults.py

clean:  # back to a fresh clone
	rm -rf .venv .venv-peers demo-report build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +

# A stamp in .venv says that a step is done; it is done again when what it was made from changes.
.venv/.demo: .venv/.pip pyproject.toml constraints.txt
	@echo "visavis: installing the package with PyTorch (a few minutes) ..."
	@$(PIP) install -c constraints.txt -e ".[torch]"
	@touch $@

.venv/.reproduce: .venv/.pip pyproject.toml constraints.txt
	@echo "visavis: installing the package with PyTorch (a few minutes) ..."
	@$(PIP) install -c constraints.txt -e . --group reproduce
	@touch $@

.venv/.dev: .venv/.pip pyproject.toml constraints.txt
	@echo "visavis: installing the development environment (a few minutes) ..."
	@$(PIP) install -c constraints.txt -e . --group dev
	@touch $@

# Their versions clash with those of .venv, and on paper with each other: everything is pinned there.
.venv-peers/.done: bench/peers/requirements.txt
	@echo "visavis: installing other packages to compare with (a few minutes) ..."
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@$(PEERS) install -c constraints.txt torch
	@$(PEERS) install --no-deps -r bench/peers/requirements.txt
	@$(PEERS) install --no-deps -e .
	@touch $@

OLD = visavis: needs Python 3.11 or newer, found %d.%d. Name one: make PYTHON=python3.11
CHECK = import sys; v = sys.version_info[:2]; sys.exit(None if v >= (3, 11) else "$(OLD)" % v)

# pip comes first because --group needs a recent one.
.venv/.pip: constraints.txt
	@test -x $(BIN)/python || { $(PYTHON) -c '$(CHECK)' && echo "visavis: creating .venv ..." && $(PYTHON) -m venv .venv; }
	@$(PIP) install -c constraints.txt --upgrade pip
	@touch $@
