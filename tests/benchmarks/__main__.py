"""Benchmarks: `make bench` runs all, `make bench ARGS=loop` one. Each prints ratios of interleaved measurements."""

import sys

from tests.benchmarks import imports, loop

BENCHMARKS = {"loop": loop.main, "imports": imports.main}

if __name__ == "__main__":
    if unknown := set(sys.argv[1:]) - set(BENCHMARKS):
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
