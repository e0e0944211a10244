"""Names: everything that resolves, and what is said of the rest."""

import json

import pytest

import losslab

# Keras 3's names and aliases (keras.losses.get), those of Keras 2 that people still type, and what Keras lacks
ALIASES = {
    "mean_squared_error": ["MeanSquaredError", "mse", "MSE"],
    "mean_absolute_error": ["MeanAbsoluteError", "mae", "MAE"],
    "mean_absolute_percentage_error": ["MeanAbsolutePercentageError", "mape", "MAPE"],
    "mean_squared_logarithmic_error": ["MeanSquaredLogarithmicError", "msle", "MSLE"],
    "cosine_similarity": ["CosineSimilarity", "cosine_proximity"],
    "huber": ["Huber", "huber_loss"],
    "log_cosh": ["LogCosh", "logcosh"],
    "hinge": ["Hinge"],
    "squared_hinge": ["SquaredHinge"],
    "categorical_hinge": ["CategoricalHinge"],
    "kl_divergence": ["KLDivergence", "kld", "KLD", "kullback_leibler_divergence"],
    "poisson": ["Poisson"],
    "binary_crossentropy": ["BinaryCrossentropy", "bce", "BCE"],
    "categorical_crossentropy": ["CategoricalCrossentropy"],
    "sparse_categorical_crossentropy": ["SparseCategoricalCrossentropy"],
    "binary_focal_crossentropy": ["BinaryFocalCrossentropy", "focal"],
    "categorical_focal_crossentropy": ["CategoricalFocalCrossentropy"],
    "sparse_categorical_focal_crossentropy": ["SparseCategoricalFocalCrossentropy"],
    "categorical_generalized_cross_entropy": ["CategoricalGeneralizedCrossEntropy", "gce"],
    "quantile": ["Quantile", "pinball"],
    "asymmetric_cost": ["AsymmetricCost"],
    "dice": ["Dice"],
    "tversky": ["Tversky"],
    "circle": ["Circle"],
    "ctc": ["CTC"],
}


@pytest.mark.parametrize("name", ALIASES)
def test_every_name_of_keras_resolves(name):
    loss = losslab.get(name)
    assert loss.name == name
    for alias in [*ALIASES[name], f"losslab>{type(loss).__name__}", f" {name} "]:
        assert losslab.get(alias) == loss
    assert set(ALIASES[name]) <= set(losslab.aliases_of(name))


def test_every_loss_has_three_forms():
    assert set(ALIASES) <= set(losslab.names())
    for name in ALIASES:
        cls = type(losslab.get(name))
        assert getattr(losslab, cls.__name__) is cls
        assert getattr(losslab, name).__name__ == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("huber:delta=2", losslab.Huber(delta=2.0)),
        ("focal:gamma=3", losslab.BinaryFocalCrossentropy(gamma=3.0)),
        ("focal:gamma=3:alpha=0.5", losslab.BinaryFocalCrossentropy(gamma=3.0, alpha=0.5)),
        ("focal:gamma=3,alpha=0.5", losslab.BinaryFocalCrossentropy(gamma=3.0, alpha=0.5)),
        ("bce:from_logits=true", losslab.BinaryCrossentropy(from_logits=True)),
        ("categorical_focal:alpha=[1, 2]:gamma=0", losslab.CategoricalFocalCrossentropy(alpha=[1, 2], gamma=0)),
        ("scce:ignore_class=none", losslab.SparseCategoricalCrossentropy()),
        ("mse:reduction=sum", losslab.MeanSquaredError(reduction="sum")),
    ],
)
def test_names_with_parameters(text, expected):
    assert losslab.get(text) == expected


def test_get_takes_everything_that_means_a_loss():
    huber = losslab.Huber(delta=2.0)
    assert losslab.get(None) is None
    assert losslab.get(huber) is huber
    assert losslab.get(losslab.Huber) == losslab.Huber()
    assert losslab.get(max) is max
    assert losslab.get(losslab.serialize(huber)) == huber
    keras_config = {"module": "keras.losses", "class_name": "Huber", "config": {"name": "huber_loss", "delta": 2.0}}
    assert losslab.get(keras_config) == losslab.Huber(delta=2.0, name="huber_loss")


@pytest.mark.parametrize("name", ALIASES)
def test_serialized_losses_survive_json(name):
    loss = losslab.get(name)
    assert losslab.deserialize(json.loads(json.dumps(losslab.serialize(loss)))) == loss


