"""Absolute-value networks of depth 3 and 4: reflections of the data, against Adam on the same network.

    python examples/reflections.py [--seeds 8] [--steps 12000] [--plot reflections.png]

Eleven points of two folded lines, no point at some of the folds: the network of least objective finds
these folds, at reflections R(a, b) = 2 b - a of data points, nested at depth 4. The non-convex objective
is

    1/2 |y - f|^2 + beta / L * sum over units of (|outer|^L + sum over layers of |weight|^L)

with parallel units of depth L, f their sum and a free constant. It is minimised by Adam from several
random starts with 12 units (more than the optimum has), and by cvxar, which proves its value; a ratio
below 1 would be a counterexample to the theory. Picture: the certified networks with the points that were
mirrored, and the fit of every start.
"""

import argparse
import time

import numpy as np
import pandas as pd

from cvxar import LassoProblem, Solution, architectures, plots, solve
from cvxar.figures import COLOURS, new_grid

X = np.array([0.0, 1.0, 2.0, 2.7, 3.4, 4.0, 4.6, 5.6, 6.3, 7.9, 9.0])
FOLDS = {3: (4.0, 3.0), 4: (4.0, 2.0, 1.0)}  # the points are taken from ||x - 4| - 3| and |||x - 4| - 2| - 1|
BETA_RATIO = 1e-3
UNITS = 12
RATE, DECAY = 0.1, (0.9, 0.999)  # of Adam, its step falling to zero along a cosine


def target(depth: int, x: np.ndarray) -> np.ndarray:
    for bias in FOLDS[depth]:
        x = np.abs(x - bias)
    return x


def certified(depth: int) -> Solution:
    problem = LassoProblem(X, target(depth, X), beta=0.0, architecture=architectures.DeepNarrow("abs", depth))
    return solve(problem.with_beta(BETA_RATIO * problem.beta_max))


class Chains:
    """Parallel chains of absolute values from many random starts, trained side by side."""

    def __init__(self, depth: int, beta: float, y: np.ndarray, seeds: int) -> None:
        rng = np.random.default_rng(0)
        shape = (depth, seeds, UNITS)
        self.depth, self.beta, self.y = depth, beta, y
        # weights of the layers, the outer one last; biases; one constant a start
        self.weights = rng.normal(size=shape)
        self.biases = rng.normal(size=(depth - 1, seeds, UNITS)) * np.abs(X).mean()
        self.constant = np.full(seeds, y.mean())

    def layers(self, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Inputs of every layer, (starts, units, n), and the signs of what the absolute value is taken of."""
        inputs, signs = [np.broadcast_to(x, (*self.weights.shape[1:], len(x)))], []
        for weight, bias in zip(self.weights[:-1], self.biases, strict=True):
            before = weight[..., None] * inputs[-1] + bias[..., None]
            signs.append(np.sign(before))
            inputs.append(np.abs(before))
        return inputs, signs

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Fits (starts, n)."""
        last = self.layers(x)[0][-1]
        return np.einsum("su,sun->sn", self.weights[-1], last) + self.constant[:, None]

    def objective(self) -> np.ndarray:
        """The training objective of every start."""
        penalty = np.sum(np.abs(self.weights) ** self.depth, axis=(0, 2)) / self.depth
        return np.sum((self.y - self(X)) ** 2, axis=1) / 2 + self.beta * penalty

    def gradient(self) -> list[np.ndarray]:
        """Derivatives by weights, biases and constants."""
        inputs, signs = self.layers(X)
        residual = self(X) - self.y
        weights = self.beta * np.sign(self.weights) * np.abs(self.weights) ** (self.depth - 1)
        biases = np.zeros_like(self.biases)
        weights[-1] += np.einsum("sn,sun->su", residual, inputs[-1])
        back = residual[:, None, :] * self.weights[-1][..., None]
        for i in reversed(range(self.depth - 1)):
            back = back * signs[i]
            weights[i] += np.sum(back * inputs[i], axis=2)
            biases[i] = back.sum(axis=2)
            back = back * self.weights[i][..., None]
        return [weights, biases, residual.sum(axis=1)]

    def train(self, steps: int) -> None:
        """Adam on all data at every step."""
        parts = [self.weights, self.biases, self.constant]
        first, second = ([np.zeros_like(p) for p in parts] for _ in range(2))
        for step in range(1, steps + 1):
            rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
            for part, slope, mean, square in zip(parts, self.gradient(), first, second, strict=True):
                mean += (1 - DECAY[0]) * (slope - mean)
                square += (1 - DECAY[1]) * (slope**2 - square)
                scaled = np.sqrt(square / (1 - DECAY[1] ** step)) + 1e-12
                part -= rate * mean / (1 - DECAY[0] ** step) / scaled


def trained(solution: Solution, depth: int, seeds: int, steps: int) -> Chains:
    chains = Chains(depth, solution.problem.beta, solution.problem.y, seeds)
    chains.train(steps)
    return chains


def report(depth: int, solution: Solution, chains: Chains, seconds: float) -> dict[str, float]:
    """Print the breakpoints; return how the objectives compare."""
    print(f"depth {depth}: {solution.certificate}")
    for b in solution.network.breakpoints:
        print(f"  {b.location:8.4g}  slope change {b.slope_change:8.4g}  {b.label:22s} {b.formula}")
    ratio = chains.objective() / solution.certificate.primal
    return {
        "depth": depth,
        "units": len(solution.coef),
        "optimum": solution.certificate.primal,
        "smallest": ratio.min(),
        "median": float(np.median(ratio)),
        "largest": ratio.max(),
        "seconds a start": seconds / len(ratio),
        "convex seconds": solution.seconds,
    }


def draw(found: dict[int, tuple[Solution, Chains]]):
    grid = new_grid(None, (2, len(found)), (14.0, 11.0))
    for (depth, (solution, chains)), (above, below) in zip(found.items(), grid.T, strict=True):
        problem = solution.problem
        plots.plot_network(solution.network, problem.x, problem.y, name="y", ax=above)
        above.set_title(f"depth {depth}, certified optimum", fontsize=10)
        at = np.linspace(X[0], X[-1], 600)
        below.plot(at, chains(at).T, color=COLOURS[1], linewidth=0.8, alpha=0.7)
        below.plot(at, solution.network(at), color=COLOURS[0], linewidth=1.8, label="certified optimum")
        below.plot([], [], color=COLOURS[1], label=f"Adam, {len(chains.constant)} random starts")
        below.plot(X, problem.y, "o", color="black", label="data")
        below.legend(fontsize=8)
        below.grid(alpha=0.25)
        below.set(xlabel="x", ylabel="y")
        above.set_xlabel("x")
    return grid[0, 0].figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8, help="random starts of Adam")
    parser.add_argument("--steps", type=int, default=12000, help="steps of Adam")
    parser.add_argument("--plot", default="reflections.png", help="save the picture here")
    options = parser.parse_args()
    plots.check_figure_file(options.plot)
    certified(3)  # compile outside the timing
    found, rows = {}, []
    for depth in FOLDS:
        solution = certified(depth)
        started = time.perf_counter()
        chains = trained(solution, depth, options.seeds, options.steps)
        rows.append(report(depth, solution, chains, time.perf_counter() - started))
        found[depth] = solution, chains
    print(f"objective / certified optimum over {options.seeds} starts of Adam, {options.steps} steps each")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.6g}".format))
    plots.save_figure(lambda: draw(found), options.plot)


if __name__ == "__main__":
    main()
