"""The mean squared error against its definition: as a function, as an object, by its name.

python examples/mse_three_ways.py
"""

import argparse

import numpy as np

import losslab


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000, help="rows of made-up predictions, 3 numbers each")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=(args.samples, 3))
    y_pred = y_true + rng.normal(scale=0.5, size=y_true.shape)

    print("The definition: the squared error, averaged over the last axis; one number for each sample.")
    by_hand = np.square(y_pred - y_true).mean(axis=-1)
    values = losslab.mean_squared_error(y_true, y_pred)
    compare("function", by_hand[0], values[0], f"the first of {values.shape[0]} values")
    np.testing.assert_allclose(values, by_hand)

    print("\nAn object reduces them to one number, and holds how.")
    compare("object", by_hand.mean(), losslab.MeanSquaredError()(y_true, y_pred), "averaged, as training wants it")
    compare("object, sum", by_hand.sum(), losslab.MeanSquaredError(reduction="sum")(y_true, y_pred), "summed")
    compare("name", by_hand.mean(), losslab.get("mse")(y_true, y_pred), 'losslab.get("mse"), or "mean_squared_error"')

    print("\nWeights. Two averages are in use, so each has a name.")
    weight = rng.uniform(size=args.samples)
    loss = losslab.get("mse:reduction=mean_with_sample_weight")
    by_number = losslab.MeanSquaredError()(y_true, y_pred, sample_weight=weight)
    compare("per sample", (weight * by_hand).mean(), by_number, 'divided by the samples: "sum_over_batch_size"')
    by_weight = loss(y_true, y_pred, sample_weight=weight)
    compare(
        "per weight", (weight * by_hand).sum() / weight.sum(), by_weight, 'by the weights: "mean_with_sample_weight"'
    )

    print("\nThe mistake: targets (N, 1) out of a table, predictions (N,) out of a flattened network.")
    column, flat = y_true[:, :1], y_pred[:, 0]
    difference = column - flat
    print(f"  NumPy makes a {difference.shape} matrix of them and averages it: {np.square(difference).mean():.6f}")
    right = np.square(y_true[:, 0] - flat).mean()
    compare("losslab", right, losslab.MeanSquaredError()(column, flat), "the two are aligned")
    try:
        losslab.mean_squared_error(column, y_pred)
    except ValueError as error:
        print(f"  {column.shape} against {y_pred.shape} has no meaning, and is refused:\n  {error}")


def compare(what, by_hand, value, remark):
    print(f"  {what:12} {value:12.6f}   by hand {by_hand:12.6f}   {remark}")
    np.testing.assert_allclose(value, by_hand)


if __name__ == "__main__":
    main()
