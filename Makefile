PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# rim-nmt with the code of this folder, whichever clone the environment belongs to
RIM_NMT := $(BIN)/python -m rim_nmt

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 22

install: ## install everything into .venv (about 3 minutes, once)
	@scripts/install.sh "$(PYTHON)" "$(VENV)"

demo: install ## generate a corpus, train a RIM on it, score it, translate (minutes)
	@$(RIM_NMT) demo

demo-compare: install ## the same, with the LSTM twin beside it
	@$(RIM_NMT) demo --compare

# one thread in each of pytest's processes: several would wait for each other on the same cores
test: install ## run the tests on all cores (the slow ones: make test ARGS="-m slow")
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

test-machines: install ## run them as other machines would (ARGS="NAME ..."; most of an hour)
	$(BIN)/python scripts/test_machines.py $(ARGS)

lint: install ## check the code with ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install ## measure the speed of layers and models against LSTM and Transformer (6 minutes)
	$(BIN)/python -m benchmarks.layers
	$(BIN)/python -m benchmarks.models

clean: ## remove what the demo made (in data/demo, data/demo-text and runs/demo)
	@if [ -x $(BIN)/python ]; then $(RIM_NMT) demo --clean; fi

.PHONY: help install demo demo-compare test test-machines lint bench clean
