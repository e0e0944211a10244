"""Element and row losses computed block by block, so that nothing but the inputs and the gradient leaves the cache.

A formula is traced once (`_trace`), differentiated (`_derivative`), put in terms that are fast (`_lowering`) and laid
out as steps on reused memory (`_program`, `_compile`). A call is a plan (`_plan`): which elements count, and how much.
The steps run over its blocks (`_run`, `_layout`, `_worker`).
"""

from ._blockwise import is_blockwise
from ._layout import layout_of
from ._threads import at_most, in_threads
from ._trace import Node, TraceOps
from ._work import BlockWork, block_work

__all__ = ["BlockWork", "Node", "TraceOps", "at_most", "block_work", "in_threads", "is_blockwise", "layout_of"]
