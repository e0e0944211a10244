"""A causal language model of Hugging Face's transformers that never holds its logits: the same training, step by step.

    python examples/hugging_face_head.py

The model is small and random, and so is what it learns: nothing is downloaded.
"""

import argparse
import functools
import sys

import numpy as np
import torch

import losslab

try:
    import transformers
except ImportError:
    sys.exit("error: transformers is not installed\nfix: pip install transformers")

WORDS, LENGTH = 1000, 24


class LlamaForCausalLM(transformers.LlamaForCausalLM):  # the same name, which save_pretrained writes into the config
    @functools.wraps(transformers.LlamaForCausalLM.forward)  # its signature tells a Trainer which inputs to pass
    def forward(self, *args, labels=None, num_items_in_batch=None, **inputs):
        if labels is None:
            return super().forward(*args, **inputs)
        states = self.model(*args, **inputs).last_hidden_state
        loss = losslab.linear_cross_entropy(
            states[:, :-1], self.lm_head.weight, labels[:, 1:], ignore_class=-100, normalizer=num_items_in_batch
        )
        return transformers.modeling_outputs.CausalLMOutputWithPast(loss=loss)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=512, help="sequences; each step takes 16 of them")
    args = parser.parse_args()
    for tied in (False, True):
        print("One weight for the embedding and the head:" if tied else "A weight of its own for the head:")
        compare(*(train(model, args.samples) for model in both(tied)))
    mean_of_means(both(tied=False)[1])


def both(tied):
    """The model with its own loss, and with losslab's: the same numbers to start with."""
    config = transformers.LlamaConfig(
        vocab_size=WORDS,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        tie_word_embeddings=tied,
    )
    torch.manual_seed(0)
    own, ours = transformers.LlamaForCausalLM(config), LlamaForCausalLM(config)
    ours.load_state_dict(own.state_dict())
    return own, ours


def sequences(count, seed):
    """Words that count upwards from a random one; each sequence ends somewhere, and -100 marks what is no target."""
    rng = torch.Generator().manual_seed(seed)
    first = torch.randint(0, WORDS, (count, 1), generator=rng)
    ends = torch.randint(4, LENGTH + 1, (count, 1), generator=rng)
    ids, inside = (first + torch.arange(LENGTH)) % WORDS, torch.arange(LENGTH) < ends
    return {"input_ids": ids, "attention_mask": inside.long(), "labels": ids.masked_fill(~inside, -100)}


def train(model, samples):
    """The loss of every step; a step accumulates two batches, and divides by the targets of both."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for step in range(samples // 16):
        batches = [sequences(8, seed=2 * step + part) for part in range(2)]
        count = sum(targets(batch) for batch in batches)
        losses.append(0.0)
        for batch in batches:
            loss = model(**batch, num_items_in_batch=count).loss
            loss.backward()
            losses[-1] += loss.item()
        optimizer.step()
        optimizer.zero_grad()
    return losses


def targets(batch):
    """How many tokens are predicted: the first of a sequence never is."""
    return int((batch["labels"][:, 1:] != -100).sum())


def compare(own, ours):
    for step in sorted({0, len(own) // 2, len(own) - 1}):
        print(f"  step {step + 1:3}   its own loss {own[step]:8.5f}   losslab {ours[step]:8.5f}")
    np.testing.assert_allclose(ours, own, rtol=1e-3)


def mean_of_means(model):
    print("\nThe mistake: the mean of each batch's mean, where the batches have unequal numbers of targets.")
    long, short = sequences(8, seed=0), {name: each[:1] for name, each in sequences(8, seed=1).items()}
    count = targets(long) + targets(short)
    with torch.no_grad():
        wrong = sum(float(model(**batch).loss) / 2 for batch in (long, short))
        right = sum(float(model(**batch, num_items_in_batch=count).loss) for batch in (long, short))
    print(f"  {targets(long)} and {targets(short)} targets: mean of means {wrong:.5f}, of all targets {right:.5f}")


if __name__ == "__main__":
    main()
