"""What is compared, by which protocol, as a list of plain jobs with content-hash ids."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import losslab
from losslab.lab import fingerprint, own_loss
from losslab.lab.errors import LabError

# Part of every id: raise it when a change of the trainer changes its numbers.
TRAINER_VERSION = 4
OPTIMIZERS = {"adam": 1.0, "sgd": 100.0}
"""What the learning rates that are tried are multiplied by: plain gradient descent takes larger steps."""
DEFAULT_LOSSES = {
    "classes": ("categorical_crossentropy", "mse", "binary_crossentropy"),
    "binary": ("binary_crossentropy", "focal", "mse"),
    "labels": ("binary_crossentropy", "focal", "mse"),
    "regression": ("mse", "mae", "huber"),
    "segmentation": ("binary_crossentropy", "dice", "focal"),
}
"""By task."""
FIRST_TUNING_SEED = 10_000
MOST_EXTENSIONS = 2
SMALLEST_CNN_SIDE = 28
MOST_IN_A_PACK = 16
"""Runs that are trained as one program, where the engine can: tuning's seven rates and two seeds are one pack."""
# A run whose training loss ends this share above the untrained network's has diverged, even where it is finite:
# a loss on clipped probabilities stays finite however far the weights run away.
DIVERGED_ABOVE = 0.1

Job = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """One loss of the comparison: what to call it, its serialized form, and a digest of its class's definition."""

    label: str
    loss: dict[str, Any]
    definition: str


@dataclass(frozen=True)
class Protocol:
    """How each arm is trained.

    Attributes:
        model: "mlp", "cnn", or the path of the user's own.
        model_definition: a digest of the source of the user's own, else "".
        shared_rate: None where each loss has its own learning rate.
        quick: whether the defaults were cut down for a first look.
        optimizer: a key of OPTIMIZERS.
        noise: the share of training and validation labels that are made wrong.
        imbalance: how many times as many training and validation examples the first class keeps as the last.
    """

    model: str
    engine: str
    epochs: int
    batch: int
    seeds: int
    tuning_seeds: int
    rates: tuple[float, ...]
    shared_rate: float | None = None
    quick: bool = False
    noise: float = 0.0
    imbalance: float = 1.0
    optimizer: str = "adam"
    model_definition: str = ""

    @property
    def final_seed_list(self) -> list[int]:
        """Seeds of the final runs."""
        return list(range(self.seeds))

    @property
    def tuning_seed_list(self) -> list[int]:
        """Seeds of the tuning runs, never among the final ones."""
        return [FIRST_TUNING_SEED + i for i in range(self.tuning_seeds)]


# A run with convolutions costs about 500 times one of the dense network, hence the smaller budget.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "mlp": {
        "epochs": 40,
        "batch": 32,
        "seeds": 8,
        "tuning_seeds": 2,
        "rates": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    },
    "cnn": {"epochs": 5, "batch": 128, "seeds": 5, "tuning_seeds": 1, "rates": (3e-4, 1e-3, 3e-3)},
    "unet": {"epochs": 10, "batch": 2, "seeds": 5, "tuning_seeds": 1, "rates": (1e-3, 3e-3, 1e-2)},
}

# A first look: too few seeds for any verdict.
_QUICK: dict[str, dict[str, Any]] = {
    "mlp": {"epochs": 15, "seeds": 3, "tuning_seeds": 1, "rates": (1e-3, 3e-3, 1e-2)},
    "cnn": {"epochs": 2, "seeds": 3},
    "unet": {"epochs": 4, "seeds": 3},
}


def model_for(task: str, shape: Sequence[int]) -> str:
    """Choose the network: "unet" for segmentation, "cnn" for images of at least 28 × 28, else "mlp"."""
    if task == "segmentation":
        return "unet"
    return "cnn" if len(shape) > 1 and min(shape[:2]) >= SMALLEST_CNN_SIDE else "mlp"


