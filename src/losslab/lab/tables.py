"""Tables, .csv and .parquet, to raw arrays: numbers as they are, texts one-hot, times in days."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from losslab.lab.errors import Exit, LabError, did_you_mean
from losslab.lab.readers import LARGEST, Array, Raw, check_file, damaged, some

if TYPE_CHECKING:
    import pandas as pd

MOST_LEVELS = 100
_DATE = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?"


@dataclass(frozen=True)
class Columns:
    """What a table's columns are for.

    Attributes:
        target: what to predict: a column, or several with commas between them.
        drop: columns to leave out, likewise.
        by: the column whose values keep their examples together; it is no input.
    """

    target: str | None = None
    drop: str = ""
    by: str | None = None

    @property
    def targets(self) -> list[str]:
        """The names of the columns to predict."""
        return _names(self.target or "")

    @property
    def dropped(self) -> list[str]:
        """The names of the columns that are left out."""
        return _names(self.drop)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def read_table(path: Path, columns: Columns) -> Raw:
    """Read a .csv, .csv.gz or .parquet file.

    Raises:
        LabError: no such file or column, values that are missing, a text column that looks like an identifier.
    """
    check_file(path)
    table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    if table.empty:
        raise LabError(
            f"{path.name} has no rows", "there is nothing to learn from", "give a table with a header and rows"
        )
    _check_columns(path, columns, list(map(str, table.columns)))
    table = table.drop(columns=columns.dropped)
    _check_missing(path, table)
    table = _with_times(table, [name for name in table.columns if name not in columns.targets])
    groups = None if columns.by is None else table.pop(columns.by).to_numpy()
    y = _labels(table[columns.targets])
    x, standardized = _inputs(path, table.drop(columns=columns.targets), columns)
    names = tuple(columns.targets) if len(columns.targets) > 1 else ()
    return Raw(path.name, x, y, standardized, classes=names, ids_only=False, groups=groups)


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except (ValueError, OSError, EOFError, zlib.error) as error:  # pandas' parser errors are ValueErrors
        raise damaged(path, "CSV table", error) from error


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    if find_spec("pyarrow") is None:
        raise LabError(
            f"cannot read {path}", "pyarrow is not installed", 'pip install "losslab[parquet]"', Exit.ENVIRONMENT
        )
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except (ValueError, OSError) as error:  # pyarrow's errors are ValueErrors and OSErrors
        raise damaged(path, "Parquet table", error) from error


def _with_times(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Make dates that are texts, and times of a zone, times without one (in UTC)."""
    zoned = table[names].select_dtypes("datetimetz")
    texts = table[names].select_dtypes(exclude=["number", "bool", "datetime", "datetimetz"]).astype(str)
    found = {name: column.dt.tz_convert(None) for name, column in zoned.items()}
    found |= {name: times for name, column in texts.items() if (times := _times(column)) is not None}
    table = table.copy(deep=False)
    for name, times in found.items():
        table[name] = times
    return table


def _times(texts: pd.Series[Any]) -> pd.Series[Any] | None:
    """The times that a column of texts holds, or None where one of them is no date as ISO 8601 writes it."""
    import pandas as pd

    if not texts.str.fullmatch(_DATE).all():
        return None
    try:
        return pd.to_datetime(texts, format="ISO8601", utc=True).dt.tz_convert(None)
    except ValueError:  # the 31st of February
        return None


def _labels(table: pd.DataFrame) -> Array:
    """(N,) labels, or (N, columns) of several: numbers as they are, anything else as text."""
    numbers = table.select_dtypes(["number", "bool"]).shape[1] == table.shape[1]
    if numbers:  # of a column each, since a table of numbers and booleans would be one of objects
        values = np.stack([table[name].to_numpy() for name in table], axis=1)
    else:
        values = table.astype(str).to_numpy(str)
    return np.asarray(values[:, 0] if values.shape[1] == 1 else values)


def _inputs(path: Path, table: pd.DataFrame, columns: Columns) -> tuple[Array, Array]:
    """Inputs (N, features), and which of them are to be standardised: numbers and times, not ones and zeros."""
    import pandas as pd

    if table.shape[1] == 0:
        raise LabError(
            f"{path.name} has no column but '{columns.target}'",
            "a network needs something to look at",
            "add feature columns",
        )
    numeric = table.select_dtypes("number")
    times = table.select_dtypes("datetime").apply(lambda column: (column - column.min()) / pd.Timedelta(days=1))
    text = table.drop(columns=[*numeric.columns, *times.columns]).astype(str)
    _check_levels(path, text)
    encoded = pd.get_dummies(text, dtype=float) if text.shape[1] else text
    x = np.concatenate([part.to_numpy(np.float64) for part in (numeric, times, encoded)], axis=1)
    return x, np.arange(x.shape[1]) < numeric.shape[1] + times.shape[1]


def _check_columns(path: Path, columns: Columns, known: list[str]) -> None:
    if not columns.targets:
        raise LabError(
            f"no target column named for {path.name}",
            f"its columns are {some(known)}",
            f"add --target COLUMN, for example --target {known[-1]}",
        )
    every = [*columns.targets, *columns.dropped, *_names(columns.by or "")]
    if twice := [name for name in every if every.count(name) > 1]:
        raise LabError(
            f"column '{twice[0]}' is named twice",
            "a column is a target, left out, or what keeps examples together",
            "name it once among --target, --drop and --by",
        )
    for option, names in (("target", columns.targets), ("drop", columns.dropped), ("by", _names(columns.by or ""))):
        for name in names:
            if name not in known:
                raise LabError(
                    f"no column '{name}' in {path.name}",
                    f"its columns are {some(known)}",
                    did_you_mean(name, known, f"name one of them, for example --{option} {known[-1]}"),
                )


def _check_missing(path: Path, table: Any) -> None:
    numbers = table.select_dtypes("number")
    infinite = (np.abs(numbers.to_numpy(float)) > LARGEST).sum(axis=0)
    missing = table.isna().sum()
    missing[numbers.columns] += infinite
    for column, count in missing.items():
        if count:
            raise LabError(
                f"column '{column}' of {path.name} is empty, NaN or infinite in {count} of {len(table)} rows",
                f"a network trained on NaN learns nothing; beyond ±{LARGEST:.0e}, float32 overflows",
                "drop those rows, fill them first, or leave the column out with --drop",
            )


def _check_levels(path: Path, text: Any) -> None:
    for column in text.columns:
        levels = text[column].nunique()
        if levels > MOST_LEVELS:
            raise LabError(
                f"column '{column}' of {path.name} holds {levels} different texts",
                f"text columns become one input per text, and more than {MOST_LEVELS} looks like an identifier",
                f"leave it out with --drop {column}, or encode it first",
            )
