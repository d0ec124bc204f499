# The two commands: `make demo` and `make test`. Each does what set-up is missing, and is quick the second time.
SHELL := /bin/bash
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

.PHONY: help demo test sanitize wheel setup lint format bench clean

help:
	@echo "make demo    set up, build, record a simulation and look at the run"
	@echo "make test    set up, build, run every test"
	@echo "make sanitize   build and run the C++ and command tests under the sanitizers: address, undefined; then thread"
	@echo "make wheel   build the wheel of the Python package into dist/"
	@echo "make lint    clang-format and clang-tidy over all files (make test: over the changed ones)"
	@echo "make format  format all C++ files"
	@echo "make bench   build and run the benchmarks"
	@echo "make clean   remove what was built (not what was downloaded)"

setup:
	@tools/setup

demo: setup
	cmake --preset release
	cmake --build --preset release --target crv_cli
	python=$$(tools/python_env.py demo) && \
	PATH="$(CURDIR)/build/release/apps/crv:$$PATH" "$$python" examples/mesa/demo.py

test: setup
	cmake --preset dev
	cmake --build --preset dev
	tools/python_env.py prepare
	ctest --preset dev --parallel $$(nproc)
	@echo "Python: tested with $$(tools/python_env.py versions | paste -sd' ')"

sanitize: setup
	set -e; for preset in asan tsan; do \
	  cmake --preset $$preset; \
	  cmake --build --preset $$preset --target crv_core_tests crv_io_tests crv_cli; \
	  ctest --preset $$preset --parallel $$(nproc); \
	done

wheel: setup
	cmake --preset release
	tools/python_env.py wheel

lint: setup
	cmake --preset dev
	python3 tools/lint.py --build build/dev --all

format: setup
	python3 tools/lint.py --fix-format

bench: setup
	cmake --preset bench
	cmake --build --preset bench
	build/bench/bench/crv_bench
	tools/python_env.py prepare
	"$$(tools/python_env.py path)" bench/python/cold_bench.py out
	"$$(tools/python_env.py path)" bench/python/scan_bench.py out
	"$$(tools/python_env.py path)" bench/python/rows_bench.py out

clean:
	rm -rf build
