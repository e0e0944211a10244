"""Networks: the lab's two."""
