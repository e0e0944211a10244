"""How many cartons of juice to order: money lost under the squared error, the absolute error, and the cost itself.

    python examples/juice_sales.py

A carton left over has cost price x (1 - margin); a missed sale would have earned price x margin. That is the asymmetric
cost: (over + under) times the quantile loss at under / (over + under), which is the margin. So the best order is that
quantile of the sales, not their mean (which the squared error finds) nor their median (the absolute error).
Prices and margins differ from row to row. losslab.AsymmetricCost takes one price of each kind, here the averages; the
exact cost of each row is a function of our own. The account of the money is exact for all. The test is the last weeks.
Sales stand in for demand: what nobody could buy is not in the data.
"""

import argparse
import sys
from pathlib import Path

import data  # noqa: F401  before Keras: it chooses the backend
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras import layers, ops

import losslab

FEATURES = ["log_last", "log_usual", "log_price", "discount", "shelf", "cheapest", "deal", "feat", "margin"]


def read(path, rows):
    """One row per shop, brand and week, with what the shop knows when it orders: past sales, and its own plans."""
    if not Path(path).is_file():
        sys.exit(f"no file {path}: give --data; the set is Dominick's orange juice, as in the R package bayesm")
    table = pd.read_csv(path).sort_values(["store", "brand", "week"]).head(rows)
    past = table.groupby(["store", "brand"])
    usual = lambda values: values.shift(1).rolling(8, min_periods=1).median()  # noqa: E731
    prices = np.log(table[[f"price{brand}" for brand in range(1, 12)]])  # of all eleven brands, per ounce
    table["margin"] = table.profit / 100
    table["log_last"] = np.log1p(past.cartons.shift(1))
    table["log_usual"] = np.log1p(past.cartons.transform(usual))
    table["log_price"] = np.log(table.price_per_carton)
    table["discount"] = table.log_price - np.log(past.price_per_carton.transform(usual))
    table["shelf"] = np.log(table.price_per_carton / table.size_oz) - prices.mean(axis=1)
    table["cheapest"] = prices.min(axis=1) - prices.mean(axis=1)
    return table.dropna()


def split(table, is_test):
    """Features and (cartons, cost of one left over, cost of one missed), of the weeks to learn from and of the test."""
    mean, spread = table[~is_test][FEATURES].mean(), table[~is_test][FEATURES].std() + 1e-6
    for part in (table[~is_test], table[is_test]):
        known = ((part[FEATURES] - mean) / spread).clip(-4, 4).to_numpy("float32")
        y = [part.cartons, part.price_per_carton * (1 - part.margin), part.price_per_carton * part.margin]
        yield [known, part[["log_usual"]].to_numpy("float32")], np.stack(y, axis=1).astype("float32")


def money(y, order):
    """(N, 2) dollars lost with each order: on cartons left over, and on sales missed."""
    error = order[:, 0] - y[:, 0]
    return ops.stack([y[:, 1] * ops.relu(error), y[:, 2] * ops.relu(-error)], axis=1)


def each_rows_cost(y, order):
    return ops.sum(money(y, order), axis=1)


