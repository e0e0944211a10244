"""RowOptions: what turns a row of logits into a loss, apart from its label."""

import dataclasses
import functools
import math


@dataclasses.dataclass(frozen=True)
class RowOptions:
    r"""The part of a linear cross-entropy that a row of logits sees: a static, hashable value.

    For logits $z$ and a label $y$, with $u = \text{softcap} \cdot \tanh(z / \text{softcap}) / \text{temperature}$,
    $\text{lse} = \log \sum_k e^{u_k}$, $q_k = (1 - \varepsilon) [k = y] + \varepsilon / V$ and class weights $w$:

    value = $\sum_k q_k w_k (\text{lse} - u_k) + \text{z\_loss} \cdot \text{lse}^2$

    With $a = \sum_k q_k w_k$ the derivative is $\partial / \partial u_k = (a + 2\,\text{z\_loss}\,\text{lse})
    e^{u_k - \text{lse}} - q_k w_k$.
    """

    class_weight: tuple[float, ...] | None = None
    label_smoothing: float = 0.0
    softcap: float | None = None
    temperature: float = 1.0
    z_loss: float = 0.0

    @functools.cached_property
    def total_weight(self) -> float | None:
        """The sum of the class weights; None where every class has weight 1."""
        return None if self.class_weight is None else math.fsum(self.class_weight)

    def mean_weight(self, classes: int) -> float:
        """The mean class weight: smoothing's share of `a` is label_smoothing times this."""
        return 1.0 if self.total_weight is None else self.total_weight / classes
