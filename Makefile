# Everything from a fresh clone needs python3 (3.10 or newer, with venv), cargo and make only.

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
USABLE := $(VENV)/.usable
CARGO  := cargo
RUST   := kernels/Cargo.toml
MODEL  := assets/models/digits_mlp
BUILT_FROM := pyproject.toml .cargo/config.toml $(RUST) kernels/Cargo.lock \
    $(shell find kernels/verifier kernels/core kernels/binding -name '*.rs' -o -name Cargo.toml)

.PHONY: help
help:  ## say what there is to make
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: $(READY)  ## set up .venv and compile the kernels for this machine

# The checkout's Python files are used in place; the kernels are built again when their sources change.
$(READY): $(BUILT_FROM)
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@echo "Installing into $(VENV) and compiling the kernels (some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(USABLE)

# The package alone, without what tests and linters use.
$(USABLE): $(BUILT_FROM)
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@echo "Installing into $(VENV) and compiling the kernels (about two minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.PHONY: demo
demo: $(USABLE)  ## set up, prove and verify a small network that reads handwritten digits
	rm -rf demo
	$(BIN)/deepprove-dist setup $(MODEL)/model.onnx --calibration $(MODEL)/calibration.npz \
	    --score $(MODEL)/test.npz -o demo/keys
	$(BIN)/deepprove-dist prove demo/keys --input $(MODEL)/input.json --index 0 -o demo/proof
	$(BIN)/deepprove-dist verify demo/keys/verifying.key demo/proof

.PHONY: test
test: build test-rust test-python  ## run the tests of the kernels and of the package

.PHONY: test-rust
test-rust:
	@$(CARGO) test --quiet --locked --manifest-path $(RUST) --package deepprove-verifier --package deepprove-kernels

# Rust first, so that the last line is pytest's summary, whatever the number of jobs. A process for each core takes
# tests of whole files, and of other files when its own are done.
.PHONY: test-python
test-python: build | test-rust
	@$(BIN)/python -m pytest --quiet --numprocesses auto --dist worksteal

.PHONY: coverage
coverage: build  ## run the package's tests and require that they reach enough of its lines
	@$(BIN)/python -m pytest --quiet --numprocesses auto --dist worksteal --cov --cov-report term

.PHONY: mutants
mutants: build  ## change each check of the verifier and require that a test notices (an hour)
	@$(BIN)/python -m tests.mutation.run

.PHONY: lint
lint: build  ## check style, types, the kernels' stub, spelling, names and the Rust code's lints
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/stubtest --concise --allowlist tools/stubtest.allow deepprove_dist._kernels
	@$(BIN)/codespell
	@$(BIN)/python -m tools.check_names
	@$(CARGO) fmt --manifest-path $(RUST) --all --check
	@$(CARGO) clippy --quiet --locked --manifest-path $(RUST) --workspace --all-targets -- -D warnings
	@$(CARGO) check --quiet --locked --manifest-path kernels/fuzz/Cargo.toml --no-default-features --target-dir kernels/target

# Tools of the book, in the versions that it is written for; a folder of their own, which git ignores.
BOOK_TOOLS := .book-tools
MDBOOK_VERSION := 0.5.3
KATEX_VERSION := 0.10.0

.PHONY: docs
docs: $(BOOK_TOOLS)/bin/mdbook $(BOOK_TOOLS)/bin/mdbook-katex  ## build the book into book/ (the first time compiles its tools: minutes)
	@PATH="$(CURDIR)/$(BOOK_TOOLS)/bin:$$PATH" mdbook build docs

$(BOOK_TOOLS)/bin/mdbook:
	$(CARGO) install mdbook --version $(MDBOOK_VERSION) --locked --quiet --root $(BOOK_TOOLS)

$(BOOK_TOOLS)/bin/mdbook-katex:
	$(CARGO) install mdbook-katex --version $(KATEX_VERSION) --locked --quiet --root $(BOOK_TOOLS)

.PHONY: format
format: build  ## put Python and Rust sources into their format
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet
	@$(CARGO) fmt --manifest-path $(RUST) --all

.PHONY: bench
bench: build  ## measure the kernels, and proving of the demo's network
	$(CARGO) bench --quiet --locked --manifest-path $(RUST) --package deepprove-kernels
	$(BIN)/deepprove-dist bench $(MODEL)/model.onnx --calibration $(MODEL)/calibration.npz \
	    --input $(MODEL)/input.json --repeat 20

EXPORTER := bench/exporter
EXPORTED := $(addprefix bench/large/,resnet18 resnet50 mobilenet_v2)
LARGE    := $(addprefix bench/large/,vgg16 dense100m) $(EXPORTED)

.PHONY: bench-large
bench-large: build $(LARGE:=/calibration.npz)  ## measure large networks for the book (torch exports them; half an hour)
	@$(BIN)/python -m benchmarks.large $(LARGE) --output benchmarks/results
	@$(BIN)/python -m benchmarks.tables

# Samples are written last.
bench/large/vgg16/calibration.npz: | build
	@$(BIN)/python assets/scripts/vgg.py $(@D)

bench/large/dense100m/calibration.npz: | build
	@$(BIN)/python assets/scripts/dense.py --depth 7 --width 4096 $(@D)

$(EXPORTED:=/calibration.npz): | $(EXPORTER)/.ready
	@$(EXPORTER)/bin/python assets/scripts/exported.py $(notdir $(@D)) $(@D)

$(EXPORTER)/.ready:
	@echo "Installing what exports networks of torchvision into $(@D) ..."
	@python3 -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r assets/scripts/exported.txt
	@touch $@

# A wheel travels to other machines: x86-64-v3 is AVX2 and what came with it in 2013.
WHEEL_CPU := $(if $(filter x86_64,$(shell uname -m)),x86-64-v3,generic)

.PHONY: wheel
wheel: build  ## build a wheel for other machines of this architecture into dist/
	@RUSTFLAGS="-C target-cpu=$(WHEEL_CPU)" $(BIN)/maturin build --quiet --release --locked --out dist

.PHONY: constraints
constraints: build  ## pin again what the image of cluster/Dockerfile installs
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --upgrade --python-version 3.12 --python-platform linux --extra ray --extra serve \
	    --no-annotate --custom-compile-command "make constraints" \
	    pyproject.toml cluster/requirements.txt -o cluster/constraints.txt

.PHONY: test-hosts
test-hosts: wheel  ## bring up a cluster on hosts in network namespaces and lose one of them (root; minutes)
	$(BIN)/python -m pytest --quiet -m root tests/cluster -rs

.PHONY: faults
faults: build  ## inject faults into workers, Ray's control and a service (20 to 30 minutes; FAULT_SEED=1)
	$(BIN)/python -m pytest --quiet -m faults tests/faults -rs

.PHONY: peers
peers: build  ## install EZKL, which bench.py --run-ezkl compares with
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[ezkl]'

.PHONY: clean
clean:  ## remove everything that was made here
	rm -rf $(VENV) $(BOOK_TOOLS) book demo dist bench kernels/target deepprove_dist/_kernels*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
