"""Run by saving.py in a fresh process: load all that lies in a folder, and write down the values."""

import json
import pathlib
import pickle
import sys


def main(folder):
    import keras
    import numpy as np

    import losslab.keras

    losslab.keras.register_strings()
    sys.path.insert(0, str(folder))
    import own_loss  # noqa: F401  # registers the loss: last, so that nothing but `register` tells Keras

    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")  # models.inputs()
    values = {}
    for path in folder.glob("*.keras"):
        data = np.load(path.with_suffix(".npz"))
        model = keras.saving.load_model(path)
        values[path.stem] = model.evaluate(x, data["y"], sample_weight=data["w"], batch_size=4, verbose=0)
    for number, config in enumerate(json.loads((folder / "losses.json").read_text())):
        data = np.load(folder / f"loss_{number}.npz")
        loss = keras.saving.deserialize_keras_object(config)
        value = keras.ops.convert_to_numpy(loss(data["y"], data["p"]))
        values[f"loss_{number}"] = value.astype("float64").tolist()
        again = pickle.loads((folder / f"loss_{number}.pickle").read_bytes())
        values[f"pickle_{number}"] = again.get_config()
        other = losslab.keras.wrap(again.core.replace(name="other"))
        values[f"equal_{number}"] = [loss == again, loss == other]
    (folder / "values.json").write_text(json.dumps(values))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
