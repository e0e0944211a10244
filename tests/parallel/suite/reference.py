"""The loss of a whole batch on one device, from its definition: float64, torch's operations, torch's autodiff."""

import numpy as np
import torch

CLASSES = 10
WEIGHTS = tuple(np.random.default_rng(0).uniform(0.5, 2.0, CLASSES).tolist())

# Keywords of the functions under test, and of the reference
OPTIONS = {
    "plain": {},
    "ignored": {"ignore_class": 3},
    "weighted classes": {"class_weight": WEIGHTS},
    "some weighted classes": {"class_weight": {0: 3.0, 7: 0.5}},
    "smoothing": {"label_smoothing": 0.1},
    "softcap": {"softcap": 1.5},
    "temperature": {"temperature": 0.5},
    "z-loss": {"z_loss": 0.01},
    "everything": {
        "ignore_class": 3,
        "class_weight": WEIGHTS,
        "label_smoothing": 0.2,
        "softcap": 2.0,
        "temperature": 1.5,
        "z_loss": 0.02,
    },
}
REDUCTIONS = {
    "mean": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "weighted mean": {"reduction": "mean_with_sample_weight"},
    "normalizer": {"normalizer": 3.5},
}


def drawn(seed, rows=12, classes=CLASSES, width=5):
    """Hidden states, weights, bias, labels (every class among them), sample weights with a 0, an upstream gradient."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % classes)
    weight = rng.uniform(0.5, 2.0, rows)
    weight[2] = 0.0
    hidden, matrix, bias = rng.normal(size=(rows, width)), rng.normal(size=(classes, width)), rng.normal(size=classes)
    return hidden, matrix, bias, labels, weight, rng.normal(size=rows)


def values_of(z, labels, class_weight=None, label_smoothing=0.0, softcap=None, temperature=1.0, z_loss=0.0):
    """A value per row: Σ q w (lse - u) + z_loss · lse²."""
    classes = z.shape[-1]
    if isinstance(class_weight, dict):
        class_weight = [class_weight.get(each, 1.0) for each in range(classes)]
    w = torch.ones(classes, dtype=z.dtype) if class_weight is None else torch.tensor(class_weight, dtype=z.dtype)
    u = (z if softcap is None else softcap * torch.tanh(z / softcap)) / temperature
    lse = torch.logsumexp(u, dim=-1, keepdim=True)
    q = torch.nn.functional.one_hot(labels, classes).to(z.dtype) * (1.0 - label_smoothing) + label_smoothing / classes
    return (q * w * (lse - u)).sum(-1) + z_loss * lse[..., 0] ** 2


def loss_of(z, labels, ignore_class=None, sample_weight=None, reduction=None, normalizer=None, **options):
    """The reduced loss of the rows whose label is not ignored."""
    kept = torch.ones_like(labels, dtype=torch.bool) if ignore_class is None else labels != ignore_class
    weight = torch.ones_like(z[..., 0]) if sample_weight is None else torch.as_tensor(sample_weight, dtype=z.dtype)
    used = kept & (weight != 0)
    values = values_of(torch.where(used[..., None], z, 0.0), torch.where(used, labels, 0), **options)
    values = torch.where(used, values, 0.0) * weight
    if reduction == "none":
        return values
    if normalizer is None:
        counts = {"sum": 1.0, "mean_with_sample_weight": (weight * kept).sum()}
        normalizer = counts.get(reduction, kept.sum())
    return values.sum() / normalizer


def of_logits(logits, labels, upstream=1.0, **options):
    """The loss and the gradient of Σ upstream · loss with respect to the logits, as NumPy arrays."""
    z = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    return _with_gradients(loss_of(z, torch.as_tensor(labels), **options), upstream, [z])


def of_hidden(hidden, weight, labels, bias=None, upstream=1.0, **options):
    """The loss and its gradients with respect to the hidden states, the weight and, where there is one, the bias."""
    inputs = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (hidden, weight)]
    z = inputs[0] @ inputs[1].T
    if bias is not None:
        inputs.append(torch.tensor(bias, dtype=torch.float64, requires_grad=True))
        z = z + inputs[2]
    return _with_gradients(loss_of(z, torch.as_tensor(labels), **options), upstream, inputs)


def _with_gradients(loss, upstream, inputs):
    (loss * torch.as_tensor(upstream, dtype=loss.dtype)).sum().backward()
    return loss.detach().numpy(), *(each.grad.numpy() for each in inputs)
