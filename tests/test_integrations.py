"""Networks handed to other libraries compute what they compute here."""

import copy
import io

import numpy as np
import pytest
from problems import ARCHITECTURES, most_inputs

from cvxar import LassoProblem, solve
from cvxar.errors import InputError


def trained(architecture, columns=2, skip=True):
    """A network on a noisy bend, or on steps, far from the origin, with some units in every column."""
    rng = np.random.default_rng(3)
    n = min(2 * most_inputs(architecture), 24)
    x = 50.0 + np.round(10 * rng.normal(size=(n, columns)), 1)[: most_inputs(architecture)]
    y = np.sum(np.abs(x - 50) + 6 * (x > 53), axis=1) + rng.normal(size=len(x))
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip)
    return solve(problem.with_beta(0.05 * problem.beta_max), tol=1e-6).network


def grid(network):
    """Points beyond the data on both sides, and every breakpoint itself."""
    kinks = [b.location for b in network.breakpoints]
    line = np.concatenate([np.linspace(-50.0, 150.0, 400), kinks, [0.0]])
    rng = np.random.default_rng(0)
    return np.column_stack([rng.permutation(line) for _ in range(network.n_columns)])


def torch_map(network, tmp_path):
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    module = network.to_torch()
    return lambda x: module(torch.from_numpy(x)).detach().numpy()


def onnx_map(network, tmp_path):
    pytest.importorskip("onnx", reason="the onnx extra is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network.to_onnx(tmp_path / "network.onnx")
    session = runtime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


EXPORTS = {"torch": torch_map, "onnx": onnx_map}


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_an_exported_network_is_the_same_map_beyond_the_data(export, architecture, tmp_path):
    network = trained(architecture)
    assert len({f.column for f in network.point.features}) == 2
    x = grid(network)
    found = EXPORTS[export](network, tmp_path)(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, network(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("export", EXPORTS)
def test_a_network_without_units_is_exported_as_its_line(export, tmp_path):
    problem = LassoProblem([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 4.0, 7.0], beta=1.0, skip=True)
    network = solve(problem.with_beta(2 * problem.beta_max)).network
    assert network.n_units == 0
    x = np.array([[-5.0], [0.0], [9.0]])
    np.testing.assert_allclose(EXPORTS[export](network, tmp_path)(x), [-8.6, 0.9, 18.0], atol=1e-9)


def test_a_module_can_be_saved_copied_and_trained_on_without_touching_the_network():
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    network = trained(ARCHITECTURES[0])
    module, x = network.to_torch(), torch.from_numpy(grid(network))
    before = network(x.numpy())
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    for other in (copy.deepcopy(module), torch.load(file, weights_only=False)):
        assert torch.equal(other(x), module(x))
    torch.nn.functional.mse_loss(module(x), torch.zeros(len(x), dtype=x.dtype)).backward()
    assert all(p.grad.abs().sum() > 0 for p in (*module.weights, *module.biases, module.outer, module.linear))
    with torch.no_grad():
        module.outer += 1.0
    np.testing.assert_array_equal(network(x.numpy()), before)


@pytest.mark.parametrize(("package", "export"), [("torch", "to_torch"), ("onnx", "to_onnx")])
def test_a_missing_package_is_an_error_that_says_what_to_install(package, export, monkeypatch):
    monkeypatch.setattr("cvxar.integrations.blueprint.find_spec", lambda name: None)
    network = trained(ARCHITECTURES[0])
    arguments = ["no-such-folder/network.onnx"] if package == "onnx" else []
    with pytest.raises(InputError, match=rf'pip install "cvxar\[{package}\]"'):
        getattr(network, export)(*arguments)


def test_an_onnx_path_that_cannot_be_written_is_refused():
    pytest.importorskip("onnx", reason="the onnx extra is not installed")
    with pytest.raises(InputError, match="cannot write"):
        trained(ARCHITECTURES[0]).to_onnx("no/such/folder/network.onnx")
