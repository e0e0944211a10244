"""The cross-entropies against NumPy: on one-hot labels, on class ids, on yes and no, from logits.

python examples/cross_entropy_by_hand.py
"""

import argparse

import numpy as np

import losslab


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000, help="rows of made-up logits, 10 classes each")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(args.samples, 10))
    ids = rng.integers(10, size=args.samples)
    one_hot = losslab.one_hot(ids, 10)
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)

    print("The cross-entropy: minus the logarithm of the probability given to what was true. Means of all samples:")
    by_hand = -np.log(p[np.arange(args.samples), ids])
    compare("categorical", by_hand, losslab.categorical_crossentropy(one_hot, p), "one-hot labels")
    compare("sparse", by_hand, losslab.sparse_categorical_crossentropy(ids, p), "class ids: the same number")
    from_logits = losslab.sparse_categorical_crossentropy(ids, logits, from_logits=True)
    compare("from logits", by_hand, from_logits, "what the network says before its softmax")

    print("\nYes or no, for each of ten questions: the mean of ten cross-entropies, not their sum.")
    by_hand = -(one_hot * np.log(p) + (1 - one_hot) * np.log(1 - p)).mean(axis=-1)
    compare("binary", by_hand, losslab.binary_crossentropy(one_hot, p), "each class a question of its own")

    overflow()
    softmax_twice(ids, one_hot)
    ids_for_one_hot(ids, p)


def overflow():
    print("\nThe mistake: the formula typed as it stands in the book, at a confident network's logits.")
    with np.errstate(all="ignore"):
        z = np.array([1000.0, 0.0])
        typed = -np.log(np.exp(z) / np.exp(z).sum())
    exact = abs(losslab.sparse_categorical_crossentropy([0, 1], [z, z], from_logits=True))
    print(f"  logits {z.tolist()}: by the book {typed.tolist()}, losslab {exact.tolist()}")


def softmax_twice(ids, one_hot):
    print("\nThe mistake: from_logits=True behind a softmax layer, so that softmax is applied twice.")
    loss = losslab.SparseCategoricalCrossentropy(from_logits=True)
    floor = np.log(np.e + 9) - 1
    print(
        f"  perfect predictions still cost {loss(ids, one_hot):.3f} = log(e + 9) - 1 = {floor:.3f}: there it gets stuck"
    )
    print(f"  no shape gives it away, so ask the loss what it wants: {loss.outputs.meaning}")


def ids_for_one_hot(ids, p):
    print("\nThe mistake: class ids given to the loss on one-hot labels.")
    try:
        losslab.categorical_crossentropy(ids, p)
    except ValueError as error:
        print(f"  {error}")


def compare(what, by_hand, values, remark):
    print(f"  {what:12} {values.mean():10.6f}   by hand {by_hand.mean():10.6f}   {remark}")
    np.testing.assert_allclose(values, by_hand, rtol=1e-6)


if __name__ == "__main__":
    main()
