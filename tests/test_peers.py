"""Every loss against the functions of other libraries that it names in `same_as`."""

import importlib

import numpy as np
import pytest
import scipy.special

import losslab
from losslab.testing import Case

# A second setting of the parameters for the losses that have peers with parameters; None: the defaults.
SETTINGS = [losslab.get(name) for name in losslab.names()] + [
    losslab.Huber(delta=0.3),
    losslab.BinaryCrossentropy(from_logits=True),
    losslab.BinaryCrossentropy(label_smoothing=0.2),
    losslab.CategoricalCrossentropy(from_logits=True),
    losslab.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
    losslab.SparseCategoricalCrossentropy(from_logits=True),
    losslab.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2),
    losslab.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.9, gamma=3.0),
    losslab.BinaryFocalCrossentropy(from_logits=True, apply_class_balancing=True),
    losslab.CategoricalFocalCrossentropy(alpha=[1.0, 0.5, 2.0, 1.0, 0.1], gamma=1.0),
    losslab.CategoricalFocalCrossentropy(from_logits=True),
    losslab.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
    losslab.SparseCategoricalFocalCrossentropy(alpha=[1.0, 0.5, 2.0, 1.0, 0.1], gamma=1.0, label_smoothing=0.2),
    losslab.CategoricalGeneralizedCrossEntropy(q=0.7),
    losslab.Quantile(quantile=0.9),
    losslab.AsymmetricCost(over=2.0, under=0.5),
    losslab.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2, class_weight=[1.0, 0.5, 2.0, 0.0, 3.0]),
    losslab.SparseCategoricalCrossentropy(from_logits=True, class_weight=[1.0, 0.5, 2.0, 0.0, 3.0]),
    losslab.BinaryCrossentropy(from_logits=True, class_weight=[1.0, 3.0]),
    losslab.Dice(axis=1),
    losslab.Dice(axis=(0, 2)),
    losslab.Tversky(alpha=0.3, beta=0.7),
    losslab.Circle(gamma=10.0, margin=0.25, remove_diagonal=False),
    losslab.CTC(blank=2),
    losslab.SparseCategoricalDice(from_logits=True, axis=1),
    losslab.SparseCategoricalDice(per_image=True),
    losslab.SparseCategoricalDice(from_logits=True, smooth=0.5, class_weight=[1.0, 0.5, 2.0, 0.0, 3.0], per_image=True),
]

# What peers cannot do, by library or function: a setting that needs it has no such peer.
LACKS = {
    "keras": {"class_weight", "smooth", "blank"},
    "optax": {"class_weight"},
    "sklearn": {"class_weight"},
    "log_loss": {"label_smoothing"},
    "sparse_categorical_crossentropy": {"label_smoothing"},
    "softmax_cross_entropy_with_integer_labels": {"label_smoothing"},
}


def can(path, loss):
    """Whether a peer has every parameter that the setting changes."""
    default = type(loss)().get_config()
    changed = {name for name, value in loss.get_config().items() if value != default[name]}
    return not changed & (LACKS.get(path.partition(".")[0], set()) | LACKS.get(path.rpartition(".")[2], set()))


PAIRS = [(loss, path) for loss in SETTINGS for path in loss.same_as if can(path, loss)]


def own(loss):
    """The parameters of the formula."""
    return {name: value for name, value in loss.get_config().items() if name not in ("reduction", "name")}


def keras_values(peer, loss, y, p):
    if isinstance(loss, losslab.SparseCategoricalDice):
        return keras_dice(peer, loss, y, p)
    given = {name: value for name, value in own(loss).items() if name not in LACKS["keras"]}
    if not isinstance(loss, losslab.SparseCategoricalCrossentropy):
        given.pop("ignore_class", None)
    if isinstance(loss, losslab.SparseCategoricalFocalCrossentropy):
        y = np.eye(p.shape[-1], dtype=p.dtype)[y]
    elif isinstance(loss, losslab.CategoricalGeneralizedCrossEntropy):
        return np.asarray(peer(q=loss.q, reduction=None)(y, p))
    elif isinstance(loss, losslab.SparseCategoricalCrossentropy):
        del given["label_smoothing"]  # Keras has none here
    elif isinstance(loss, losslab.Tversky) and _keras_is_before((3, 16)):
        given["alpha"], given["beta"] = loss.beta, loss.alpha  # swapped until Keras 3.15
    if isinstance(given.get("axis"), list):
        given["axis"] = tuple(given["axis"])
    return np.asarray(peer(y, p, **given))


def keras_dice(peer, loss, y, p):
    """Keras has the Dice loss of masks: a value per class from one-hot rows, here averaged."""
    p = np.moveaxis(p, loss.axis, -1)
    p = scipy.special.softmax(p, axis=-1) if loss.from_logits else p
    rows = np.eye(p.shape[-1], dtype=p.dtype)[y]
    return np.asarray(peer(rows, p, axis=tuple(range(1 if loss.per_image else 0, y.ndim)))).mean(axis=-1)


def _keras_is_before(version):
    import keras

    return tuple(int(part) for part in keras.__version__.split(".")[:2]) < version