def protocol(
    model: str,
    engine: str,
    shared_rate: float | None = None,
    quick: bool = False,
    noise: float = 0.0,
    imbalance: float = 1.0,
    optimizer: str = "adam",
    **chosen: int | None,
) -> Protocol:
    """Return the model's default protocol with the `chosen` values (epochs, batch, seeds) that are not None."""
    values = _DEFAULTS[model] | (_QUICK[model] if quick else {})
    values |= {name: value for name, value in chosen.items() if value is not None}
    values["rates"] = tuple(float(f"{rate * OPTIMIZERS[optimizer]:g}") for rate in values["rates"])
    values |= {"shared_rate": shared_rate, "quick": quick, "noise": noise}
    values |= {"imbalance": imbalance, "optimizer": optimizer}
    return Protocol(model=model, engine=engine, **values)


def _serialized(loss: losslab.Loss, path: str) -> dict[str, Any]:
    """Return the config from which a run makes the loss again: this very loss, not another of the same name."""
    try:
        config = own_loss.serialized(loss, path) if path else losslab.serialize(loss)
        made = own_loss.get(config)
    except (ValueError, TypeError) as error:  # an unknown name; another class's parameters
        raise _unregistered(loss, str(error)) from error
    if type(made) is not type(loss) or made != loss:
        raise _unregistered(loss, f"that name makes {made!r} of {type(made).__module__}")
    return config


def _unregistered(loss: losslab.Loss, reason: str) -> LabError:
    name = type(loss).__name__
    return LabError(
        f"{name} is not registered",
        f"a run makes its loss by name: {reason}",
        f"write @losslab.register above class {name}, under a name that no other loss has, and make the loss anew",
    )


def default_words(name: str) -> str:
    """Say a setting's default for the help: seeds, epochs or batch."""
    table, image, mask = (_DEFAULTS[model][name] for model in ("mlp", "cnn", "unet"))
    return f"[default: {table}; {image} for images, {mask} to segment them]"


def arms(losses: Iterable[Any]) -> list[Arm]:
    """Resolve names, parametrised names and Loss objects; the same loss under two names is one arm.

    Raises:
        LabError: unknown loss or bad parameter.
    """
    found: dict[losslab.Loss, Arm] = {}
    previous = ""
    for given in losses:
        loss = resolve(given, previous)
        previous = given if isinstance(given, str) else ""
        if loss not in found:
            label = _label(given, loss)
            taken = {arm.label for arm in found.values()}
            label = repr(loss) if label in taken else label
            label = str(given) if label in taken else label
            found[loss] = Arm(label, _serialized(loss, own_loss.path_in(given)[0]), fingerprint.of(loss))
    if not found:
        raise LabError("no loss named", "--losses is empty", "for example --losses categorical_crossentropy,mse")
    return list(found.values())


def split_names(text: str) -> list[str]:
    """Return the losses of a comma-separated list; commas inside brackets separate nothing."""
    return [name.strip() for name in re.split(r",(?![^\[(]*[\])])", text) if name.strip()]


def resolve(given: Any, previous: str = "") -> losslab.Loss:
    """Return the Loss for a name, a parametrised name, a config or a Loss object; `previous` was named before it."""
    try:
        loss = own_loss.get(given)
    except losslab.UnknownLossError as error:
        raise _unknown(given, previous, error) from error
    except (ValueError, TypeError) as error:
        raise LabError(f"cannot make the loss {given!r}", str(error), "parameters are written focal:gamma=3") from error
    if not isinstance(loss, losslab.Loss):
        raise LabError(
            f"{given!r} is not a losslab.Loss",
            "the lab asks a loss which labels and outputs it takes, and a bare function cannot tell",
            "declare it as a class: class MyLoss(losslab.ElementLoss)",
        )
    return loss


def _unknown(given: Any, previous: str, error: Exception) -> LabError:
    if isinstance(given, str) and "=" in given and ":" not in given:
        return LabError(
            f"unknown loss '{given}'",
            "a comma separates losses, a colon the parameters of one",
            f"write {previous or 'focal:gamma=3'}:{given}",
        )
    return LabError(str(error), "no loss or alias has that name", "losslab list names all of them")


def _label(given: Any, loss: losslab.Loss) -> str:
    path, parameters = own_loss.path_in(given)
    if isinstance(given, str) and not path:
        parameters = given.partition(":")[2]
        return f"{loss.name}:{parameters}".rstrip(":")
    if parameters:
        return f"{loss.name}:{parameters}"
    return loss.name if repr(loss).endswith("()") else repr(loss)


