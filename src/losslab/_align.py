"""The shape rule: (N,) and (N, 1) are aligned, labels and predictions must then agree; nothing broadcasts."""

from typing import Any

from ._ops import Array, Ops

Shape = tuple[int | None, ...]


def align(
    ops: Ops, y_true: Array, y_pred: Array, ids: bool, axis: int, loss: str, advice: str = ""
) -> tuple[Array, Array]:
    """Labels and predictions with `axis` last, their shapes in agreement.

    Args:
        ids: the labels are class ids, which lack the axis of the classes.
        loss: the name that messages give.
        advice: what a message about labels that look like class ids says further.

    Raises:
        ValueError: the shapes would broadcast, or do not fit each other at all.
    """
    shapes = ops.shape(y_true), ops.shape(y_pred)
    rank = len(shapes[1])
    if rank and not -rank <= axis < rank:
        raise ValueError(f"{loss}: axis {axis} is out of range for y_pred of shape {_text(shapes[1])}")
    if ids:
        return _align_ids(ops, y_true, y_pred, axis, loss)
    if len(shapes[0]) + 1 == rank and shapes[1][-1] == 1:
        y_true = ops.expand_dims(y_true)
    elif rank + 1 == len(shapes[0]) and shapes[0][-1] == 1:
        y_pred = ops.expand_dims(y_pred)
    if not same_shape(ops.shape(y_true), ops.shape(y_pred)):
        raise ValueError(_refusal(loss, *shapes, whole=_is_whole(ops, y_true), advice=advice))
    y_true = ops.agreed(y_true, y_pred, len(ops.shape(y_pred)), f"{loss}: the shapes of y_true and y_pred differ")
    return _last(ops, y_true, axis), _last(ops, y_pred, axis)


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether the shapes agree; a dimension that is unknown while tracing agrees with any."""
    return a == b or (len(a) == len(b) and all(m == n or m is None or n is None for m, n in zip(a, b, strict=True)))


def align_to_values(ops: Ops, x: Array, y_pred: Array, target: Shape, what: str, loss: str) -> Array:
    """A weight or mask against the leading axes of the per-sample values: scalar, (N,), (N, 1) or the full shape.

    Args:
        y_pred: the predictions, whose leading axes are those of the values.
        target: the shape of the per-sample values.
        what: the argument's name, for messages.

    Raises:
        ValueError: any other shape.
    """
    given = shape = ops.shape(x)
    if shape == ():
        return x
    if len(shape) == len(target) + 1 and shape[-1] == 1:
        x, shape = ops.squeeze(x), shape[:-1]
    while len(shape) < len(target):
        x, shape = ops.expand_dims(x), (*shape, 1)
    leading = _leading(shape)
    if len(shape) != len(target) or not same_shape(shape[:leading], target[:leading]):
        fits = dict.fromkeys(_text(fit) for fit in (target[:1], (*target[:1], 1), target) if target)
        raise ValueError(
            f"{loss}: {what} has shape {_text(given)} but the per-sample values have shape {_text(target)}: "
            f"give {', '.join(['a scalar', *fits])}"
        )
    return ops.agreed(x, y_pred, leading, f"{loss}: {what} and the per-sample values differ in their leading axes")


def fit_to_values(ops: Ops, x: Array | None, target: Shape, loss: str) -> Array | None:
    """An aligned weight or mask for values that turned out to have fewer axes than the predictions promised.

    Raises:
        ValueError: the weight differs along an axis that the values lack.
    """
    if x is None or ops.shape(x) == ():
        return x
    if not target:
        raise ValueError(f"{loss} returned one number for the whole batch: a weight or mask needs a value per sample")
    while len(ops.shape(x)) > len(target):
        if ops.shape(x)[-1] != 1:
            raise ValueError(
                f"{loss}: a weight or mask of shape {_text(ops.shape(x))} does not fit per-sample values of shape "
                f"{_text(target)}: give {_text(target[:1])}"
            )
        x = ops.squeeze(x)
    return x


def _leading(shape: Shape) -> int:
    """How many axes are left without the ones at the end; the first always is."""
    count = len(shape)
    while count > 1 and shape[count - 1] == 1:
        count -= 1
    return count


def _align_ids(ops: Ops, ids: Array, y_pred: Array, axis: int, loss: str) -> tuple[Array, Array]:
    shape, predictions = ops.shape(ids), ops.shape(y_pred)
    if not predictions:
        raise ValueError(f"{loss}: y_pred is a scalar, but it needs an axis of classes")
    y_pred = _last(ops, y_pred, axis)
    expected = ops.shape(y_pred)[:-1]
    if len(shape) == len(predictions) and shape[axis] == 1:
        ids, shape = ops.squeeze(ids, axis), _without(shape, axis)
    elif same_shape(shape, (*expected, 1)) and shape[-1] == 1:
        ids, shape = ops.squeeze(ids), shape[:-1]
    if same_shape(shape, expected):
        return ops.agreed(ids, y_pred, len(expected), f"{loss}: y_true and y_pred differ in their leading axes"), y_pred
    if same_shape(shape, predictions):
        fix = "one-hot labels given to a loss on class ids: use the categorical loss, or y_true.argmax(-1)"
    else:
        fix = f"class ids must have shape {_text(expected)}"
    raise ValueError(f"{loss}: y_true has shape {_text(shape)} and y_pred {_text(predictions)}: {fix}")


def _without(shape: Shape, axis: int) -> Shape:
    return tuple(length for i, length in enumerate(shape) if i != axis % len(shape))


def _refusal(loss: str, y_true: Shape, y_pred: Shape, whole: bool, advice: str) -> str:
    classes = y_pred[-1] if y_pred else None
    if whole and y_true in (y_pred[:-1], (*y_pred[:-1], 1)) and classes is not None and classes > 1:
        fix = (
            f"class ids given to a loss on one-hot labels: use sparse_categorical_crossentropy, "
            f"or losslab.one_hot(y_true, {classes}){advice}"
        )
    else:
        fix = "they would broadcast or do not fit; reshape one so that both are equal"
    return f"{loss}: y_true has shape {_text(y_true)} and y_pred {_text(y_pred)}: {fix}"


def _is_whole(ops: Ops, y_true: Array) -> bool:
    seen = ops.look(y_true)
    return ops.kind(y_true) in "iu" or (seen is not None and bool((seen == seen.round()).all()))


def _last(ops: Ops, x: Array, axis: int) -> Array:
    rank = len(ops.shape(x))
    return x if rank == 0 or axis in (-1, rank - 1) else ops.moveaxis(x, axis, -1)


def _text(shape: Any) -> str:
    return str(tuple(shape))
