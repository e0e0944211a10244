"""Runs in an MLflow tracking server or database."""

from __future__ import annotations

import time
from typing import Any

from losslab.lab.sinks.content import parameters, scalars, title
from losslab.lab.store import Record

_MOST_METRICS = 1000
_ID = "losslab.id"


class MLflow:
    """Writes to an experiment.

    Args:
        uri: the tracking URI.
        comparison: the experiment's name, after "losslab/".
    """

    def __init__(self, uri: str, comparison: str) -> None:
        from mlflow.tracking import MlflowClient

        self._client: Any = MlflowClient(tracking_uri=uri)
        name = f"losslab/{comparison}"
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name)

    def write(self, record: Record) -> None:
        """Write a run, unless one with its id is there that was finished."""
        wanted = f"tags.`{_ID}` = '{record['id']}' and attributes.status = 'FINISHED'"
        if not self._client.search_runs([self._experiment], wanted, max_results=1):
            self._write(record)

    def _write(self, record: Record) -> None:
        from mlflow.entities import Metric, Param

        now = int(1000 * time.time())
        tags = {_ID: record["id"], "mlflow.runName": title(record)}
        run = self._client.create_run(self._experiment, tags=tags).info.run_id
        params = [Param(name, str(value)) for name, value in parameters(record).items()]
        metrics = [Metric(name, value, now, epoch) for name, epoch, value in scalars(record)]
        self._client.log_batch(run, params=params)
        for start in range(0, len(metrics), _MOST_METRICS):
            self._client.log_batch(run, metrics=metrics[start : start + _MOST_METRICS])
        self._client.set_terminated(run, "FINISHED")