def numbers(option: str, text: str) -> tuple[float, ...]:
    """Return the numbers of a comma-separated list."""
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError as error:
        example = "0.4, or --noise 0,0.2,0.4" if option == "noise" else "10, or --imbalance 1,10,100"
        raise LabError(
            f"bad value '{text}' for --{option}",
            "it takes a number, or several with commas between them",
            f"for example --{option} {example}",
        ) from error


def levels(noise: str, imbalance: str) -> tuple[str, tuple[float, ...], dict[str, float]]:
    """Return which of the two is to be tried at several levels, the levels, and the number for what is not."""
    given = {"noise": numbers("noise", noise), "imbalance": numbers("imbalance", imbalance)}
    several = [kind for kind, values in given.items() if len(values) > 1]
    if len(several) > 1:
        raise LabError(
            "noise and imbalance both have several levels", "a curve is over one of them", "give one number for one"
        )
    single = {kind: values[0] for kind, values in given.items() if kind not in several}
    return (several[0], given[several[0]], single) if several else ("", (), single)


def learning_rate(text: str) -> float | None:
    """Return None for "auto", X for "shared=X"."""
    if text == "auto":
        return None
    prefix, _, number = text.partition("=")
    try:
        rate = float(number)
    except ValueError:
        rate = math.nan
    if prefix != "shared" or not (math.isfinite(rate) and rate > 0):
        raise LabError(
            f"bad learning rate '{text}'",
            "--lr takes auto (each loss its own, tuned) or shared=X with X a positive number",
            "for example --lr auto, or --lr shared=1e-3",
        )
    return rate


def group_of(arm: Arm, protocol: Protocol, task: dict[str, Any], digest: str) -> str:
    """Return the id of everything that an arm's runs have in common."""
    return _short_hash(
        {
            "loss": arm.loss,
            "definition": arm.definition,
            "task": task,
            "model": protocol.model,
            "model_definition": protocol.model_definition,
            "engine": protocol.engine,
            "epochs": protocol.epochs,
            "batch": protocol.batch,
            "noise": protocol.noise,
            "imbalance": protocol.imbalance,
            "optimizer": protocol.optimizer,
            "data": digest,
            "trainer": TRAINER_VERSION,
            "losslab": losslab.__version__,
        }
    )


def jobs(
    stage: str,
    rates: Sequence[tuple[Arm, float]],
    seeds: Iterable[int],
    protocol: Protocol,
    task: dict[str, Any],
    data: dict[str, Any],
) -> list[Job]:
    """Return the jobs of a stage in seed-major order, so that a stopped comparison is still balanced.

    Args:
        stage: "tune", or "final" (which also measures the test examples).
        rates: pairs of an arm and a learning rate.
        seeds: the seeds to run each pair with.
        protocol: how to train.
        task: as `Task.describe` describes it.
        data: the data set's spec and its digest.
    """
    return [_job(stage, arm, rate, seed, protocol, task, data) for seed in seeds for arm, rate in rates]


def _job(
    stage: str, arm: Arm, rate: float, seed: int, protocol: Protocol, task: dict[str, Any], data: dict[str, Any]
) -> Job:
    group = group_of(arm, protocol, task, data["digest"])
    return {
        "id": _short_hash({"group": group, "stage": stage, "lr": rate, "seed": seed}),
        "group": group,
        "stage": stage,
        "label": arm.label,
        "loss": arm.loss,
        "definition": arm.definition,
        "task": task,
        "lr": rate,
        "seed": seed,
        "model": protocol.model,
        "model_definition": protocol.model_definition,
        "engine": protocol.engine,
        "epochs": protocol.epochs,
        "batch": protocol.batch,
        "noise": protocol.noise,
        "imbalance": protocol.imbalance,
        "optimizer": protocol.optimizer,
        "data": data,
    }


def neighbour(rates: Sequence[float], best: float) -> float | None:
    """Return the next half-decade outward when the best rate is an end of the grid, else None."""
    ladder = sorted(rates)
    if best not in (ladder[0], ladder[-1]):
        return None
    step = -1 if best == ladder[0] else 1
    exponent = round(2 * math.log10(best)) + step
    decade, half = divmod(exponent, 2)
    return float(f"{3 if half else 1}e{decade}")


def _short_hash(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
