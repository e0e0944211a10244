# Every target installs what it needs into a virtual environment of its own; CI runs these same targets.

PYTHON ?= python3
DEMO = .venv-demo
DEV = .venv
KERNELS = .venv-kernels
# Tests on JAX with XLA's optimizations, which the others do without: they take most of a test's time
AS_USERS = tests/test_fast_jax.py tests/test_linear_jax.py

.PHONY: help demo test check bench docs examples format constraints clean

help:  ## show the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: $(DEMO)/installed  ## compare three losses on handwritten digits (Keras on JAX)
	$(DEMO)/bin/losslab compare

test: $(DEV)/installed $(KERNELS)/installed  ## run every test on NumPy, PyTorch, JAX and TensorFlow
	$(DEV)/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(AS_USERS:%=--ignore=%)
	XLA_FLAGS= $(DEV)/bin/python -m pytest --numprocesses 2 $(AS_USERS)
	$(KERNELS)/bin/python -m pytest --numprocesses 2 tests/test_triton_rows.py src/losslab/_linear/_triton_rows.py

check: $(DEV)/installed  ## formatting, lint and types
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy

bench: $(DEV)/installed  ## speed and memory against peers, measured in one run (twenty minutes, idle)
	$(DEV)/bin/python benchmarks/bench.py

docs: $(DEV)/installed  ## build the documentation into site/
	$(DEV)/bin/python docs/generate.py
	$(DEV)/bin/mkdocs build --strict --quiet

EXAMPLES = mse_three_ways cross_entropy_by_hand names_to_losses objective sparse_or_categorical \
	mnist_focal_compile mnist_focal_custom_loop learning_rate_artefact own_model published_results \
	juice_sales cifar10_losses

examples: $(DEV)/installed  ## run every example in full, on real data (CIFAR-10: half an hour)
	for script in $(EXAMPLES); do $(DEV)/bin/python examples/$$script.py || exit 1; done

format: $(DEV)/installed  ## format and fix what can be fixed
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

constraints: $(DEV)/installed $(KERNELS)/installed  ## pin the versions that are installed now
	(sed -n 1p requirements/constraints.txt; $(DEV)/bin/pip freeze --exclude-editable | sed 's/+cpu$$//'; \
		$(KERNELS)/bin/pip freeze | grep ^triton=) > requirements/new
	mv requirements/new requirements/constraints.txt

clean:  ## remove the virtual environments and everything built
	rm -rf $(DEMO) $(DEV) $(KERNELS) site docs/losses .mypy_cache .pytest_cache .ruff_cache

$(DEMO)/installed: pyproject.toml requirements/constraints.txt
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/pip install --quiet --constraint requirements/constraints.txt --editable ".[lab]"
	touch $@

$(DEV)/installed: pyproject.toml requirements/constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/pip install --quiet --constraint requirements/constraints.txt --editable ".[test,check,docs,bench]"
	touch $@

# Triton and TensorFlow in one environment: torch.compile imports Triton after TensorFlow, and the process dies
$(KERNELS)/installed: pyproject.toml requirements/constraints.txt
	$(PYTHON) -m venv $(KERNELS)
	$(KERNELS)/bin/pip install --quiet --constraint requirements/constraints.txt --editable ".[test-kernels]"
	touch $@
