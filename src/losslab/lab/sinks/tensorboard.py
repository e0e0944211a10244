"""Runs as TensorBoard's event files, one a run, written whole or not at all."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

from losslab.lab.sinks.content import parameters, scalars, title
from losslab.lab.store import Record, write_whole


class TensorBoard:
    """Writes below a folder.

    Args:
        folder: what `tensorboard --logdir` is given.
        comparison: a folder in it.
    """

    def __init__(self, folder: str, comparison: str) -> None:
        self._folder = Path(folder) / comparison

    def write(self, record: Record) -> None:
        """Write a run, unless its file is there."""
        path = self._folder / title(record).replace("/", "_") / "events.out.tfevents.losslab"
        if not path.exists():
            write_whole(path, _events(record))


def _events(record: Record) -> bytes:
    """The file's content: a version, the parameters, and an event per scalar."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.record_writer import RecordWriter

    def summary(name: str, value: float) -> Any:
        return Summary(value=[Summary.Value(tag=name, simple_value=value)])

    now, file = time.time(), io.BytesIO()
    events = [Event(file_version="brain.Event:2"), Event(summary=hparams_pb(parameters(record), record["id"]))]
    events += [Event(step=epoch, summary=summary(name, value)) for name, epoch, value in scalars(record)]
    writer = RecordWriter(file)
    for event in events:
        event.wall_time = now
        writer.write(event.SerializeToString())
    return file.getvalue()
