"""Shard: which of the classes a rank holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """The classes first, first + 1, … of `classes` in all; how many is the length of the rank's logits."""

    first: int
    classes: int

    @classmethod
    def even(cls, classes: int, rank: int, ranks: int, size: int) -> "Shard":
        """The share of a rank where each holds ⌈classes / ranks⌉ and the last ones what is left, as DTensor splits.

        Args:
            size: how many classes the rank holds in fact.

        Raises:
            ValueError: its share is another number.
        """
        step = -(-classes // ranks)
        first = min(rank * step, classes)
        share = min(step, classes - first)
        if share != size:
            raise ValueError(
                f"rank {rank} of {ranks} holds {size} classes, but its even share of {classes} is {share}: give first= "
                f"too, the first class that the rank holds, or leave out classes= to have the sizes gathered"
            )
        return cls(first, classes)

    @classmethod
    def said(cls, first: int, classes: int | None, size: int) -> "Shard":
        """A shard as the caller says it.

        Raises:
            ValueError: it reaches beyond the classes, or nothing says how many there are.
        """
        if classes is None:
            raise ValueError(f"first={first} needs classes=, the number of classes of all ranks together")
        if not 0 <= first <= classes - size:
            raise ValueError(
                f"a shard of {size} classes with first={first} does not fit into classes={classes}: "
                f"first must be from 0 to {classes - size}"
            )
        return cls(first, classes)
