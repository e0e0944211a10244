"""Constraints: Keras' values, names and parameters. What they share with regularizers is in test_weight_functions."""

import collections
import dataclasses
import inspect

import jax
import keras
import numpy as np
import pytest

import losslab
from losslab import constraints

RNG = np.random.default_rng(0)
WEIGHTS = [RNG.normal(size=(4, 3)), 5 * RNG.normal(size=(2, 3, 4, 5)), np.zeros((3, 2)), np.array([3.0, -4.0])]
PARAMETERS = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": -1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": -1}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.3, "axis": -1}),
]
KERAS_NAMES = {
    "max_norm": ["MaxNorm", "maxnorm"],
    "non_neg": ["NonNeg", "nonneg"],
    "unit_norm": ["UnitNorm", "unitnorm"],
    "min_max_norm": ["MinMaxNorm", "minmaxnorm"],
}


def keras_value(name, parameters, weights):
    with jax.enable_x64(True):
        return np.asarray(getattr(keras.constraints, name)(**parameters)(weights))


@pytest.mark.parametrize("weights", WEIGHTS, ids=lambda x: str(x.shape))
@pytest.mark.parametrize(("name", "parameters"), PARAMETERS)
def test_keras_values(name, parameters, weights):
    actual = getattr(constraints, name)(**parameters)(weights)
    np.testing.assert_allclose(actual, keras_value(name, parameters, weights), rtol=1e-12)


@pytest.mark.parametrize("name", ["MaxNorm", "UnitNorm", "MinMaxNorm"])
def test_the_norm_over_several_axes(name):
    """As for the filters of a convolution, of shape (rows, columns, channels, filters)."""
    actual = getattr(constraints, name)(axis=[0, 1, 2])(WEIGHTS[1])
    np.testing.assert_allclose(actual, keras_value(name, {"axis": [0, 1, 2]}, WEIGHTS[1]), rtol=1e-12)


