V := .venv/bin

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: .venv/stamp ## make .venv from pins.txt (again only when the pins change)

.venv/stamp: pins.txt
	python3 -m venv .venv
	$(V)/python -m pip install --quiet --require-hashes -r pins.txt
	$(V)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@