@pytest.mark.parametrize(
    ("identifier", "error", "message"),
    [
        ("msee", losslab.UnknownLossError, "unknown loss 'msee': did you mean 'mse'"),
        ("crossentropy", losslab.UnknownLossError, "'categorical_crossentropy'"),
        ("Hubber", losslab.UnknownLossError, "'huber'"),
        ("zzz", losslab.UnknownLossError, "see losslab.names()"),
        ("huber:detla=2", TypeError, "huber has no parameter 'detla': did you mean 'delta'?"),
        ("huber:delta=-2", ValueError, "Huber: delta must be a number > 0, got -2"),
        ("huber:delta", ValueError, "after the colon stands name=value, got 'delta'"),
        ("huber:delta=big", ValueError, "Huber: delta must be a number > 0, got 'big'"),
        ({"config": {}}, ValueError, "a loss config is"),
        ({"class_name": "os>system", "config": {}}, losslab.UnknownLossError, "unknown loss 'os>system'"),
        (3.0, TypeError, "3.0 means no loss"),
        (int, TypeError, "0 means no loss"),
        ("huber:delta=2:delta=3", ValueError, "delta is given twice"),
        ("huber:delta=" + "-" * 100_000 + "1", ValueError, "delta must be a number > 0"),
        ({"class_name": "Huber", "config": {1: 2}}, ValueError, "a loss config is"),
    ],
)
def test_what_means_no_loss_is_said(identifier, error, message):
    with pytest.raises(error) as caught:
        losslab.get(identifier)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_belongs_to_one_loss():
    with pytest.raises(ValueError, match="'mse' belongs to"):
        losslab.register(max, name="mse")


def test_a_refused_registration_leaves_nothing_behind():
    with pytest.raises(ValueError, match="'mse' belongs to"):
        losslab.register(lambda y_true, y_pred: 0.0, name="brand_new", aliases=["mse"])
    with pytest.raises(losslab.UnknownLossError):
        losslab.get("brand_new")


def test_lambdas_of_one_name_do_not_replace_each_other():
    losslab.register(lambda y_true, y_pred: 0.0, name="anonymous")
    with pytest.raises(ValueError, match="'anonymous' belongs to"):
        losslab.register(lambda y_true, y_pred: 1.0, name="anonymous")


def test_a_subclass_does_not_inherit_names():
    @losslab.register
    class WideHuber(losslab.Huber):
        delta: float = losslab.param(10.0, gt=0)

    assert losslab.get("wide_huber") == WideHuber() == losslab.deserialize(losslab.serialize(WideHuber()))
    assert losslab.get("huber_loss") == losslab.Huber()


def test_what_could_not_be_found_again_is_not_serialized():
    class Huber(losslab.ElementLoss):
        pass

    class Unregistered(losslab.ElementLoss):
        pass

    with pytest.raises(ValueError, match="Huber is not the class that is registered under this name"):
        losslab.serialize(Huber())
    with pytest.raises(ValueError, match=r"add @losslab\.register"):
        losslab.serialize(Unregistered())


def test_a_function_registers_under_its_name():
    @losslab.register
    def my_own_loss(y_true, y_pred, exponent=4):
        return abs(y_true - y_pred) ** exponent

    loss = losslab.get("my_own_loss")
    assert loss == losslab.LossFunctionWrapper(my_own_loss)
    assert loss([[0.0], [1.0]], [[2.0], [9.0]], sample_weight=[1, 0]) == 8.0
    cubic = losslab.get("my_own_loss:exponent=3")
    assert cubic([0.0], [2.0]) == 8.0
    assert losslab.deserialize(json.loads(json.dumps(losslab.serialize(cubic)))) == cubic
    with pytest.raises(TypeError, match=r"my_own_loss.* has no parameter 'gamma'"):
        losslab.get("my_own_loss:gamma=2")


def test_a_class_can_be_defined_again():
    """A notebook cell that is run twice."""

    def define(factor):
        @losslab.register(aliases=["scaled"])
        class ScaledError(losslab.ElementLoss):
            def formula(self, ops, y_true, y_pred):
                return factor * ops.abs(y_pred - y_true)

        return ScaledError

    define(2.0)
    second = define(3.0)
    assert losslab.get("scaled_error") == losslab.get("scaled") == second()
    assert losslab.get("scaled")([1.0], [2.0]) == 3.0


def test_a_name_alone_is_a_name():
    @losslab.register("mine")
    def some_loss(y_true, y_pred):
        return abs(y_true - y_pred)

    assert losslab.get("mine").fn is some_loss
    with pytest.raises(TypeError, match="3 is no loss: register a class or a callable"):
        losslab.register(3)
