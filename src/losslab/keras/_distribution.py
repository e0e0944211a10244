"""Losses under tf.distribute: Keras sums the gradients of the replicas, so each gives its share of the mean."""

from typing import Any

import keras


def share_of_mean(loss: Any, reduction: str) -> Any:
    """A replica's mean divided by the number of replicas; a sum, and the values of "none", as they are."""
    if reduction not in ("sum_over_batch_size", "mean_with_sample_weight") or keras.config.backend() != "tensorflow":
        return loss
    import tensorflow as tf  # imported already: it is Keras' backend

    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return loss if replicas == 1 else loss / replicas
