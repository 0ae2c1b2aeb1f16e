# What a contributor does here; `make` alone lists it. Each target sets up what it needs, once.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/made
RUST_SOURCES := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
EXTENSION := $(wildcard python/pixelfast/_core*.so)

# cmake, which builds the JPEG decoder, comes into the virtual environment from PyPI; PyO3 asks `python` about itself.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_QUIET := 1

CARGO_TEST := cargo test --release --workspace --locked
CARGO_TEST_WITHOUT := cargo test --release --locked --package pixelfast-core --no-default-features --lib
CLIPPY := cargo clippy --release --workspace --all-targets --locked --quiet -- -D warnings
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal
BENCH := $(BIN)/python -m pytest benches --every-gate --benchmark-columns=min,median,rounds --benchmark-sort=fullname

.PHONY: help
help: ## List the targets
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-14s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## Make .venv with everything in it and build the extension in release mode (once; again only what changed)
	@$(MAKE) --no-print-directory --silent -j2 $(MADE)/installed

.PHONY: demo
demo: setup ## Train on a generated scene, score it, say where the results lie
	$(BIN)/pixelfast demo

.PHONY: test
test: setup ## Run every Rust and Python test
	$(CARGO_TEST)
	$(CARGO_TEST_WITHOUT)
	$(PYTEST)

.PHONY: check
check: ## What CI runs: format, lint, types, tests, bench gates
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory -j2 lint types
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory bench-gates

.PHONY: lint
lint: setup ## Complain about format and lint, change nothing
	cargo fmt --check
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(CLIPPY)

.PHONY: format
format: setup ## Format Rust and Python, and mend what ruff can
	cargo fmt
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: types
types: setup ## mypy --strict, and the extension's stub against the built module
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest pixelfast._core

.PHONY: screenshots
screenshots: demo ## The pictures in docs/, of the page that the demo writes (needs Chromium)
	$(BIN)/python docs/screenshots.py demo/report.html

.PHONY: bench
bench: setup ## Benches at full size, with their gates; writes docs/benchmarks.md and its chart
	$(BENCH) --benchmark-autosave --report docs/benchmarks.md

.PHONY: bench-gates
bench-gates: setup ## Benches in short form: fails where pixelfast got slower than benches/gates.toml allows
	$(BENCH) --short

.PHONY: bench-ratchet
bench-ratchet: setup ## Benches at full size; raises the figures in benches/gates.toml to what was measured
	$(BENCH) --benchmark-autosave --ratchet

.PHONY: long
long: setup ## The tests that take minutes
	$(PYTEST) -m long

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf $(VENV) target demo .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis python/pixelfast/_core*.so

# Set-up. Stamps lie in .venv, so that they go with it. Packages and the extension are made side by side: the one
# mostly waits for the disk, the other for the compiler.
$(MADE)/tools:
	command -v cargo >/dev/null || { echo "pixelfast needs a Rust toolchain (cargo was not found): see https://rustup.rs"; exit 1; }
	command -v cc >/dev/null || { echo "pixelfast needs a C compiler (cc was not found): on Debian, apt-get install gcc"; exit 1; }
	command -v nasm >/dev/null || { \
	  echo "nasm was not found: libjpeg-turbo is built without SIMD, which halves the speed of decoding colour frames. To get it:"; \
	  echo "apt-get install nasm (Debian), dnf install nasm (Fedora), brew install nasm (macOS); then make clean setup."; }
	test -x $(BIN)/python || { \
	  for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; done; \
	  test -n "$$python" || { echo "pixelfast needs Python 3.11 or newer, and none was found: install one, or name it: make setup PYTHON=/path/to/python"; exit 1; }; \
	  echo "Making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV); }
	mkdir -p $(MADE)
	$(BIN)/python -m pip install maturin cmake
	touch $@

REQUIREMENTS := import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; x = p["optional-dependencies"]; \
  print(*(r for r in p["dependencies"] + x["train"] + x["cpu"] + x["quantize"] + x["tensorrt-rtx"] + x["report"] + x["ray"] + x["dev"] if not r.startswith("pixelfast[")), sep="\n")

$(MADE)/packages: pyproject.toml constraints.txt | $(MADE)/tools
	echo "Installing packages (PyTorch is large: this takes minutes, once)"
	$(BIN)/python -c '$(REQUIREMENTS)' >$(MADE)/requirements.txt
	$(BIN)/python -m pip install -r $(MADE)/requirements.txt
	touch $@

$(MADE)/extension: $(RUST_SOURCES) $(if $(EXTENSION),,FORCE) | $(MADE)/tools
	echo "Building the extension in release mode"
	$(BIN)/maturin develop --release --skip-install --quiet
	touch $@

# Registers the package (an editable install); the extension is built by then, so that this takes seconds.
$(MADE)/installed: $(MADE)/packages $(MADE)/extension
	test $(MADE)/packages -ot $@ || $(BIN)/maturin develop --release --quiet
	touch $@

.PHONY: FORCE
FORCE:
