# What a contributor does here; `make` alone lists it. Each target sets up what it needs, once.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/made
RUST_SOURCES := $(shell find rust -path rust/fuzz -prune -o '(' -name '*.rs' -o -name Cargo.toml ')' -print) Cargo.toml Cargo.lock
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
CROSS := x86_64-pc-windows-msvc x86_64-pc-windows-gnu aarch64-apple-darwin x86_64-apple-darwin aarch64-unknown-linux-gnu
# No C is compiled for another system, and no Python asked about itself: types alone are checked.
CROSS_CHECK := TURBOJPEG_SOURCE=explicit TURBOJPEG_LIB_DIR=$(CURDIR) TURBOJPEG_INCLUDE_DIR=$(CURDIR) PYO3_NO_PYTHON=1 \
  cargo clippy --workspace --all-targets --locked --quiet --target-dir target/cross
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

.PHONY: cross
cross: ## Check the Rust code for Windows, macOS and ARM (rustup target add TARGET, else one is left out aloud)
	@for target in $(CROSS); do \
	  if rustup target list --installed | grep -qx "$$target"; then \
	    echo "checking for $$target"; $(CROSS_CHECK) --target "$$target" -- -D warnings || exit 1; \
	  else echo "NOT CHECKED for $$target, which is not installed: rustup target add $$target"; fi; \
	done

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

SECONDS_EACH := 600

.PHONY: fuzz
fuzz: setup ## Hostile bytes for every reader, SECONDS_EACH=600 each, under ASan (needs nightly Rust and cargo-fuzz)
	test -d $(VENV)/fuzz || $(BIN)/python -m pip install --no-deps --target $(VENV)/fuzz atheris
	rust/fuzz/run.sh $(SECONDS_EACH)
	$(BIN)/python tests/fuzz/run.py $(SECONDS_EACH)

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf $(VENV) target demo .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis python/pixelfast/_core*.so
	rm -rf rust/fuzz/target rust/fuzz/grown rust/fuzz/artifacts

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
	test $(MADE)/packages -ot $@ && test Cargo.toml -ot $@ || $(BIN)/maturin develop --release --quiet
	touch $@

.PHONY: FORCE
FORCE:
