"""What the terminal and the report both say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losslab.lab.analysis import ArmResult, Figure, Summary, signed
from losslab.lab.calibration import BINS
from losslab.lab.measures import FURTHER, Measure
from losslab.lab.pairs import CONFIDENCE
from losslab.lab.plan import DIVERGED_ABOVE, MOST_EXTENSIONS
from losslab.lab.split import MOST_VALIDATION, VALIDATION_SHARE

COLUMNS = ("loss", "lr", "accuracy, %", "difference [95 %]", "p", "runs", "verdict")

_NETWORKS = {
    "mlp": "a dense network (128 and 64 relu units)",
    "cnn": "a convolutional network (32 and 64 filters of 3 × 3, each with relu and 2 × 2 max pooling; 1024 relu "
    "units; dropout 0.25)",
}
_OPTIMIZERS = {"adam": "Adam", "sgd": "stochastic gradient descent without momentum"}
_ENGINES = {
    "scan": "one compiled JAX loop an epoch",
    "step": "one compiled JAX step a batch",
    "torch": "a PyTorch loop",
    "fit": "Keras' fit on",
}


def row(arm: ArmResult) -> tuple[str, ...]:
    """Return one loss's table row, in the order of COLUMNS."""
    figure, p = arm.accuracy, ""
    if figure.contrast is not None and figure.contrast.p is not None:
        p = f"{figure.contrast.p:.3f}"
    rate = "none" if arm.rate is None else f"{arm.rate:g}"
    return arm.label, rate, _mean(figure), _difference(figure), p, _runs(arm), arm.verdict


def _mean(figure: Figure, digits: int = 2) -> str:
    if figure.mean is None:
        return "none"
    return f"{figure.mean:.{digits}f}" + ("" if figure.sd is None else f" ± {figure.sd:.{digits}f}")


def _difference(figure: Figure, digits: int = 2) -> str:
    contrast = figure.contrast
    if contrast is None:
        return ""
    if contrast.low is None or contrast.high is None:
        return signed(contrast.mean, digits)
    ends = f"{signed(contrast.low, digits)}, {signed(contrast.high, digits)}"
    return f"{signed(contrast.mean, digits)} [{ends}]"


FURTHER_COLUMNS = ("loss", *(measure.title for measure in FURTHER))


def further(arm: ArmResult) -> list[tuple[str, str, str]]:
    """Return mean, difference and verdict of each of the FURTHER measures of a loss."""
    return [_cell(arm.figures[measure.key], measure) for measure in FURTHER]


def _cell(figure: Figure, measure: Measure) -> tuple[str, str, str]:
    verdict = "" if figure.contrast is None else figure.contrast.verdict
    return _mean(figure, measure.digits), _difference(figure, measure.digits), verdict


def has_probabilities(summary: Summary) -> bool:
    """Tell whether any loss has one of the FURTHER measures."""
    return any(arm.figures[measure.key].values for arm in summary.arms for measure in FURTHER)


def _runs(arm: ArmResult) -> str:
    counts = arm.counts
    parts = [f"{counts['ok']}/{counts['planned']}"]
    parts += [f"{word} {counts[key]}" for key, word in (("diverged", "diverged"), ("error", "failed")) if counts[key]]
    return ", ".join(parts)


def stamp(protocol: Mapping[str, Any]) -> str:
    """Return the warnings that a shared learning rate and --quick deserve, or nothing."""
    shared = "same lr for all losses: differences may be learning-rate artefacts"
    quick = "indicative only: --quick trains briefly, on few seeds"
    return "; ".join([shared] * (protocol["shared_rate"] is not None) + [quick] * protocol["quick"])


def noise(summary: Summary, data: Mapping[str, Any]) -> str:
    """Return how far one accuracy may be off because the test examples are few."""
    if summary.test_noise is None:
        return ""
    return (
        f"The intervals tell how sure the difference is across seeds on these {data['test_examples']} test examples. "
        f"Another {data['test_examples']} would move every accuracy by about ±{summary.test_noise:.2f} points "
        "(standard error), much of it alike for all losses."
    )


def protocol(config: Mapping[str, Any]) -> list[str]:
    """Return the protocol as sentences."""
    return [*_training(config), *_rates(config["protocol"]), *_pairing(config["protocol"])]


def _training(config: Mapping[str, Any]) -> list[str]:
    data, how = config["data"], config["protocol"]
    origin = "the data set's own" if data["own_test"] else "drawn once, stratified by class"
    return [
        f"Data: {data['name']}, {data['examples']} examples for training and validation in {len(data['classes'])} "
        f"classes, {data['test_examples']} test examples ({origin}).",
        f"Network: {_network(how['model'])}; its output layer and the labels are what each loss declares to take.",
        *_noise(how["noise"]),
        f"Training: {_OPTIMIZERS[how['optimizer']]}, {how['epochs']} epochs, batches of {how['batch']} (an incomplete "
        f"last batch is left out), no schedule, no early stopping; {_engine(how['engine'])}.",
    ]


def _network(model: str) -> str:
    return _NETWORKS.get(model, f"a model of the user's own, {model}")


def _engine(name: str) -> str:
    """Say how an engine goes about it; of one that this version does not know, the name."""
    kind, _, backend = name.partition(":")
    return f"{_ENGINES.get(kind, kind)} {backend}".rstrip()


def _noise(share: float) -> list[str]:
    if not share:
        return []
    return [
        f"Noise: {share:.0%} of the training and validation labels are replaced by one of the other classes, drawn by "
        "the seed, alike for every loss; the test labels are as they were."
    ]


def _rates(how: Mapping[str, Any]) -> list[str]:
    if how["shared_rate"] is not None:
        return [f"Learning rate: {how['shared_rate']:g} for all losses, not tuned."]
    rates = ", ".join(f"{rate:g}" for rate in how["rates"])
    seeds = f"{how['tuning_seeds']} tuning seed{'s' * (how['tuning_seeds'] > 1)}"
    sentence = (
        f"Learning rate: each loss its own, the best mean validation accuracy at the last epoch over {seeds} among "
        f"{rates}; where the best is an end of that grid, it is extended by up to {MOST_EXTENSIONS} half-decades. "
        "Tuning seeds are not among the final seeds."
    )
    if how["model"] == "cnn":
        sentence += " Fewer rates and seeds are tried than for the dense network, because a run costs far more."
    return [sentence]


def _pairing(how: Mapping[str, Any]) -> list[str]:
    return [
        f"Final runs: {how['seeds']} seeds. A seed fixes the training/validation split ({VALIDATION_SHARE:.0%} "
        f"validation, at most {MOST_VALIDATION}), initial weights, batch order and dropout, alike for every loss, so "
        "differences are taken per seed. The test examples are the same for all seeds and used once per final run.",
        f"Interval: paired t, {CONFIDENCE:.0%}, of one difference by itself. p: paired t test, corrected for the "
        f"number of losses by Holm's method; a difference is called only where it is below {1 - CONFIDENCE:.2f}. "
        "summary.json has the exact sign-flip p too, uncorrected.",
        "Probabilities: negative log-likelihood (NLL), Brier score (0 to 2) and expected calibration error (ECE, "
        f"{BINS} bins) of the test examples, lower is better; scaled: after temperature scaling, fitted on the run's "
        "validation examples. Margins are no probabilities before that.",
        "Diverged: the training loss became infinite or NaN, or ended more than "
        f"{DIVERGED_ABOVE:.0%} above the untrained network's. Diverged runs are counted, have no accuracy, and their "
        "seeds are left out of the paired difference.",
    ]
