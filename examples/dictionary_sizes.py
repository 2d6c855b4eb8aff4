"""How many features an explicit dictionary would have, by architecture and number of distinct inputs.

    python examples/dictionary_sizes.py [--inputs 10 100 1000 10000]

A Markdown table of the exact counts (for absolute values beyond depth 3: of the systems of equations whose
solutions are the features, an upper bound). Searching them takes no list of them.
"""

import argparse

from cvxar.architectures import Architecture, DeepNarrow, Parallel, Symmetrized, Tree, TwoLayer

SHAPES: dict[str, Architecture] = {
    "two layers, ReLU": TwoLayer("relu"),
    "two layers, absolute value": TwoLayer("abs"),
    "two layers, sign": TwoLayer("sign"),
    "deep narrow ReLU, any depth": DeepNarrow("relu"),
    "deep narrow leaky ReLU, depth 3": DeepNarrow("leaky_relu", 3),
    "deep narrow leaky ReLU, depth 4": DeepNarrow("leaky_relu", 4),
    "deep narrow absolute value, depth 3": DeepNarrow("abs", 3),
    "deep narrow absolute value, depth 4 (at most)": DeepNarrow("abs", 4),
    "symmetrised ReLU": Symmetrized(),
    "parallel sign, 4 units": Parallel("sign", (4,)),
    "tree sign, 3 x 2 units": Tree("sign", (3, 2)),
}


def shown(count: int) -> str:
    """A count, in full up to a million."""
    return f"{count:,}" if count < 10**6 else f"{float(count):.2e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, nargs="+", default=[10, 100, 1_000, 10_000, 100_000])
    inputs = parser.parse_args().inputs
    print("| architecture | " + " | ".join(f"n = {n:,}" for n in inputs) + " |")
    print("|:--" + "|--:" * len(inputs) + "|")
    for name, architecture in SHAPES.items():
        print(f"| {name} | " + " | ".join(shown(architecture.size(n)) for n in inputs) + " |")


if __name__ == "__main__":
    main()
