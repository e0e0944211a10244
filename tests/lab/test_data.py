"""Data sets by name and by file, and the refusals."""

import gzip
import re
from dataclasses import replace

import numpy as np
import pytest

from losslab.lab import data, readers
from losslab.lab.data import DataSpec
from losslab.lab.errors import LabError
from losslab.lab.split import disturbed, split, training_examples
from losslab.lab.streams import stream

RNG = np.random.default_rng(0)


@pytest.fixture
def npz(tmp_path):
    """Write arrays to a .npz file and return its spec."""

    def write(**arrays):
        path = tmp_path / "some.npz"
        np.savez(path, **arrays)
        return DataSpec(str(path))

    return write


@pytest.fixture
def csv(tmp_path):
    def write(text, target="y"):
        path = tmp_path / "some.csv"
        path.write_text(text)
        return DataSpec(str(path), target)

    return write


def test_digits():
    digits = data.load(DataSpec("digits"))
    assert digits.x.shape[1:] == (8, 8)
    assert len(digits.y) + len(digits.y_test) == 1797
    assert len(digits.y_test) == 359
    assert digits.labels.classes == tuple("0123456789")
    assert not digits.own_test


def test_subset_and_digest():
    small, again = (data.load(DataSpec("digits", subset=300)) for _ in range(2))
    assert len(small.y) + len(small.y_test) == 300
    assert small.digest == again.digest != data.load(DataSpec("digits")).digest
    assert np.bincount(small.y).min() >= 20


def test_a_changed_file_is_read_again_and_is_not_what_was_planned(npz):
    old = data.load(npz(x=RNG.normal(size=(60, 4)), y=np.arange(60) % 3))
    spec = npz(x=RNG.normal(size=(60, 4)), y=np.arange(60) % 3)
    new = data.load(spec)
    assert new.digest != old.digest
    assert data.load(spec, new.digest) is new
    with pytest.raises(LabError, match="has changed"):
        data.load(spec, old.digest)


def test_a_worker_that_lives_long_reads_again_what_was_changed_and_planned_anew(npz):
    old, new = ({"x": RNG.normal(size=(60, 4)), "y": np.arange(60) % 3} for _ in range(2))
    planned = data.load(npz(**new)).digest
    data.load(spec := npz(**old))
    assert npz(**new) == spec
    assert data.load(spec, planned).digest == planned


def test_npz_with_its_own_test_examples_and_column_labels(npz):
    x, y = RNG.integers(0, 255, (60, 32, 32, 3), dtype=np.uint8), np.arange(60).reshape(60, 1) % 3
    found = data.load(npz(x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:]))
    assert found.own_test
    assert found.y.shape == (40,)
    assert found.y_test.shape == (20,)
    assert sorted(map(int, found.labels.classes)) == [0, 1, 2]
    parts = split(found, 0)
    assert parts.train.x.dtype == np.float32
    assert 0 <= parts.train.x.min() < parts.train.x.max() <= 1


@pytest.mark.parametrize("labels", [np.arange(60) % 3, np.eye(3)[np.arange(60) % 3], (np.arange(60) % 3).astype(float)])
def test_npz_labels_as_ids_one_hot_or_whole_floats(npz, labels):
    found = data.load(npz(x=RNG.normal(size=(60, 4)), y=labels))
    assert len(found.labels.classes) == 3
    assert found.y.dtype == np.int32


def test_npz_text_labels(npz):
    assert data.load(npz(x=RNG.normal(size=(60, 4)), y=np.array(["cat", "dog"] * 30))).labels.classes == ("cat", "dog")


def test_csv_with_text_columns_and_text_classes(csv):
    rows = "".join(f"{i},{('red', 'blue')[i % 2]},{('no', 'yes')[i % 2]}\n" for i in range(40))
    found = data.load(csv("size,colour,y\n" + rows))
    assert found.labels.classes == ("no", "yes")
    assert found.x.shape[1] == 3
    assert found.standardized.tolist() == [True, False, False]


def test_gzipped_csv(tmp_path):
    path = tmp_path / "some.csv.gz"
    path.write_bytes(gzip.compress(("a,y\n" + "".join(f"{i},{i % 2 * 2 - 1}\n" for i in range(40))).encode()))
    assert data.load(DataSpec(str(path), "y")).labels.classes == ("-1", "1")


