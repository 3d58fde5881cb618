# `make run` and `make test` do all set-up in .venv; a second call installs nothing.
bin := .venv/bin
stamp := .venv/.installed

.PHONY: run test torture torture-brief lint style types imports setup

run: setup
	$(bin)/substrate run scenarios/crossbar_danp.yaml

# A worker takes neighbouring tests, which share what they need, and helps the other at the end.
test: setup
	$(bin)/pytest -n 2 --dist worksteal

# What strangers, full disks and kill signals do; not part of the tests, since it takes long.
torture: setup
	$(bin)/python -m tests.torture.scenarios --count 50000
	$(bin)/python -m tests.torture.data_files --count 1000
	$(bin)/python -m tests.torture.damages 200
	$(bin)/python -m tests.torture.stops 50
	$(bin)/python -m tests.torture.studies 10
	$(bin)/python -m tests.torture.wire faults
	$(bin)/python -m tests.torture.wire fuzz
	$(bin)/python -m tests.torture.mutants

# A part of the same that CI runs: about eight minutes of one core (six were measured without
# gong_2018, whose updates take 4 s a mutant). Of the kit's mutants it leaves
# out those of aihwkit chips, which take longest.
torture-brief: setup
	$(bin)/python -m tests.torture.scenarios --count 12000
	$(bin)/python -m tests.torture.data_files --count 600
	$(bin)/python -m tests.torture.damages 50
	$(bin)/python -m tests.torture.stops 40
	$(bin)/python -m tests.torture.wire fuzz --count 2000
	$(bin)/python -m tests.torture.mutants --without aihwkit --part 3

lint: style types imports

style: setup
	$(bin)/ruff check
	$(bin)/ruff format --check

types: setup
	$(bin)/mypy

imports: setup
	$(bin)/lint-imports --no-logo

setup: $(stamp)

# A pyenv shim may exist without its interpreter, and Debian ships Python without ensurepip:
# so every candidate is tried, not merely looked up.
$(stamp): pyproject.toml
	@suits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'; \
	if $(bin)/python -c "$$suits" 2>/dev/null; then exit 0; fi; \
	for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if $$python -c "$$suits" 2>/dev/null; then \
	        echo "Making .venv with $$($$python --version)"; \
	        exec $$python -m venv --clear .venv; \
	    fi; \
	done; \
	echo "substrate needs Python 3.11, 3.12 or 3.13 with its venv module, and found none:" >&2; \
	echo "install one (on Debian and Ubuntu: python3 and python3-venv), or name one: make setup PYTHON=/path/to/python3.12" >&2; \
	exit 1
	@echo "Installing torch, aihwkit and the rest into .venv: a few minutes, and about 6 GB of disk."
	@echo "pip prints each package as it comes; after \"Installing collected packages\" it is silent for a minute or two."
	$(bin)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $@
