"""How long `import cnnlib` takes, as a multiple of `import torch`."""

import subprocess
import sys
import time
from functools import partial
from statistics import median

from tests.benchmarks.rounds import ratio, rounds


def seconds(module: str) -> float:
    """Seconds of a fresh interpreter that imports it."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the ratio."""
    times = rounds({module: partial(seconds, module) for module in ("torch", "cnnlib", "cnnlib.training")})
    print("imports, seconds of a fresh interpreter, median of nine")
    for module, values in times.items():
        print(f"    {module:<16}{median(values):6.2f}   {ratio(values, times['torch'])} times torch")