def test_by_hand():
    tall = [[3.0, 0.3], [4.0, 0.4]]
    np.testing.assert_allclose(constraints.MaxNorm(1)(tall), [[0.6, 0.3], [0.8, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(constraints.UnitNorm()(tall), [[0.6, 0.6], [0.8, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(constraints.MinMaxNorm(1, 2)(tall), [[1.2, 0.6], [1.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(constraints.MinMaxNorm(1, 2, 0.5)(tall), [[2.1, 0.45], [2.8, 0.6]], rtol=1e-6)
    assert constraints.NonNeg()([-1.0, 0.0, 2.0]).tolist() == [0.0, 0.0, 2.0]


def test_integers_become_floats():
    np.testing.assert_allclose(constraints.MaxNorm(1)([[3], [4]]), [[0.6], [0.8]], rtol=1e-6)


def test_an_axis_that_the_weights_lack():
    with pytest.raises(ValueError, match=r"MaxNorm: axis 1 is out of range for weights of shape \(3,\)"):
        constraints.MaxNorm(axis=(0, 1))(np.ones(3))


def test_an_empty_interval():
    with pytest.raises(ValueError, match=r"min_value must be at most max_value, got 2 and 1"):
        constraints.MinMaxNorm(min_value=2)


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_names(name):
    constraint = constraints.get(name)
    for alias in [*KERAS_NAMES[name], f"losslab>{type(constraint).__name__}"]:
        assert constraints.get(alias) == constraint
    assert set(KERAS_NAMES[name]) <= set(constraints.aliases_of(name))
    assert constraints.names() == sorted(KERAS_NAMES)


def test_every_public_name_of_keras_exists_and_takes_the_same():
    for name, theirs in inspect.getmembers(keras.constraints, inspect.isclass):
        ours = getattr(constraints, name)
        if name == "Constraint":
            continue
        taken, expected = (list(inspect.signature(cls).parameters.values()) for cls in (ours, theirs))
        assert [(each.name, each.default) for each in taken] == [(each.name, each.default) for each in expected]


def test_typos():
    with pytest.raises(losslab.UnknownNameError, match=r"unknown constraint 'maxnrm': did you mean 'max"):
        constraints.get("maxnrm")
    with pytest.raises(TypeError, match="did you mean 'max_value'"):
        constraints.get("max_norm:max_vale=1")


def test_one_of_your_own(framework, dtype):
    @constraints.register
    class Cap(constraints.Constraint):
        top: float = losslab.param(1.0)

        def formula(self, ops, x):
            return ops.minimum(x, self.top)

    constraint = constraints.get("cap:top=2")
    assert constraint == Cap(2.0)
    assert framework.numpy(constraint(framework.array(np.array([1.0, 3.0], dtype)))).tolist() == [1.0, 2.0]


# apply


def test_apply_gives_another_tree_of_the_same_structure(framework, dtype):
    Layer = collections.namedtuple("Layer", "kernel bias")
    kernel, bias = (framework.array(np.array([[-1.0]], dtype)) for _ in range(2))
    tree = {"encoder": [Layer(kernel, bias), (kernel, None)], "scale": 2.0}
    changed = constraints.apply(tree, {"encoder/0/kernel": "non_neg"})
    assert framework.numpy(changed["encoder"][0].kernel).tolist() == [[0.0]]
    assert framework.numpy(tree["encoder"][0].kernel).tolist() == [[-1.0]]
    assert changed["encoder"][0].bias is bias
    assert changed["encoder"][1] == (kernel, None)
    assert changed["scale"] == 2.0
    assert type(changed["encoder"][0]) is Layer


def test_apply_in_the_order_of_the_rules():
    tree = {"a": {"kernel": np.array([[3.0], [-4.0]])}, "b": {"kernel": np.array([[3.0], [-4.0]])}}
    changed = constraints.apply(tree, {"*/kernel": "non_neg", "a.kernel": constraints.UnitNorm()})
    np.testing.assert_allclose(changed["a"]["kernel"], [[1.0], [0.0]], rtol=1e-6)
    np.testing.assert_allclose(changed["b"]["kernel"], [[3.0], [0.0]])


def test_apply_inside_jit():
    jnp = jax.numpy
    changed = jax.jit(lambda tree: constraints.apply(tree, {"dense/*": constraints.MaxNorm(1)}))(
        {"dense": {"kernel": jnp.array([[3.0], [4.0]])}}
    )
    np.testing.assert_allclose(changed["dense"]["kernel"], [[0.6], [0.8]], rtol=1e-6)


def test_apply_to_a_pytree_that_only_jax_knows():
    @jax.tree_util.register_dataclass
    @dataclasses.dataclass
    class Params:
        kernel: object
        bias: object

    changed = constraints.apply({"dense": Params(np.array([-1.0]), np.array([-1.0]))}, {"dense/kernel": "nonneg"})
    assert isinstance(changed["dense"], Params)
    assert changed["dense"].kernel.tolist() == [0.0]
    assert changed["dense"].bias.tolist() == [-1.0]


def test_apply_to_a_torch_module_in_place():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    kept, tied = module[1].weight.detach().clone(), module[0].weight.detach()
    parameter, optimizer = module[0].weight, torch.optim.SGD(module.parameters(), lr=0.1)
    assert constraints.apply(module, {"0.weight": constraints.MaxNorm(0.1, axis=1)}) is module
    assert module[0].weight is parameter is optimizer.param_groups[0]["params"][0]
    assert parameter.norm(dim=1).max() <= 0.1
    assert torch.equal(tied, parameter)  # who shares its memory sees it
    assert parameter.requires_grad
    assert parameter.grad_fn is None
    assert torch.equal(module[1].weight, kept)


def test_apply_to_a_keras_model_in_place():
    model = keras.Sequential([keras.layers.Dense(2, name="dense"), keras.layers.Dense(1, name="out")])
    model.build((None, 3))
    assert constraints.apply(model, {"dense/kernel": constraints.MaxNorm(0.1)}) is model
    assert np.linalg.norm(model.get_layer("dense").kernel, axis=0).max() <= 0.1
    assert np.linalg.norm(model.get_layer("out").kernel, axis=0).max() > 0.1


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("max_norm", r"path -> constraint is needed, got 'max_norm': say where, such as \{'\*kernel': 'max_norm'\}"),
        (constraints.MaxNorm(1), r"path -> constraint is needed, got MaxNorm"),
        (None, "path -> constraint is needed, got None"),
        ({"dense/kernel": None}, "None for the path 'dense/kernel' is no constraint: leave the path out"),
        ({("dense", "kernel"): "max_norm"}, r"a path is a text such as 'dense/kernel', got \('dense', 'kernel'\)"),
    ],
)
def test_rules_are_a_dict_of_paths(rules, message):
    with pytest.raises(TypeError, match=message):
        constraints.apply({"dense": {"kernel": np.ones(2)}}, rules)


def test_apply_to_what_is_not_there():
    tree = {"dense": {"kernel": np.ones(2), "bias": np.ones(2)}}
    with pytest.raises(ValueError, match=r"'dense/kernal'.*'dense/kernel'"):
        constraints.apply(tree, {"dense/kernal": "non_neg"})
    with pytest.raises(ValueError, match=r"'conv/\*'"):
        constraints.apply(tree, {"conv/*": "non_neg"})
