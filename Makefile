# What a person types. Each target works on a fresh machine that has Python 3.11 and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Processes that `make test` runs in; each keeps to one thread. tests/conftest.py says what stays in one.
WORKERS ?= 2

.PHONY: help install demo test test-compose test-outage chaos safeguards check format bench bench-receive bench-abuse sbom clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[node,worker,api]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(VENV)/.run $@

install: $(VENV)/.dev ## everything that development needs, into .venv

demo: $(VENV)/.run ## the main job on a synthetic study, over real DICOM (ARGS=--once to end after the results)
	$(BIN)/osteon demo $(ARGS)

test: $(VENV)/.dev ## the whole test suite, with the real peers that it talks to
	bash tests/install_peers.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-compose: ## the whole stack of deploy/compose.yaml in containers, as root, without a registry
	deploy/test_compose.sh

test-outage: $(VENV)/.dev ## Triton down for two minutes while studies are in flight
	bash tests/install_peers.sh
	TRITON_DOWN_S=120 $(BIN)/python -m pytest tests/acceptance/test_production_collaborators.py -k triton $(ARGS)

chaos: $(VENV)/.dev ## the full forms of the tests that break things (docs/chaos.md); as root, on an idle machine
	bash tests/install_peers.sh
	$(BIN)/python -m tests.chaos.campaign $(ARGS)

safeguards: $(VENV)/.dev ## takes each safeguard out of a copy of the tree: its test has to fail
	bash tests/install_peers.sh
	$(BIN)/python -m tests.chaos.safeguards $(ARGS)

check: $(VENV)/.dev ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## side-by-side measurements
	$(BIN)/python -m benchmarks $(ARGS)

bench-receive: $(VENV)/.dev ## images a second, this node beside storescp, Orthanc and pynetdicom; docs/receiving.md
	bash tests/install_peers.sh
	$(BIN)/python -m benchmarks.receive --page docs/receiving.md $(ARGS)

bench-abuse: $(VENV)/.dev ## what silent, endless and lying peers, a power cut and a full disk do to the same four; needs root
	bash tests/install_peers.sh
	$(BIN)/python -m benchmarks.abuse --page docs/receiving.md $(ARGS)

sbom: $(VENV)/.dev ## what the software needs, as CycloneDX, into osteon.cdx.json (of images: deploy/bundle.sh)
	$(BIN)/python deploy/sbom.py --software osteon.cdx.json

clean: ## remove the environment and caches; data and runs stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