def orders(loss, train, x_test, seed, epochs):
    """Train log(order) = log(usual sales) + a correction by a small network; return (M, 1) orders."""
    (x, y), rows = train, slice(None) if loss is each_rows_cost else slice(1)
    keras.utils.set_random_seed(seed)
    known, log_usual = layers.Input((len(FEATURES),)), layers.Input((1,))
    hidden = layers.Dense(32, "relu")(layers.Dense(64, "relu")(known))
    correction = layers.Dense(1, kernel_initializer="zeros")(hidden)
    model = keras.Model([known, log_usual], ops.exp(log_usual + correction))
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * -(-len(y) // 512))
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(x, y[:, rows], batch_size=512, epochs=epochs, verbose=0)
    return model.predict(x_test, batch_size=8192, verbose=0)


def lost(loss, train, test, args):
    """(seeds, 2) what the orders lose on the test, of all that could be earned: left over, missed."""
    (x_test, y_test), runs = test, []
    for seed in range(args.seeds):
        order = np.exp(x_test[1]) - 1 if loss is None else orders(loss, train, x_test, seed, args.epochs)
        runs.append(np.asarray(money(y_test, order)).sum(axis=0))
    return np.array(runs) / (y_test[:, 0] * y_test[:, 2]).sum()


def draw(shares, file):
    figure, axes = plt.subplots(figsize=(9, 1 + 0.55 * len(shares)), layout="constrained")
    for place, (over, under) in enumerate(100 * runs.mean(axis=0) for runs in shares.values()):
        axes.barh(place, over, color="#D55E00", height=0.62)
        axes.barh(place, under, left=over, color="#0072B2", height=0.62)
        axes.text(over + under + 1, place, f"{over + under:.0f} %", va="center", fontweight="bold")
        if place == 0:
            axes.text(over / 2, place, "left over", color="white", ha="center", va="center")
            axes.text(over + under / 2, place, "missed sales", color="white", ha="center", va="center")
    axes.set_yticks(range(len(shares)), list(shares))
    axes.invert_yaxis()
    axes.axvline(100, color="#57606a", linewidth=1, linestyle=":", zorder=0)
    axes.text(101, len(shares) - 1, "ordering nothing\nloses 100 %", color="#57606a", va="center")
    axes.set_xlabel("money lost, % of what perfect orders would earn")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(file, dpi=160)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../shared/data/orange_juice.csv.gz")
    parser.add_argument("--samples", type=int, help="keep the first rows only: fewer shops, all weeks")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--weeks", type=int, default=24, help="how many of the last weeks are the test")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "output", help="for the picture")
    args = parser.parse_args()

    table = read(args.data, args.samples)
    is_test = (table.week >= np.sort(table.week.unique())[-args.weeks]).to_numpy()
    train, test = split(table, is_test)
    earned = (test[1][:, 0] * test[1][:, 2]).sum() / args.weeks
    _, over, under = train[1].mean(axis=0).tolist()
    cost, tau = losslab.AsymmetricCost(over=over, under=under), under / (over + under)
    print(f"{len(train[1])} rows to learn from, {len(test[1])} later ones to order for: ${earned:,.0f} a week to earn.")
    print(f"A carton left over costs ${over:.2f} on average, a missed sale ${under:.2f}: order the {tau:.0%} quantile.")
    multiple = (over + under) * losslab.Quantile(quantile=tau)([10.0], [12.0])
    print(f"12 ordered, 10 sold: ${cost([10.0], [12.0]):.2f} lost; (over + under) x quantile loss ${multiple:.2f}.\n")

    losses = {
        "as usual: no network": None,
        "squared error": losslab.mean_squared_error,
        "absolute error": losslab.mean_absolute_error,
        "cost, average prices": cost.per_sample,
        "cost, each row's prices": each_rows_cost,
    }
    shares = {name: lost(loss, train, test, args) for name, loss in losses.items()}
    print(f"{'$ lost a week':25}{'left over':>10}{'missed':>10}{'together':>10}   of {args.seeds} seeds, least to most")
    for name, runs in shares.items():
        (over_all, under_all), both = earned * runs.mean(axis=0), earned * runs.sum(axis=1)
        row = f"{name:25}{over_all:>10,.0f}{under_all:>10,.0f}{both.mean():>10,.0f}"
        print(f"{row}   {both.min():,.0f} to {both.max():,.0f}")
    args.out.mkdir(parents=True, exist_ok=True)
    draw(shares, args.out / "juice_sales.png")

    print("\nThe mistake: test rows taken at random, beside their neighbours of the same week.")
    random_train, random_test = split(table, np.random.default_rng(0).permutation(is_test))
    for name in ("squared error", "cost, each row's prices"):
        promised = lost(losses[name], random_train, random_test, args).sum(axis=1).mean()
        print(f"{name:25}{promised:8.0%} lost at random{shares[name].sum(axis=1).mean():8.0%} in the later weeks")

    print("\nThe mistake: the prices as they stand in the books, a loss with a minus.")
    try:
        losslab.AsymmetricCost(over=-round(over, 2), under=under)
    except ValueError as error:
        print(error)


if __name__ == "__main__":
    main()
