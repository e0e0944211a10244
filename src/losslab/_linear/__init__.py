"""Cross-entropy of a large vocabulary from the last hidden states, without ever holding the logits."""
