"""Labels of the wrong kind, which their shape shows: refused in the words of metrics."""

from .._ops import Array, Ops


def refuse_ids(ops: Ops, y_true: Array, y_pred: Array, name: str, fix: str = "sparse_categorical_accuracy") -> None:
    """Raise ValueError for class ids where there must be a label for each column; `fix` is the metric that takes them.

    Other shapes that do not fit are left to `align`.
    """
    labels, predictions = tuple(ops.shape(y_true)), tuple(ops.shape(y_pred))
    columns = predictions[-1] if len(predictions) > 1 else None
    if columns not in (None, 1) and labels in (predictions[:-1], (*predictions[:-1], 1)):
        raise ValueError(
            f"{name}: y_true has shape {labels} and y_pred {predictions}, but {name} needs a label for each column: "
            f"for class ids use {fix}, or give losslab.one_hot(y_true, {columns})"
        )


def refuse_rows(ops: Ops, y_true: Array, y_pred: Array, name: str, fix: str) -> None:
    """Raise ValueError for a label per column where there must be class ids; `fix` is the metric that takes them."""
    labels, predictions = tuple(ops.shape(y_true)), tuple(ops.shape(y_pred))
    if labels != predictions or labels[-1:] in ((), (1,)):
        return
    if len(predictions) == 1:
        wrong = f"{name} needs a row of scores per sample: for one score per sample use binary_accuracy"
    else:
        wrong = f"{name} needs class ids: for one-hot rows use {fix}, or give y_true.argmax(-1)"
    raise ValueError(f"{name}: y_true has shape {labels} and y_pred {predictions}, but {wrong}")
