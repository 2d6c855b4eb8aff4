"""Print the seconds of one exact search of every dictionary, by number of distinct inputs, and the growth.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/searches.py [--inputs 1000 10000 100000 500000]

The inputs are a sorted random walk, the dual vector the residual of the least-squares line through the next
steps of the walk (smooth: what a search meets in practice). The median of repeated searches, after one that
compiles; the growth is the slope of log seconds on log inputs. Absolute values of depth 5 and more are
enumerated: small data only.
"""

import argparse
import time

import numpy as np

from cvxar.architectures import BY_NAME, Architecture, DeepNarrow

SHAPES: dict[str, Architecture] = {
    **BY_NAME,
    "deep_leaky_relu, depth 4": DeepNarrow("leaky_relu", 4),
    "deep_abs, depth 4": DeepNarrow("abs", 4),
}


def walk(inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted distinct inputs and the residual of the next value's least-squares line, in their order."""
    values = np.cumsum(np.random.default_rng(0).normal(size=inputs + 1))
    order = np.argsort(values[:-1])
    x, y = values[:-1][order], values[1:][order]
    slope, level = np.polyfit(x, y, 1)
    residual = y - level - slope * x
    return x, residual - residual.mean()


def seconds(architecture: Architecture, inputs: int, repeat: int) -> float:
    """Median time of one search, the preparation of the dictionary included."""
    knots, dual = walk(inputs)
    limit = 0.5 * architecture.dictionary(knots).match(dual, np.inf).bound
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        architecture.dictionary(knots).match(dual, limit)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, nargs="+", default=[1_000, 10_000, 100_000, 500_000])
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print("| architecture | " + " | ".join(f"{n:,}, ms" for n in options.inputs) + " | growth |")
    print("|:--" + "|--:" * (len(options.inputs) + 1) + "|")
    for name, architecture in SHAPES.items():
        times = [seconds(architecture, n, options.repeat) for n in options.inputs]
        growth = np.polyfit(np.log(options.inputs), np.log(times), 1)[0]
        shown = " | ".join(f"{1e3 * t:.2f}" for t in times)
        print(f"| {name} | {shown} | {growth:.2f} |", flush=True)


if __name__ == "__main__":
    main()
