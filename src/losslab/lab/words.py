"""What the terminal and the report both say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from losslab.lab import sensitivity
from losslab.lab.analysis import ArmResult, Summary, signed
from losslab.lab.calibration import BINS
from losslab.lab.effort import Cost, Effort
from losslab.lab.measures import Measure
from losslab.lab.pairs import CONFIDENCE, Figure
from losslab.lab.plan import DIVERGED_ABOVE, MOST_EXTENSIONS
from losslab.lab.split import MOST_VALIDATION, VALIDATION_SHARE
from losslab.lab.tasks import TASKS, task_from

_NETWORKS = {
    "mlp": "a dense network (128 and 64 relu units)",
    "cnn": "a convolutional network (32 and 64 filters of 3 × 3, each with relu and 2 × 2 max pooling; 1024 relu "
    "units; dropout 0.25)",
    "unet": "a U-Net (8, 16 and 32 filters of 3 × 3, two layers each with relu, 2 × 2 max pooling and upsampling)",
}
_OPTIMIZERS = {"adam": "Adam", "sgd": "stochastic gradient descent without momentum"}
_PROBABILITIES = (
    f"Probabilities: negative log-likelihood (NLL), Brier score (0 to 2) and expected calibration error (ECE, {BINS} "
    "bins) of the test examples; scaled: after temperature scaling, fitted on the run's validation examples. Margins "
    "are no probabilities before that."
)
_ENGINES = {
    "scan": "one compiled JAX loop an epoch",
    "step": "one compiled JAX step a batch",
    "vmap": "one compiled JAX loop an epoch, for several runs at once",
    "torch": "a PyTorch loop",
    "fit": "Keras' fit on",
}


def columns(summary: Summary) -> tuple[str, ...]:
    """The heads of the table."""
    return (
        "loss",
        "lr",
        f"{summary.decides.title} {better(summary.decides)}",
        "difference [95 %]",
        "p",
        "runs",
        "verdict",
    )


def row(arm: ArmResult, decides: Measure) -> tuple[str, ...]:
    """Return one loss's table row, in the order of the columns."""
    figure, p = arm.deciding, ""
    if figure.contrast is not None and figure.contrast.p is not None:
        p = f"{figure.contrast.p:.3f}"
    rate = "none" if arm.rate is None else f"{arm.rate:g}"
    return (
        arm.label,
        rate,
        _mean(figure, decides.digits),
        _difference(figure, decides.digits),
        p,
        _runs(arm),
        arm.verdict,
    )


def _mean(figure: Figure, digits: int) -> str:
    if figure.mean is None:
        return "none"
    return f"{figure.mean:.{digits}f}" + ("" if figure.sd is None else f" ± {figure.sd:.{digits}f}")


def _difference(figure: Figure, digits: int) -> str:
    contrast = figure.contrast
    if contrast is None:
        return ""
    if contrast.low is None or contrast.high is None:
        return signed(contrast.mean, digits)
    ends = f"{signed(contrast.low, digits)}, {signed(contrast.high, digits)}"
    return f"{signed(contrast.mean, digits)} [{ends}]"


def further(summary: Summary) -> tuple[Measure, ...]:
    """The measures besides the one that decides which any loss has."""
    return tuple(m for m in summary.measures[1:] if any(arm.figures[m.key].values for arm in summary.arms))


def cell(figure: Figure, measure: Measure) -> tuple[str, str, str]:
    """Return mean, difference and verdict of one of the further measures of a loss."""
    verdict = "" if figure.contrast is None else figure.contrast.verdict
    return _mean(figure, measure.digits), _difference(figure, measure.digits), verdict


def effort_columns(summary: Summary) -> tuple[str, ...]:
    """The heads of the table of efforts."""
    near = f"lr within {sensitivity.words(summary.decides)}"
    return "loss", "ms an epoch", "epochs to target", "epochs more [95 %]", near


def effort_row(arm: ArmResult) -> tuple[str, ...]:
    """Return what one loss takes to train, in the order of the columns."""
    effort, rates = arm.effort, arm.rates
    return (
        arm.label,
        _cost(effort.cost),
        _epochs(effort),
        _difference(effort.epochs, 1),
        "" if rates is None else f"{rates[0]:g} to {rates[1]:g} (×{rates[1] / rates[0]:.0f})",
    )


def _epochs(effort: Effort) -> str:
    if effort.epochs.mean is None:
        return "none"
    reached = sum(epoch is not None for epoch in effort.reached.values())
    return f"{effort.epochs.mean:.1f}, {reached}/{len(effort.reached)} reached"