def test_scaling_uses_training_statistics_only(npz):
    parts = split(data.load(npz(x=RNG.normal(5, 3, size=(200, 4)), y=np.arange(200) % 2)), 0)
    np.testing.assert_allclose(parts.train.x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(parts.train.x.std(axis=0), 1, atol=1e-5)
    assert np.abs(parts.validation.x.mean(axis=0)).min() > 1e-4


@pytest.mark.parametrize("dtype", [float, int])
def test_an_offset_that_float32_cannot_hold_changes_nothing(npz, csv, dtype):
    x = RNG.integers(0, 1000, (60, 2))
    rows = [f"{a + 1_700_000_000},{b},0.1,{i % 2}" for i, (a, b) in enumerate(x)]
    plain = split(data.load(npz(x=x, y=np.arange(60) % 2)), 0)
    far = split(data.load(npz(x=(x + np.array([1_700_000_000, 0])).astype(dtype), y=np.arange(60) % 2)), 0)
    table = split(data.load(csv("\n".join(["a,b,same,y", *rows]))), 0)
    for name in ("train", "validation", "test"):
        wanted = vars(plain)[name].x
        assert wanted.dtype == vars(far)[name].x.dtype == vars(table)[name].x.dtype == np.float32
        np.testing.assert_allclose(vars(far)[name].x, wanted, atol=1e-6)
        np.testing.assert_allclose(vars(table)[name].x, np.pad(wanted, ((0, 0), (0, 1))), atol=1e-6)


def test_a_seed_fixes_the_split_and_the_test_examples_stay():
    digits = data.load(DataSpec("digits"))
    one, again, other = split(digits, 1), split(digits, 1), split(digits, 2)
    np.testing.assert_array_equal(one.train.x, again.train.x)
    assert not np.array_equal(one.train.y, other.train.y)
    np.testing.assert_array_equal(one.test.x, other.test.x)


def test_stratified_order_keeps_proportions_in_every_prefix():
    y = np.repeat([0, 1, 2], [600, 300, 100])
    order = data.stratified_order(y, stream(0, "x"))
    assert sorted(order) == list(range(1000))
    assert np.bincount(y[order[:100]]).tolist() == pytest.approx([60, 30, 10], abs=1)


def test_streams_are_independent_of_each_other_and_repeatable():
    assert stream(1, "init").integers(1 << 30) == stream(1, "init").integers(1 << 30)
    assert len({int(stream(seed, name).integers(1 << 62)) for seed in (0, 1) for name in ("init", "order")}) == 4


def test_named_sets_are_found_in_order(tmp_path, monkeypatch):
    arrays = {
        "x_train": RNG.integers(0, 255, (40, 28, 28), dtype=np.uint8),
        "y_train": np.arange(40) % 2,
        "x_test": RNG.integers(0, 255, (20, 28, 28), dtype=np.uint8),
        "y_test": np.arange(20) % 2,
    }
    places = {name: tmp_path / name for name in ("own", "here", "keras")}
    for place in (places["own"], places["here"], places["keras"] / "datasets"):
        place.mkdir(parents=True)
    monkeypatch.setenv("LOSSLAB_DATA", str(places["own"]))
    monkeypatch.setenv("KERAS_HOME", str(places["keras"]))
    monkeypatch.chdir(places["here"])
    with pytest.raises(LabError, match="never downloads"):
        readers.find_named("mnist")
    for folder in (places["keras"] / "datasets", places["here"], places["own"]):
        np.savez(folder / "mnist.npz", **arrays)
        assert readers.find_named("mnist").resolve().parent == folder
    assert readers.read_named("mnist").x.shape == (40, 28, 28)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">i4").tobytes()
    return gzip.compress(header + array.tobytes())


