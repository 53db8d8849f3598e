# The course's commands. Each sets up what it needs in .venv; after the first time none of them needs a network.
#   make lab     open the course in JupyterLab        (make lab ARGS="--no-browser --port 9000")
#   make site    the chapters as pages with a search  (make site ARGS="--folder public")
#   make test    prove it: pytest --nbval             (make test ARGS="-k training")
PYTHON ?= python3
# Said first, so that the exact versions of the recorded runs are taken; any within pyproject.toml's bounds will do.
TORCH ?= torch==2.13.0 torchvision==0.28.0
EXTRAS ?=
ARGS ?=
VENV = .venv
BIN = $(VENV)/bin

.PHONY: lab test check sync slides site student instructor bench clean

lab: $(VENV)/ready
	cd chapters && ../$(BIN)/jupyter lab --ServerApp.root_dir=. $(ARGS)

test: $(VENV)/ready
	$(BIN)/pytest --nbval $(ARGS)

# Before every commit: lint, pairs, notebooks, units, golden numbers. No chapter is run, no browser started; what is
# marked slow, the other tests of single networks, exercises that train, and the rules that lint has just tried are left
# to make test.
check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m cnnlib lint
	OMP_NUM_THREADS=1 $(BIN)/pytest tests -q -n 2 -m "not browser and not torchvision and not slow" \
	  -k "not rescue and not slim and not own_mobile and not tiny_nin and not entrant and not every_mistake" \
	  --ignore-glob="tests/models/test_[!gs]*" --ignore=tests/chapters $(ARGS)

sync: $(VENV)/ready
	$(BIN)/python -m cnnlib sync $(ARGS)

slides: $(VENV)/ready
	$(BIN)/python -m cnnlib slides $(ARGS)

site: $(VENV)/ready
	$(BIN)/python -m cnnlib site $(ARGS)

student instructor: $(VENV)/ready
	$(BIN)/python -m cnnlib copy $@ $(ARGS)

bench: $(VENV)/ready
	$(BIN)/python -m tests.benchmarks $(ARGS)

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(TORCH)
	$(BIN)/python -m pip install -e ".$(EXTRAS)"
	touch $@

clean:
	rm -rf $(VENV) build