def _cost(cost: Cost) -> str:
    time = "" if cost.seconds is None else f"{1000 * cost.seconds:#.3g}"
    return time if cost.ratio in (None, 1) else f"{time} (×{cost.ratio:.2f})"


def target(summary: Summary, how: Mapping[str, Any]) -> str:
    """Say what the runs are timed to, or nothing."""
    if summary.target is None:
        return ""
    decides = summary.decides
    return (
        f"The target is {summary.target:.{decides.digits}f}{decides.unit} validation {decides.name}: short of the mean "
        f"of {summary.arms[0].label} after the last epoch by one standard deviation between seeds, or by what is "
        f"practically equal where that is more. A run that never gets there counts all {how['epochs']} epochs. Time is "
        "that of the training in an epoch, median over epochs and final runs."
    )


def level(summary: Summary, arm: int) -> tuple[str, str, str]:
    """Return mean, difference and verdict of the measure that decides."""
    found = summary.arms[arm]
    mean, difference, _ = cell(found.deciding, summary.decides)
    return mean, difference, "" if found.verdict == "baseline" else found.verdict


def better(measure: Measure) -> str:
    """Which way is better: an arrow."""
    return "↑" if measure.higher_is_better else "↓"


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
    measures = task_from(config["task"]).measures
    return [*_training(config), *_rates(config["protocol"], measures[0]), *_pairing(config["protocol"], measures)]


def _training(config: Mapping[str, Any]) -> list[str]:
    data, how = config["data"], config["protocol"]
    return [
        f"Data: {data['name']}, {data['examples']} examples for training and validation, {data['test_examples']} test "
        f"examples ({_origin(data, config['task']['name'])}). "
        f"Task: {task_from(config['task']).sentence(data['classes'])}.",
        f"Network: {_network(how['model'])}; its output layer and the labels are what each loss declares to take.",
        *_imbalance(how["imbalance"]),
        *_noise(how["noise"]),
        f"Training: {_OPTIMIZERS[how['optimizer']]}, {how['epochs']} epochs, batches of {how['batch']} (an incomplete "
        f"last batch is left out), no schedule, no early stopping; {_engine(how['engine'])}.",
    ]


def _origin(data: Mapping[str, Any], task: str) -> str:
    if data["own_test"]:
        return "the data set's own"
    if data["grouped"]:
        return "the last values of the column that keeps examples together, which validation examples are drawn by too"
    return "drawn once" + ", stratified by class" * TASKS[task].has_classes


def _imbalance(ratio: float) -> list[str]:
    if ratio == 1:
        return []
    return [
        f"Imbalance: of the training and validation examples the first class keeps all and the last one in {ratio:g}, "
        "those between shares that fall by equal factors, drawn by the seed, alike for every loss; the test stays."
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


def _rates(how: Mapping[str, Any], decides: Measure) -> list[str]:
    if how["shared_rate"] is not None:
        return [f"Learning rate: {how['shared_rate']:g} for all losses, not tuned."]
    rates = ", ".join(f"{rate:g}" for rate in how["rates"])
    seeds = f"{how['tuning_seeds']} tuning seed{'s' * (how['tuning_seeds'] > 1)}"
    sentence = (
        f"Learning rate: each loss its own, the best mean validation {decides.name} at the last epoch over {seeds} "
        f"among {rates}, of equal ones that of the lowest validation loss; where the best is an end of that grid, it"
        f" is extended by up to {MOST_EXTENSIONS} half-decades. Tuning seeds are not among the final seeds."
    )
    if how["model"] in ("cnn", "unet"):
        sentence += " Fewer rates and seeds are tried than for the dense network, because a run costs far more."
    return [sentence]


def _pairing(how: Mapping[str, Any], measures: Sequence[Measure]) -> list[str]:
    names = {measure.key for measure in measures}
    return [
        f"Final runs: {how['seeds']} seeds. A seed fixes the training/validation split ({VALIDATION_SHARE:.0%} "
        f"validation, at most {MOST_VALIDATION}), initial weights, batch order and dropout, alike for every loss, so "
        "differences are taken per seed. The test examples are the same for all seeds and used once per final run.",
        f"Interval: paired t, {CONFIDENCE:.0%}, of one difference by itself. p: paired t test, corrected for the "
        f"number of losses by Holm's method; a difference is called only where it is below {1 - CONFIDENCE:.2f}. "
        "summary.json has the exact sign-flip p too, uncorrected.",
        *([_PROBABILITIES] * ("ece_scaled" in names)),
        "Diverged: the training loss became infinite or NaN, or ended more than "
        f"{DIVERGED_ABOVE:.0%} above the untrained network's. Diverged runs are counted, have no result, and their "
        "seeds are left out of the paired difference.",
    ]
