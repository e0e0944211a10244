"""Names as strings, and classes by name: whatever `losslab.names` knows, without a list."""

import inspect

import keras
import keras.src.losses
import numpy as np
import pytest

import losslab
import losslab.keras
from losslab.keras import Huber

from .models import inputs, labels, model_for


def test_every_name_and_alias_is_a_string_that_keras_understands():
    losslab.keras.register_strings()
    losslab.keras.register_strings()
    for name in losslab.names():
        for word in (name, *losslab.aliases_of(name)):
            assert keras.losses.get(f"losslab>{word}").core == losslab.get(name)


def test_a_config_resolves_beside_the_strings():
    losslab.keras.register_strings()
    found = keras.losses.get({"class_name": "losslab>Huber", "config": {"delta": 2.0}})
    assert found.core == losslab.Huber(delta=2.0)


def test_keras_names_are_left_alone():
    losslab.keras.register_strings()
    assert keras.losses.get("mse") is keras.losses.mean_squared_error


class Moved(dict):
    """Takes names, but nothing finds them."""

    def get(self, *_):
        return None


def test_a_keras_that_keeps_its_names_elsewhere_is_told(monkeypatch):
    monkeypatch.setattr(keras.src.losses, "ALL_OBJECTS_DICT", Moved())
    with pytest.raises(RuntimeError, match=r"Keras .* give compile the object, losslab\.keras\.wrap"):
        losslab.keras.register_strings()


@pytest.mark.parametrize("name", losslab.names())
def test_every_loss_has_a_class(name):
    core = losslab.get(name)
    cls = getattr(losslab.keras, type(core).__name__)
    assert cls.__name__ in dir(losslab.keras)
    assert cls.__name__ in losslab.keras.__all__
    assert cls is losslab.keras.loss_class(type(core))
    assert keras.saving.get_registered_object(f"losslab>{cls.__name__}") is cls
    assert cls().core == core
    assert inspect.getdoc(cls) == inspect.getdoc(type(core))


def test_a_class_shows_its_parameters():
    shown = list(inspect.signature(Huber).parameters)
    assert shown == ["delta", "name", "reduction", "dtype"]


def test_an_object_shows_what_a_call_takes():
    assert list(inspect.signature(Huber()).parameters) == ["y_true", "y_pred", "sample_weight"]
    y_true, y_pred = np.array([[0.0], [1.0]]), np.array([[3.0], [1.5]])
    container = losslab.LossContainer({"a": Huber()})
    assert float(container({"a": y_true}, {"a": y_pred})) == pytest.approx(losslab.Huber()(y_true, y_pred))


def test_wrap_leaves_a_keras_loss_as_it_is():
    loss = Huber(delta=2.0)
    assert losslab.keras.wrap(loss) is loss
    assert losslab.keras.wrap(loss, dtype="float16") == Huber(delta=2.0, dtype="float16")


def test_a_name_becomes_a_loss_and_back():
    loss = losslab.get("huber:delta=2").to_keras(dtype="float16")
    assert repr(loss) == "losslab.keras.wrap(Huber(delta=2.0), dtype='float16')"
    assert eval(repr(loss), {"losslab": losslab, "Huber": losslab.Huber}).get_config() == loss.get_config()
    assert type(loss) is Huber


def test_a_loss_registered_later_has_a_class_too():
    @losslab.register
    class Late(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return ops.abs(y_pred - y_true)

    assert keras.saving.get_registered_object("losslab>Late").core_class is Late
    assert losslab.keras.Late is losslab.keras.loss_class(Late)


def test_a_metric_registered_later_is_known_too():
    @losslab.metrics.register
    class LateScore(losslab.metrics.F1Score):
        pass

    assert keras.saving.get_registered_object("losslab>metrics.LateScore").core_class is LateScore


@pytest.mark.parametrize("taken", ["core", "dtype"])
def test_a_parameter_that_keras_needs_is_refused_where_keras_is_used(taken):
    source = f"def __init__(self, {taken}=None): pass"
    namespace = {"__module__": __name__}
    exec(source, namespace)
    cls = losslab.register(type(f"Takes{taken.title()}", (losslab.Loss,), namespace))
    with pytest.raises(TypeError, match=f"has a parameter '{taken}', which the Keras form needs"):
        losslab.keras.wrap(cls())


def test_a_loss_that_cannot_be_made_or_hashed_disturbs_no_other():
    @losslab.register
    class Needs(losslab.Loss):
        def __init__(self, needed):
            self.needed = needed

    class Unhashable:
        __hash__ = None

        def __call__(self, y_true, y_pred):
            return abs(y_pred - y_true)

    losslab.register(Unhashable(), name="unhashable")
    assert list(inspect.signature(losslab.keras.Needs).parameters) == ["needed", "dtype"]
    assert not hasattr(losslab.keras, "Nothing")


@pytest.mark.parametrize(("word", "hint"), [("Hubr", "did you mean 'Huber'"), ("Xyz", "no loss of this name")])
def test_an_unknown_class_suggests_the_nearest(word, hint):
    with pytest.raises(AttributeError, match=hint):
        getattr(losslab.keras, word)


@pytest.mark.parametrize(
    ("args", "parameters"), [((), {"detla": 2}), ((1.0,), {}), ((), {"reduction": "average"}), ((), {"delta": -1})]
)
def test_a_wrong_parameter_is_told_as_losslab_tells_it(args, parameters):
    with pytest.raises((TypeError, ValueError)) as expected:
        losslab.Huber(*args, **parameters)
    with pytest.raises(expected.type) as actual:
        Huber(*args, **parameters)
    assert str(actual.value) == str(expected.value)


def test_a_second_class_of_one_name_is_refused():
    """Keras would load the one in place of the other."""

    class Twin(losslab.MeanSquaredError):
        pass

    losslab.keras.wrap(Twin())
    other = type("Twin", (losslab.MeanSquaredError,), {"__module__": "elsewhere"})
    with pytest.raises(ValueError, match=r"as 'losslab>Twin' already: give elsewhere\.Twin another name"):
        losslab.keras.wrap(other())
    losslab.register(other)  # which is to say whose the name is
    assert keras.saving.get_registered_object("losslab>Twin").core_class is other


def test_a_plain_function_is_a_loss_under_its_registered_name():
    @losslab.register
    def cubic(y_true, y_pred):
        return abs(y_pred - y_true) ** 3

    losslab.keras.register_strings()
    model = model_for(losslab.MeanSquaredError(), "losslab>cubic")
    y = labels(losslab.MeanSquaredError())
    assert model.evaluate(x := inputs(), y, verbose=0) == pytest.approx(
        (abs(model.predict(x, verbose=0) - y) ** 3).mean(), rel=1e-5
    )


def test_what_is_no_loss_is_refused():
    with pytest.raises(TypeError, match=r"no losslab\.Loss"):
        losslab.keras.wrap(keras.losses.MeanSquaredError())
    with pytest.raises(TypeError, match=r"needs a losslab\.Loss class"):
        losslab.keras.loss_class(keras.losses.Huber)


def test_a_loss_is_immutable():
    loss = Huber()
    with pytest.raises(AttributeError, match="immutable"):
        loss.reduction = "sum"
