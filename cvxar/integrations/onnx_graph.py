"""A trained network as an ONNX graph in double precision. The only file that imports onnx."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cvxar._typing import Array
from cvxar.activations import Activation, Homogeneous
from cvxar.integrations.blueprint import Blueprint

# the first operator set in which every operator used here takes double precision, and the format of its day
OPSET, IR_VERSION = 17, 8


@dataclass
class Graph:
    """Operators and constants of a graph in the making."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def apply(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add an operator; return the name of its result."""
        from onnx import helper

        result = name or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def constant(self, values: Any) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def write_onnx(blueprint: Blueprint, path: Path) -> None:
    """Write the graph: input ``x`` (n, p), output ``y`` (n,), both double; n is free.

    Units are stacked along the first axis, so that one batched product serves each layer.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = Graph()
    total = _linear_part(graph, blueprint)
    if len(blueprint.outer):
        total = graph.apply("Add", total, _units(graph, blueprint))
    graph.apply("Identity", total, name="y")
    shapes = ("x", ["n", len(blueprint.linear)]), ("y", ["n"])
    given, made = (helper.make_tensor_value_info(n, TensorProto.DOUBLE, shape) for n, shape in shapes)
    model = helper.make_model(
        helper.make_graph(graph.nodes, "cvxar", [given], [made], graph.constants),
        producer_name="cvxar",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _linear_part(graph: Graph, blueprint: Blueprint) -> str:
    product = graph.apply("MatMul", "x", graph.constant(blueprint.linear))
    return graph.apply("Add", product, graph.constant(np.array(blueprint.bias)))


def _units(graph: Graph, blueprint: Blueprint) -> str:
    """Return the name of the weighted sum of the units, (n,)."""
    by_column = graph.apply("Transpose", "x", perm=[1, 0])
    read = graph.apply("Gather", by_column, graph.constant(blueprint.columns.astype(np.int64)), axis=0)
    hidden = graph.apply("Unsqueeze", read, graph.constant(_axes([2])))  # (k, n, 1)
    for weight, bias in blueprint.hidden:
        product = graph.apply("MatMul", hidden, graph.constant(weight.transpose(0, 2, 1)))
        hidden = _activate(
            graph, blueprint.sigma, graph.apply("Add", product, graph.constant(bias[:, None, :]))
        )
    flat = graph.apply("Squeeze", hidden, graph.constant(_axes([2])))  # (k, n)
    return graph.apply("MatMul", graph.constant(blueprint.outer), flat)


def _activate(graph: Graph, sigma: Activation, name: str) -> str:
    zero = graph.constant(np.array(0.0))
    if not isinstance(sigma, Homogeneous):
        high = graph.apply("GreaterOrEqual", name, zero)
        return graph.apply("Where", high, graph.constant(np.array(1.0)), graph.constant(np.array(sigma.low)))
    # max and min rather than LeakyRelu, which runtimes offer in single precision only
    upper = graph.apply("Max", name, zero)
    lower = graph.apply("Min", name, zero)
    slope = graph.constant(np.array(sigma.negative_slope))
    return graph.apply("Add", upper, graph.apply("Mul", lower, slope))


def _axes(axes: Sequence[int]) -> Array:
    return np.array(axes, dtype=np.int64)
