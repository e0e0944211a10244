"""The run folder: nothing lost, nothing half-written, one writer."""

import json

import pytest

from losslab.lab.errors import Exit, LabError
from losslab.lab.store import LOG, Store, check_writable, read_log, write_whole


def record(name, status="ok"):
    run = {"id": name, "group": "g", "stage": "final", "label": "mse", "lr": 0.1, "seed": 0, "status": status}
    curves = {name: [0.5] for name in ("loss", "score", "val_loss", "val_score")}
    numbers = dict.fromkeys(("nll", "brier", "ece", "nll_scaled", "brier_scaled", "ece_scaled"), 0.5)
    measures = {"accuracy": 0.5, "temperature": 1.0, **numbers}
    measured = {"epochs": 1, "history": curves, "val_score": 0.5, "seconds": 1.0, "measures": measures}
    measured["bins"] = {"before": None, "after": [[3, 0.5, 0.5]]}
    return run | ({"error": "Traceback"} if status == "error" else measured)


def test_what_is_appended_is_read_again(tmp_path):
    with Store(tmp_path / "run") as store:
        store.append(record("a"))
        store.append(record("b", "diverged"))
        store.append(record("c", "error"))
    with Store(tmp_path / "run") as store:
        assert list(store.records) == ["a", "b", "c"]
        assert [store.settled(name) for name in "abcd"] == [True, True, False, False]


def test_the_last_line_of_an_id_wins(tmp_path):
    with Store(tmp_path) as store:
        store.append(record("a", "error"))
        store.append(record("a", "ok"))
    assert read_log(tmp_path)[0]["a"]["status"] == "ok"


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_torn_last_line_is_dropped_and_told(tmp_path, cut):
    with Store(tmp_path) as store:
        store.append(record("a"))
        store.append(record("b"))
    log = tmp_path / LOG
    log.write_bytes(log.read_bytes()[:-cut])
    with Store(tmp_path) as store:
        assert store.torn
        assert list(store.records) == ["a"]
        store.append(record("c"))
    assert [json.loads(line)["id"] for line in log.read_text().splitlines()] == ["a", "c"]


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path):
    sound = json.dumps(record("a"))
    (tmp_path / LOG).write_text(f"{sound}\nnonsense\n{sound}\n")
    for _ in range(2):  # the first refusal leaves no lock behind
        with pytest.raises(LabError, match="line 2"), Store(tmp_path):
            pass


def without(content, name):
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"id": "x"}, "'group' is missing"),
        ([], "it is no object"),
        ("x", "it is no object"),
        (record("a") | {"id": 3}, "'id' is 3"),
        (record("a") | {"lr": "0.1"}, "'lr' is '0.1'"),
        (record("a") | {"status": "fine"}, "'status' is 'fine'"),
        (record("a") | {"stage": "other"}, "'stage' is 'other'"),
        (without(record("a"), "measures"), "'measures' is missing"),
        (record("a") | {"measures": record("a")["measures"] | {"accuracy": "x"}}, "'accuracy' is no number"),
        (record("a") | {"bins": {"after": []}}, "'after' is no list with entries"),
        (record("a") | {"history": {}}, "'loss' is missing"),
        (record("a") | {"history": record("a")["history"] | {"loss": ["x"]}}, "an entry of 'loss' is 'x'"),
        (record("a") | {"status": []}, "'status' is []"),
        (record("a") | {"epochs": 2}, "'loss' has not one value per epoch"),
        (without(record("a"), "seconds"), "'seconds' is missing"),
        (without(record("a", "error"), "error"), "'error' is missing"),
    ],
)
def test_a_line_that_is_no_run_is_an_error(tmp_path, line, said):
    (tmp_path / LOG).write_text(f"{json.dumps(record('a'))}\n{json.dumps(line)}\n")
    with pytest.raises(LabError, match="line 2") as refusal:
        read_log(tmp_path)
    assert said in str(refusal.value)


def test_a_second_writer_is_refused(tmp_path):
    with Store(tmp_path):
        with pytest.raises(LabError, match="in use") as refusal, Store(tmp_path):
            pass
        assert refusal.value.exit_code == Exit.ENVIRONMENT
    with Store(tmp_path):
        pass


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_below_a_file_is_not_writable_and_nothing_is_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="cannot write"):
        check_writable(tmp_path / "file" / "run")
    check_writable(tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()
