"""Networks: the lab's, and the user's own. Their last layer gives plain scores; each loss has its activation."""

BUILT_IN = ("mlp", "cnn", "unet")
