"""Six ways to say which loss, and the whole table of names.

python examples/names_to_losses.py
"""

import argparse
import inspect
import json

import losslab


def fourth_power(y_true, y_pred, scale=1.0):
    return ((y_pred - y_true) / scale) ** 4


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--match", default="", help="only names that contain this")
    args = parser.parse_args()
    catalogue = losslab.names()  # before a loss of our own joins it
    y_true, y_pred = [[0.0], [0.0]], [[1.0], [3.0]]

    print("All of these mean a Huber loss with delta = 2:")
    loss = losslab.Huber(delta=2.0)
    config = losslab.serialize(loss)
    ways = {
        "class": loss,
        "string": losslab.get("huber:delta=2"),
        "alias": losslab.get("huber_loss:delta=2"),
        "config": losslab.get(json.loads(json.dumps(config))),
        "repr": eval(repr(loss), vars(losslab)),
    }
    for way, same in ways.items():
        assert same == loss
        print(f"  {way:10}{same!r:20} {same(y_true, y_pred):.4f}")
    values = losslab.huber(y_true, y_pred, delta=2.0)
    print(f"  {'function':10}{'huber(…, delta=2.0)':20} {values}: a number per sample, which the others average")
    print(f"  the config, as JSON: {json.dumps(config)}")

    print("\nA function of your own becomes a loss, with weights, masks and reductions:")
    wrapper = losslab.LossFunctionWrapper(fourth_power, scale=2.0)
    print(f"  wrapper:  {wrapper.name}, {wrapper(y_true, y_pred):.4f}; the second weighted 0:", end=" ")
    print(f"{wrapper(y_true, y_pred, sample_weight=[1, 0]):.4f}")
    losslab.register(fourth_power, aliases=["quartic"])
    print(f"  registered, by its alias: {losslab.get('quartic:scale=2')(y_true, y_pred):.4f}")

    print("\nThe mistakes:")
    said(losslab.get, "hubr")
    said(losslab.get, "huber:delta=-1")
    said(losslab.get, "huber:dleta=2")
    said(losslab.LossFunctionWrapper, fourth_power, power=3)

    print(f"\nThe whole table: {len(catalogue)} losses, their parameters, and the other names that they answer to.")
    for name in catalogue:
        also = losslab.aliases_of(name)
        if any(args.match in word for word in (name, *also)):
            print(f"  {name}({parameters(name)})\n      {', '.join(also)}")


def said(call, *given, **named):
    """What losslab says to a mistake."""
    try:
        call(*given, **named)
    except (TypeError, ValueError) as error:
        print(f"  {type(error).__name__}: {error}")


def parameters(name):
    loss = losslab.get(name)
    known = inspect.signature(type(loss)).parameters.values()
    own = [each for each in known if each.name not in ("reduction", "name")]
    return ", ".join(f"{each.name}={each.default!r}" if each.default is not each.empty else each.name for each in own)


if __name__ == "__main__":
    main()
