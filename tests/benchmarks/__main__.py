"""Benchmarks: `make bench` runs the short ones, `make bench ARGS=networks` those named, each with the words after it.

Each prints ratios of interleaved measurements, but for the widgets: what they take, beside their bars.
"""

import sys

from tests.benchmarks import imports, loop, networks, photographs, widgets

SHORT = {"loop": loop.main, "imports": imports.main, "widgets": widgets.main}
# Longer: minutes; over an hour, if no networks are named.
BENCHMARKS = {**SHORT, "photographs": photographs.main, "networks": networks.main}

if __name__ == "__main__":
    asked: dict[str, list[str]] = {}
    for word in sys.argv[1:] or SHORT:
        if word in BENCHMARKS:
            asked[word] = []
        elif "networks" in asked:
            asked["networks"].append(word)
        else:
            sys.exit(f"no benchmark {word}; there are {', '.join(BENCHMARKS)}")
    for name, words in asked.items():
        BENCHMARKS[name](*words)
