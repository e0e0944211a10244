"""What the labels and predictions of a loss may be; a declaration names them as `targets` and `outputs`."""

from ._domain import (
    BINARY,
    CLASS_ID,
    COUNT,
    DISTRIBUTION,
    LOGIT,
    LOGITS,
    NON_NEGATIVE,
    ONE_HOT,
    PROBABILITY,
    RATE,
    REAL,
    SCORE,
    SCORES,
    SIGN,
    Domain,
)

__all__ = [
    "BINARY",
    "CLASS_ID",
    "COUNT",
    "DISTRIBUTION",
    "LOGIT",
    "LOGITS",
    "NON_NEGATIVE",
    "ONE_HOT",
    "PROBABILITY",
    "RATE",
    "REAL",
    "SCORE",
    "SCORES",
    "SIGN",
    "Domain",
]