def optax_values(peer, loss, y, p):
    name, given = peer.__name__, own(loss)
    if name == "ctc_loss":
        blank = y == loss.blank
        return np.asarray(peer(p, np.zeros(p.shape[:2]), np.where(blank, 0, y), blank, blank_id=loss.blank))
    y = _smoothed(y, given.get("label_smoothing", 0.0), softmax=name == "softmax_cross_entropy")
    if name in ("huber_loss", "cosine_similarity"):
        options = {"delta": loss.delta} if name == "huber_loss" else {"epsilon": 1e-7}
        sign = -1 if name == "cosine_similarity" else 1  # optax gives the similarity, Keras and losslab its negative
        values = sign * np.asarray(peer(p, y, **options))
    elif name == "sigmoid_focal_loss":
        alpha = loss.alpha if loss.apply_class_balancing else None
        values = np.asarray(peer(_logits(loss, p, binary=True), y, alpha=alpha, gamma=loss.gamma))
    elif name == "kl_divergence":
        values = np.asarray(peer(np.log(p), y))
    elif "cross_entropy" in name:
        values = np.asarray(peer(_logits(loss, p, binary="sigmoid" in name), y))
        return _without(values, loss, y) if values.ndim < p.ndim else values.mean(axis=-1)
    else:
        values = np.asarray(peer(p, y))
    return values.mean(axis=-1) if values.ndim == p.ndim else values


def torch_values(peer, loss, y, p):
    import torch

    y, p, name = torch.tensor(y), torch.tensor(p), peer.__name__
    options = {
        "huber_loss": lambda: {"delta": loss.delta},
        "poisson_nll_loss": lambda: {"log_input": False, "eps": 1e-7},
    }
    given = options.get(name, dict)()
    if name == "ctc_loss":
        frames, labels = torch.full(p.shape[:1], p.shape[1]), (y != loss.blank).sum(-1)
        return peer(p.log_softmax(-1).movedim(1, 0), y, frames, labels, blank=loss.blank, reduction="none").numpy()
    if name == "cross_entropy":
        given = {"label_smoothing": own(loss).get("label_smoothing", 0.0)}
        if loss.class_weight:
            given["weight"] = torch.tensor(loss.class_weight)
        if own(loss).get("ignore_class") is not None:
            given["ignore_index"] = loss.ignore_class
        p = p if loss.from_logits else p.log()
    elif name == "binary_cross_entropy":
        y = torch.tensor(_smoothed(y.numpy(), loss.label_smoothing, softmax=False))
        p = torch.sigmoid(p) if loss.from_logits else p
        if loss.class_weight:
            given["weight"] = torch.where(y == 1, loss.class_weight[1], loss.class_weight[0])
    values = peer(p, y, reduction="none", **given).numpy()
    return values.mean(axis=-1) if values.ndim == p.ndim else values


def sklearn_values(peer, loss, y, p):
    """scikit-learn averages: a call per row gives the row's value."""
    name = peer.__name__
    if name == "log_loss":
        p = scipy.special.softmax(p.astype("float64"), axis=-1) if loss.from_logits else p
        classes = range(p.shape[-1])
        return np.array([peer([np.argmax(t)], [q], labels=classes) for t, q in zip(y, p, strict=True)])
    factor, options = 100 if name == "mean_absolute_percentage_error" else 1, {}  # a fraction there, a percentage here
    if isinstance(loss, losslab.Quantile):
        options = {"alpha": loss.quantile}
    elif isinstance(loss, losslab.AsymmetricCost):
        factor = loss.over + loss.under
        options = {"alpha": loss.under / factor}
    return np.array([factor * peer(t, q, **options) for t, q in zip(y, p, strict=True)])


def monai_values(peer, loss, y, p):
    """MONAI has the classes on axis 1, and a 1 there in the labels."""
    import torch

    options = {"smooth_nr": loss.smooth, "smooth_dr": loss.smooth + 1e-7, "weight": loss.class_weight}
    own = peer(softmax=loss.from_logits, to_onehot_y=True, batch=not loss.per_image, reduction="none", **options)
    values = own(torch.tensor(np.moveaxis(p, loss.axis, 1)), torch.tensor(y[:, None])).numpy()
    return values.reshape(len(p), -1).mean(axis=1) if loss.per_image else values.mean()


CONVENTIONS = {
    "keras": keras_values,
    "optax": optax_values,
    "torch": torch_values,
    "sklearn": sklearn_values,
    "monai": monai_values,
}


@pytest.mark.parametrize(("loss", "path"), PAIRS, ids=[f"{loss!r}-{path}" for loss, path in PAIRS])
def test_equals_its_peer(loss, path):
    module, _, name = path.rpartition(".")
    library = path.partition(".")[0]
    peer = getattr(pytest.importorskip(module, reason=f"{library} is not installed"), name)
    case = Case(loss, losslab.testing.FRAMEWORKS["numpy"], "float32")
    y, p = case.draw(seed=5)
    given = y if y.dtype.kind == "i" else y.astype("float32")
    expected = CONVENTIONS[library](peer, loss, given, p.astype("float32"))
    np.testing.assert_allclose(case.per_sample(y, p), expected, rtol=2e-5, atol=2e-6)


def test_every_named_peer_exists():
    missing = []
    for _, path in PAIRS:
        module, _, name = path.rpartition(".")
        try:
            found = hasattr(importlib.import_module(module), name)
        except ImportError:
            continue
        if not found:
            missing.append(path)
    assert not missing


def _smoothed(y, smoothing, softmax):
    if not smoothing:
        return y
    return y * (1 - smoothing) + smoothing / (y.shape[-1] if softmax else 2)


def _logits(loss, p, binary):
    if loss.from_logits:
        return p
    return np.log(p / (1 - p)) if binary else np.log(p)


def _without(values, loss, y):
    ignored = own(loss).get("ignore_class")
    return values if ignored is None else np.where(y == ignored, 0, values)
