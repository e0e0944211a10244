"""Kinds of problems: what their labels are, what a loss must be able to do, and by which measures runs are judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losslab.lab.tasks.binary import Binary
from losslab.lab.tasks.classes import Classes
from losslab.lab.tasks.labels import MultiLabel
from losslab.lab.tasks.regression import Regression
from losslab.lab.tasks.segmentation import Segmentation
from losslab.lab.tasks.task import Labels, Output, Predicted, Task, refuse

__all__ = ["TASKS", "Labels", "Output", "Predicted", "Task", "refuse", "task_from"]

TASKS: dict[str, type[Task]] = {kind.name: kind for kind in (Classes, Binary, MultiLabel, Regression, Segmentation)}


def task_from(described: Mapping[str, Any]) -> Task:
    """Make the task again that `Task.describe` described."""
    return TASKS[described["name"]](described["measure"], described["cost"])
