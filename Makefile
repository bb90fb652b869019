# The commands of this project. `make run` and `make test` install what they need into .venv; a second time takes seconds.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
CODE := market merchants cards api bench tests alembic
# The compiled requirements name everything, so nothing is resolved: a release of tomorrow changes no install of today.
# A stamp is named after what it was made from: changed requirements mean a new install, nothing else does.
RUN_STAMP := .venv/run-$(shell cat requirements/run.txt pyproject.toml | cksum | cut -d' ' -f1)
DEV_STAMP := .venv/dev-$(shell cat requirements/dev.txt pyproject.toml | cksum | cut -d' ' -f1)

PROCESSES := -n 2

# Compiled modules are kept: without them every process that the tests start compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run install test check fix bench prove coverage lock clean
.DELETE_ON_ERROR:

run: $(RUN_STAMP)
	@exec $(BIN)/huigong run

# The command alone, .venv/bin/huigong: enough to audit a record that somebody else serves.
install: $(RUN_STAMP)

test: check | chromium
	$(BIN)/pytest $(PROCESSES)

check: $(DEV_STAMP)
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/ruff check $(wildcard $(CODE))
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --check --quiet

fix: $(DEV_STAMP)
	$(BIN)/ruff check --fix $(wildcard $(CODE))
	$(BIN)/ruff format $(wildcard $(CODE))
	$(BIN)/djlint templates --reformat --quiet

bench: $(DEV_STAMP)
	$(BIN)/python -m bench

prove: $(DEV_STAMP) | chromium
	HUIGONG_PROVE=1 $(BIN)/pytest $(PROCESSES) -m prove

# Which lines and branches the tests of the code itself reach; the tests through Chromium are left out.
coverage: $(DEV_STAMP)
	$(BIN)/pytest $(PROCESSES) --ignore tests/browser --cov --cov-report=term

# Newer versions of everything, within what the .in files allow; look at the difference before committing it.
lock: $(DEV_STAMP)
	$(BIN)/pip-compile --version >/dev/null 2>&1 || $(PIP) pip-tools
	cd requirements && for name in run dev; do CUSTOM_COMPILE_COMMAND="make lock" ../$(BIN)/pip-compile --quiet --upgrade \
	  --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  -o $$name.txt $$name.in || exit 1; done

clean:
	rm -rf .venv build artefacts *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -prune -exec rm -rf {} +

$(RUN_STAMP): | .venv/bin/pip
	@echo "Installing what Huigong needs into .venv (the first time takes a minute or two)"
	$(PIP) --require-hashes --no-deps -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --no-index -e .
	@rm -f .venv/run-*; touch $@

$(DEV_STAMP): | .venv/bin/pip
	@echo "Installing what the checks and tests need into .venv"
	$(PIP) --require-hashes --no-deps -r requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --no-index -e .
	@rm -f .venv/dev-* .venv/run-*; touch $@ $(RUN_STAMP)

.venv/bin/pip:
	$(PYTHON) -m venv .venv

# The browser tests drive Debian's own Chromium; the CJK font lets the pages be judged as people see them.
.PHONY: chromium
chromium:
	@if command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing chromium and a Chinese font"; \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fontconfig fonts-noto-cjk; \
	else \
	  echo "The browser tests need Chromium and a Chinese font. As root: apt-get install chromium fontconfig fonts-noto-cjk"; exit 1; \
	fi
	@command -v chromium-headless-shell >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium-headless-shell; } || \
	  echo "Without chromium-headless-shell the browser tests take half as long again: they drive the whole browser."