def test_fashion_mnist_from_keras_folder(tmp_path, monkeypatch):
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    images = RNG.integers(0, 255, (30, 28, 28), dtype=np.uint8)
    for name, part in [("train", images[:20]), ("t10k", images[20:])]:
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(part))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(len(part), dtype=np.uint8) % 10))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("LOSSLAB_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = data.load(DataSpec("fashion_mnist"))
    assert found.labels.classes[9] == "Ankle boot"
    assert len(found.y) == 20
    np.testing.assert_array_equal(found.x_test, images[20:])


def test_a_truncated_idx_file_is_refused(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(gzip.decompress(idx(np.zeros((3, 28, 28), np.uint8)))[:-5]))
    with pytest.raises(LabError, match="IDX"):
        readers.read_idx(path)


X = RNG.normal(size=(60, 4))
IMAGES = RNG.integers(0, 255, (20, 8, 12), dtype=np.uint8)


@pytest.mark.parametrize(
    ("x", "y", "task", "measure"),
    [
        (X, np.arange(60) % 3, "classes", None),
        (X, np.arange(60) % 2, "binary", "accuracy"),
        (X, np.arange(60) % 10 == 0, "binary", None),
        (X, np.eye(3)[np.arange(60) % 3], "classes", None),
        (X, RNG.integers(0, 2, (60, 3)), "labels", None),
        (X, RNG.normal(size=60), "regression", None),
        (X, RNG.normal(size=(60, 1)), "regression", None),
        (X, RNG.normal(size=(60, 2)), "regression", None),
        (IMAGES, IMAGES > 100, "segmentation", None),
        (IMAGES, (IMAGES // 100)[..., None], "segmentation", None),
    ],
    ids=str,
)
def test_the_labels_tell_the_task(npz, x, y, task, measure):
    found = data.load(npz(x=x, y=y))
    assert (found.task, found.measure) == (task, measure)
    rank = {"classes": 1, "binary": 1, "labels": 2, "regression": 2, "segmentation": 3}[task]
    assert found.y.ndim == found.y_test.ndim == rank
    assert found.labels.shape == found.y.shape[1:]
    assert all(len(part.x) == len(part.y) for part in vars(split(found, 0)).values())


def test_a_task_that_is_asked_for(npz):
    spec = npz(x=X, y=np.arange(60) % 2)
    assert data.load(replace(spec, task="classes")).task == "classes"
    numbers = data.load(replace(spec, task="regression"))
    assert numbers.labels.mean == (numbers.y.mean(),)
    for task, said in (("labels", "shape"), ("segmentation", "shape"), ("regresion", "did you mean regression")):
        with pytest.raises(LabError, match=said):
            data.load(replace(spec, task=task))
    with pytest.raises(LabError, match="3 classes"):
        data.load(replace(npz(x=X, y=np.arange(60) % 3), task="binary"))


def test_a_column_of_many_numbers_is_a_quantity_and_of_few_a_class(csv):
    rows = [f"{i},{i * 7 % 60},{i % 4}" for i in range(200)]
    text = "\n".join(["x,many,few", *rows])
    assert data.load(csv(text, "many")).task == "regression"
    assert data.load(csv(text, "few")).task == "classes"


def test_several_target_columns(csv):
    rows = [f"{RNG.normal():.3f},{i % 2},{i % 3 // 2}" for i in range(60)]
    found = data.load(csv("\n".join(["x,rain,wind", *rows]), "rain,wind"))
    assert (found.task, found.labels.classes, found.x.shape[1]) == ("labels", ("rain", "wind"), 1)


def test_columns_are_dropped_and_groups_stay_together(csv):
    rows = [f"{i},{RNG.normal():.3f},{i // 10},{i % 2}" for i in range(200)]
    spec = csv("\n".join(["id,x,week,y", *rows]))
    found = data.load(replace(spec, drop="id", by="week"))
    assert found.x.shape == (160, 1)
    assert sorted(found.groups) == [week for week in range(16) for _ in range(10)]  # the last four are the test
    for seed in (0, 1):
        held = len(split(found, seed).validation.y)
        assert (held % 10, held >= 0.2 * 160) == (0, True)
    assert not np.array_equal(split(found, 0).validation.x, split(found, 1).validation.x)


@pytest.mark.parametrize(
    "sizes",
    [[90, 4, 4, 80, 4, 10], [49, 1, 1, 1, 48], [5, 5, 23, 48, 19], [7, 8, 48, 37, 25], [30, 30, 10, 10, 70], [2] * 40],
)
def test_groups_of_unequal_sizes_leave_enough_to_train_on(csv, sizes):
    weeks = np.repeat(np.arange(len(sizes)), sizes)
    rows = [f"{RNG.normal():.3f},{week},{i % 2 if i % 7 else 2}" for i, week in enumerate(weeks)]
    found = data.load(replace(csv("\n".join(["x,week,y", *rows])), by="week"))
    assert 0 < len(found.y_test) < len(rows) / 2
    for seed in range(10):
        parts = split(found, seed)
        assert 0 < len(parts.validation.y) <= len(found.y) / 2
        for ratio in (1, 3, 50):
            assert 0 < training_examples(found, ratio) <= len(disturbed(parts, 3, 0, ratio, seed).train.y)


@pytest.mark.parametrize(
    "name", [lambda k: f"week {k + 1}", lambda k: f"{k // 4}-{k % 4 + 8}b", lambda k: "abcdefghijkl"[k]]
)
def test_the_last_of_groups_with_texts_for_names_are_the_test(csv, name):
    rows = [f"{k},{name(k)},{i % 2}" for i in range(10) for k in range(12)]
    found = data.load(replace(csv("\n".join(["k,group,y", *rows])), by="group"))
    assert set(found.x_test[:, 0]) == {9, 10, 11}


def test_a_group_of_half_of_the_examples_is_refused(csv):
    rows = [f"{i},{max(0, i - 60)},{i % 2}" for i in range(100)]
    with pytest.raises(LabError, match="61 of 100 examples of some"):
        data.load(replace(csv("\n".join(["x,week,y", *rows])), by="week"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": "idd"}, "did you mean id?"),
        ({"by": "weak"}, "did you mean week?"),
        ({"by": "y"}, "'y' is named twice"),
        ({"drop": "id,week", "by": "week"}, "'week' is named twice"),
        ({"by": "few"}, "2 different values to keep together"),
    ],
)
def test_columns_that_do_not_serve(csv, change, said):
    rows = [f"{i},{i % 7},{i // 10},{i % 2},{i % 2}" for i in range(100)]
    with pytest.raises(LabError, match=re.escape(said)):
        data.load(replace(csv("\n".join(["id,x,week,few,y", *rows])), **change))


def test_columns_of_what_is_no_table(npz):
    with pytest.raises(LabError, match="--by week for"):
        data.load(replace(npz(x=X, y=np.arange(60) % 2), by="week"))


@pytest.mark.parametrize("ending", ["", "T12:00", " 12:00:00.5", "T12:00:00Z", "T12:00+02:00"])
def test_dates_in_a_csv_are_times_in_days_and_in_their_order(csv, ending):
    days = np.datetime64("2025-12-25") + np.arange(20)
    rows = [f"{day}{ending},{day}{ending},{i % 2}" for i in range(5) for day in days]
    found = data.load(replace(csv("\n".join(["day,also,y", *rows])), by="also"))
    assert found.standardized.tolist() == [True]
    np.testing.assert_array_equal(np.unique(found.x), np.arange(16))
    np.testing.assert_array_equal(np.unique(found.x_test), np.arange(16, 20))


def test_what_is_like_a_date_but_none_is_a_text(csv):
    rows = [f"2026-02-{29 + i % 2},2026-01-0{1 + i % 2}x,{i % 2}" for i in range(40)]
    assert data.load(csv("\n".join(["a,b,y", *rows]))).x.shape == (32, 4)


def test_targets_of_numbers_and_booleans(csv):
    rows = [f"{RNG.normal():.3f},{i % 2 == 0},{i % 3 // 2}" for i in range(60)]
    assert data.load(csv("\n".join(["x,rain,wind", *rows]), "rain,wind")).task == "labels"


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_parquet_columns_of_every_type(tmp_path, zone):
    pytest.importorskip("pyarrow", reason="pyarrow reads the file")
    import pandas as pd

    days = pd.date_range("2026-01-01", periods=40, freq="D", tz=zone)
    table = pd.DataFrame({"day": days, "flag": [True, False] * 20, "kind": pd.Categorical(["a", "b"] * 20)})
    table = table.assign(size=np.arange(40, dtype="int16"), y=["no", "yes"] * 20)
    table.to_parquet(tmp_path / "some.parquet")
    found = data.load(DataSpec(str(tmp_path / "some.parquet"), "y"))
    assert found.labels.classes == ("no", "yes")
    assert found.standardized.tolist() == [True, True, False, False, False, False]  # size, day; ones and zeros
    np.testing.assert_allclose(np.sort(np.concatenate([found.x, found.x_test])[:, 1]), np.arange(40))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(LabError, match="cannot read"):
        data.load(DataSpec(str(tmp_path / "bad.parquet"), "y"))


def test_the_scale_of_numbers_is_that_of_the_examples_to_train_on(csv):
    rows = [f"{RNG.normal():.3f},{week},{week**3 + RNG.random():.3f}" for week in range(12) for _ in range(20)]
    found = data.load(replace(csv("\n".join(["x,week,y", *rows])), by="week"))
    assert (found.labels.mean, found.labels.spread) == ((found.y.mean(),), (found.y.std(),))
    assert found.y_test.min() > found.y.max()


def test_a_test_part_of_one_class_is_refused(npz):
    with pytest.raises(LabError, match=r"all 20 test examples of some.npz are of the class 0"):
        data.load(npz(x_train=X, y_train=np.arange(60) % 2, x_test=X[:20], y_test=np.zeros(20, int)))


def test_a_rare_second_class_is_what_is_looked_for_and_a_rare_first_one_is_not(npz):
    assert data.load(npz(x=X, y=(np.arange(60) % 10 == 0).astype(int))).measure is None
    assert data.load(npz(x=X, y=(np.arange(60) % 10 > 0).astype(int))).measure == "accuracy"
