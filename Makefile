# The two commands a new user needs: `make demo` and `make test`. Everything else is `make help`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RESIDENTS ?= 50000
SEED ?= 1
CITY ?= 28100

.PHONY: help demo test check bench lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## build a designated city and show it (RESIDENTS=3800000 for full size)
	$(BIN)/kiban demo --residents $(RESIDENTS) --seed $(SEED) --city $(CITY)

test: $(READY) ## run every check and test
	$(BIN)/pytest -n 2 --dist loadfile

check: $(READY) ## format, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## measure, at full size (RESIDENTS=… for another)
	$(BIN)/python -m bench --residents $(if $(filter command line,$(origin RESIDENTS)),$(RESIDENTS),3800000)

lock: $(READY) ## resolve the dependencies anew into requirements.lock
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	# scim2-models asks for pydantic[email], others for pydantic: pip wants to find both by their hashes.
	$(BIN)/python -c "import re, pathlib; f = pathlib.Path('requirements.lock'); s = f.read_text(); m = re.search(r'^pydantic==.*\n(?:    --hash.*\n)+', s, re.M)[0]; f.write_text(s.replace(m, m + m.replace('pydantic==', 'pydantic[email]==')))"

clean: ## stop the database and the pages, remove them, the demo's city and the environment
	-test -x $(BIN)/kiban && $(BIN)/kiban demo --stop
	-for home in .kiban .kiban/demo .kiban/bench/*; do \
		if test -e $$home/broker/broker.json; then KIBAN_HOME=$$home $(BIN)/kiban link broker down; fi; \
		if test -e $$home/postgres.json; then KIBAN_HOME=$$home $(BIN)/kiban db down; fi; done
	rm -rf $(VENV) .kiban

$(READY): requirements.lock pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
