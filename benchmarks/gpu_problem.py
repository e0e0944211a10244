"""What is computed on a GPU: problems, their arrays, and the reference in float64."""

import math
from dataclasses import dataclass

import torch

Tensor = torch.Tensor

ROWS_AT_ONCE = 1024  # of the reference


@dataclass(frozen=True)
class Problem:
    """The mean cross-entropy of N rows of V classes: of logits, or where D is not 0 of D hidden numbers each."""

    rows: int
    width: int
    classes: int
    dtype: torch.dtype = torch.bfloat16
    peaked: bool = False

    @property
    def name(self) -> str:
        what = f"linear {self.rows}x{self.width}x{self.classes}" if self.width else f"logits {self.rows}x{self.classes}"
        return f"{what} {str(self.dtype).removeprefix('torch.')} {'peaked' if self.peaked else 'randn'}"

    @property
    def floor(self) -> tuple[str, int]:
        """What the gradient takes at the least: bytes of logits read and written, or operations of three products."""
        if self.width:
            return "flop", 6 * self.rows * self.width * self.classes
        return "byte", 2 * self.rows * self.classes * torch.finfo(self.dtype).bits // 8

    @property
    def tolerance(self) -> tuple[float, float]:
        """Relative, of the value and of the norm of each gradient.

        In bfloat16 a label's logit near 16 is rounded by up to 0.06, and so is a peer's log-probability or its loss:
        far from what float32 between the products gives, which the table shows, but right.
        """
        if self.dtype == torch.float32:
            return 1e-4, 1e-3
        return 1e-2, 1e-1 if self.peaked else 2e-2

    def arrays(self, device: str) -> tuple[Tensor, ...]:
        """(logits, labels) or (hidden, weight, labels); peaked: a label has a probability of about 0.97."""
        torch.manual_seed(0)
        labels = torch.randint(0, self.classes, (self.rows,), device=device)
        lift = math.log(self.classes) + 4.0 if self.peaked else 0.0
        if not self.width:
            logits = torch.randn(self.rows, self.classes, device=device, dtype=self.dtype)
            logits[torch.arange(self.rows, device=device), labels] += lift
            return logits, labels
        weight = (torch.randn(self.classes, self.width, device=device) / math.sqrt(self.width)).to(self.dtype)
        hidden = torch.randn(self.rows, self.width, device=device) + lift * weight[labels]
        return hidden.to(self.dtype), weight, labels


def reference(arrays: tuple[Tensor, ...]) -> tuple[float, list[Tensor]]:
    """The mean loss and its gradients, from their definitions in float64, kept in float32."""
    *inputs, labels = arrays
    wide = [x.double() for x in inputs[1:]]
    total, gradients = 0.0, [torch.zeros_like(inputs[0], dtype=torch.float32), *map(torch.zeros_like, wide)]
    for rows in torch.arange(len(labels), device=labels.device).split(ROWS_AT_ONCE):
        first = inputs[0][rows].double()
        logits = first @ wide[0].T if wide else first
        lse = torch.logsumexp(logits, 1, keepdim=True)
        total += float((lse - logits.gather(1, labels[rows, None])).sum())
        slope = torch.exp(logits - lse).scatter_add_(1, labels[rows, None], -torch.ones_like(lse)) / len(labels)
        gradients[0][rows] = (slope @ wide[0] if wide else slope).float()
        if wide:
            gradients[1] += slope.T @ first
    return total / len(labels), [x.float() for x in gradients]


LOGITS = ((4096, 32000), (8192, 128256), (2048, 262144), (65536, 100))
LINEAR = (
    (2048, 4096, 32000),
    (4096, 4096, 128256),
    (8192, 4096, 128256),
    (8192, 2304, 256000),
    (8192, 1024, 128256),
    (32768, 4096, 128256),
)
PROBLEMS = [
    *(Problem(rows, 0, classes, dtype) for rows, classes in LOGITS for dtype in (torch.bfloat16, torch.float32)),
    Problem(8192, 0, 128256, peaked=True),
    *(Problem(*shape) for shape in LINEAR),
    Problem(4096, 4096, 128256, peaked=True),
]
TINY = [Problem(8, 0, 50, torch.float32), Problem(8, 16, 50, torch.float32, peaked=True)]
