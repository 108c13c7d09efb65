# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
BIN := .venv/bin
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM = false

help: ## show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local]'
	touch $@

.venv/dev: .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/demo ## caption and classify the sample pictures, and show the conversations
	$(BIN)/python -m socratic.pocket demo -o demo

test: .venv/dev lint types ## run everything that CI runs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

browser: .venv/dev ## install a Chromium (Debian, as root) and try the page in it
	command -v chromium || { apt-get update && apt-get install -y chromium; }
	$(BIN)/python -m pytest tests/test_web_browser.py

lint: .venv/dev ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev ## check types
	$(BIN)/mypy

format: .venv/dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

scores: .venv/dev ## draw unseen scenes, score the pocket models, write pocket/SCORES.md
	$(BIN)/python -m socratic.pocket score

pages: .venv/demo ## run the commands on the pages of docs/recipes anew
	$(BIN)/python docs/rerun.py

examples: .venv/dev ## run the example experiments, write their reports, and print the figures of examples/README.md
	$(BIN)/python examples/rerun.py -o runs

.PHONY: help demo test browser lint types format scores pages examples
