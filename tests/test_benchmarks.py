"""The benchmark harness: what is wrong is refused, what is measured is written whole, and the page shows what the JSON
holds. Nothing here depends on how fast anything is."""

import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"

PLANTED = """
import pathlib

import calls
from case import Case, Contender, Role
from cases.numpy_calls import numbers, squared
from targets import Memory, Speed


def right():
    return lambda y_true, y_pred: ((y_pred - y_true) ** 2).mean()


def wrong():
    def one_in_a_thousand(y_true, y_pred):
        with open(pathlib.Path(__file__).with_name("calls of wrong"), "a") as file:
            file.write("x")
        return 1.001 * right()(y_true, y_pred)

    return one_in_a_thousand


def overwriting():
    def spoils_its_input(y_true, y_pred):
        value = right()(y_true, y_pred)
        y_pred += 1
        return value

    return spoils_its_input


def missing():
    import a_package_that_is_not_there


def dying():
    import os

    return lambda y_true, y_pred: os._exit(3)


CASES = (
    Case(
        name="planted",
        title="Squares of [{rows}, {classes}]",
        inputs=numbers,
        reference=squared,
        size={"rows": 3, "classes": 4},
        quick={"rows": 2, "classes": 3},
        contenders=(
            Contender("right", calls.on_numpy(right), Role.OURS),
            *(Contender(make.__name__, calls.on_numpy(make)) for make in (wrong, overwriting, missing, dying)),
        ),
        targets=(Speed("wrong", 2), Speed("missing", 0.5), Memory(5)),
    ),
    Case(
        name="without us",
        title="Squares",
        inputs=numbers,
        reference=squared,
        size={"rows": 3, "classes": 4},
        quick={"rows": 2, "classes": 3},
        contenders=(
            Contender("missing", calls.on_numpy(missing), Role.OURS),
            Contender("other way", calls.on_numpy(right), Role.OURS),
            Contender("peer", calls.on_numpy(right)),
        ),
    ),
)
"""


@pytest.fixture
def of_benchmarks(monkeypatch):
    """Imports a module of benchmarks/, as its scripts do."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def bench(*arguments, path="", **options):
    command = [sys.executable, BENCHMARKS / "bench.py", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(command, capture_output=True, text=True, env=env, **options)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """What the harness made of the planted contenders: its exit, its results, the folder."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "planted.py").write_text(PLANTED)
    done = bench("--quick", "--cases", "planted", "--json", folder / "results.json", path=folder)
    assert done.returncode == 1, done.stderr
    return done, json.loads((folder / "results.json").read_text()), folder


def contenders(results, case=0):
    record = results["cases"][case]
    return {each["name"]: each for each in record["contenders"]}


def test_a_right_contender_is_timed(planted):
    done, results, _ = planted
    right = contenders(results)["right"]
    assert right["status"] == "timed"
    assert right["ratio"]["median"] == 1
    assert right["rounds"] >= 3
    assert 0 < right["cpu"]["q1"] <= right["cpu"]["median"] <= right["cpu"]["q3"]
    assert "Squares of [2, 3] (1 thread)" in done.stdout


def test_a_wrong_contender_is_refused_and_never_timed(planted):
    done, results, folder = planted
    wrong = contenders(results)["wrong"]
    assert (wrong["status"], wrong["wall"], wrong["cpu"], wrong["ratio"]) == ("wrong", None, None, None)
    assert "value is 9." in wrong["reason"]
    assert (folder / "calls of wrong").read_text() == "x"  # the one that was looked at
    assert "wrong — wrong: value is" in done.stdout


def test_a_contender_that_overwrites_its_inputs_is_refused(planted):
    _, results, _ = planted
    assert contenders(results)["overwriting"]["status"] == "wrong"


def test_a_contender_that_cannot_run_says_why(planted):
    _, results, _ = planted
    missing, dying = (contenders(results)[name] for name in ("missing", "dying"))
    assert missing["status"] == dying["status"] == "unavailable"
    assert missing["reason"] == "ModuleNotFoundError: No module named 'a_package_that_is_not_there'"
    assert "ended with code 3" in dying["reason"]


def test_there_is_no_ratio_to_what_was_not_timed(planted):
    _, results, _ = planted
    other, peer = (contenders(results, case=1)[name] for name in ("other way", "peer"))
    assert other["status"] == peer["status"] == "timed"
    assert other["ratio"] is peer["ratio"] is None


def test_a_quick_run_makes_no_claims(planted):
    done, results, _ = planted
    assert results["quick"]
    assert results["cases"][0]["targets"] == []
    assert "no claim rests on these figures" in done.stdout


def test_a_case_of_the_library_end_to_end(tmp_path):
    done = bench("--quick", "--only", "numpy_mean_squared_error", "--json", tmp_path / "results.json")
    assert done.returncode == 0, done.stderr
    ours, peer = contenders(json.loads((tmp_path / "results.json").read_text())).values()
    assert ours["role"] == "ours"
    assert ours["status"] == peer["status"] == "timed"


def test_an_unknown_case_is_named():
    done = bench("--only", "hubr")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no case has 'hubr' in its name\nfix: one of overhead_torch")


def test_an_interruption_writes_nothing(tmp_path):
    command = [sys.executable, "-u", BENCHMARKS / "bench.py", "--quick", "--json", tmp_path / "results.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate()
    assert running.returncode == 130
    assert "interrupted: nothing is written" in said
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def results(planted, of_benchmarks):
    """As a full run would have left them, targets judged."""
    _, measured, _ = planted
    targets, report = of_benchmarks("targets"), of_benchmarks("report")
    full = json.loads(json.dumps(measured | {"quick": False, "minutes": 1.5, "load_at_the_end": [0.5]}))
    record = full["cases"][0]
    right, other = (contenders(full)[name] for name in ("right", "wrong"))
    right["extra_bytes"] = 6 * 2**20
    ratio = {"median": 3.0, "q1": 2.5, "q3": 3.5}
    other.update({**right, "name": "wrong", "role": "peer", "ratio": ratio, "extra_bytes": 24 * 2**20})
    wanted = (
        targets.Speed("wrong", 2),
        targets.Speed("wrong", 4),
        targets.Speed("missing", 0.5),
        targets.Memory(5),
        targets.MemoryShare("wrong", 0.25),
    )
    record["targets"] = report.judged(wanted, record)
    return full


def test_targets_are_judged_by_what_was_measured(results, of_benchmarks):
    record = results["cases"][0]
    assert [target["reached"] for target in record["targets"]] == [True, False, None, False, True]
    rows = {row[0].partition(" — ")[0]: row[-2:] for row in of_benchmarks("report").rows(record)}
    assert rows["wrong"] == ("≥ 2 × as fast; ≥ 4 × as fast; ≤ 25% of its memory", "yes, 3.00 ×; no, 3.00 ×; yes, 25%")
    assert rows["missing"] == ("≥ 50% of its speed", "not measured")
    assert rows["right"] == ("≤ 5 MiB", "no, 6 MiB")


def test_the_page_shows_what_the_json_holds(results, of_benchmarks, tmp_path):
    report, page = of_benchmarks("report"), tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}old\n{report.END}after\n")
    report.publish(results, tmp_path / "results.json", page)
    stored = json.loads((tmp_path / "results.json").read_text())
    assert stored == results
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert report.updated(text, stored) == text
    for row in report.rows(stored["cases"][0]):
        assert f"| {' | '.join(row)} |" in text
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_the_documentation_shows_the_results_of_the_last_run(of_benchmarks):
    path, page = BENCHMARKS / "results.json", ROOT / "docs" / "benchmarks.md"
    if not path.exists():
        pytest.skip("no full run has been written yet: make bench")
    stored, text = json.loads(path.read_text()), page.read_text()
    assert of_benchmarks("report").updated(text, stored) == text
    assert not stored["quick"]


def test_a_file_is_replaced_whole_or_not_at_all(of_benchmarks, tmp_path):
    write_whole = of_benchmarks("files").write_whole
    write_whole(tmp_path / "file", b"old")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "file", "no bytes")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("element", "value", "wrong"),
    [
        (0, 0.0, False),
        (0, 2e-4, False),
        (0, 4e-4, True),  # 1e-4 of 2 itself, and 1e-5 of the largest, 3
        (2**22 + 5, 2e-5, False),
        (2**22 + 5, 4e-5, True),
        (2**22 + 5, float("nan"), True),
        (2**22 + 5, float("inf"), True),
    ],
)
def test_one_wrong_element_is_seen(of_benchmarks, tmp_path, element, value, wrong):
    check = of_benchmarks("check")
    right = np.zeros(2**22 + 9)  # more than a block
    right[:2] = 2, -3
    check.write_reference(tmp_path, {"value": np.float64(1), "y_pred": right})
    given = right.copy()
    given[element] += value
    said = check.mistake({"value": 1.0, "y_pred": given}, tmp_path, rtol=1e-4)
    assert (said is not None) == wrong
    assert said is None or said.startswith("y_pred is ")


def test_a_result_of_another_shape_or_name_is_wrong(of_benchmarks, tmp_path):
    check = of_benchmarks("check")
    check.write_reference(tmp_path, {"value": np.float64(1), "y_pred": np.zeros((2, 3))})
    assert "shape (3, 2)" in check.mistake({"value": 1.0, "y_pred": np.zeros((3, 2))}, tmp_path, 1e-4)
    assert check.mistake({"value": 1.0}, tmp_path, 1e-4) == "it gives ['value'], the reference ['value', 'y_pred']"


def test_slopes_of_powers(of_benchmarks):
    slope = of_benchmarks("measure").slope
    sizes = np.array([10.0, 20.0, 40.0, 80.0])
    assert slope(sizes, 3 * sizes**2) == pytest.approx([2.0])
    assert slope(sizes, np.stack([sizes, np.ones(4)], axis=1)) == pytest.approx([1.0, 0.0])


def test_growth_is_fitted_where_every_size_was_measured(of_benchmarks):
    measure, case = of_benchmarks("measure"), of_benchmarks("case")

    def entry(n, extra, status="timed"):
        contender = case.Contender(f"n = {n}", build=None)
        record = {"status": status, "extra_bytes": extra, "gradient_bytes": n * 2**20}
        return measure.Entry(contender, {"n": n}, None, record, rounds=[{"cpu": 2.0 * n}, {"cpu": 3.0 * n}])

    def medians(entries):
        return {name: found and found["median"] for name, found in measure._slopes("n", entries, "cpu").items()}

    entries = [entry(n, (n + 9) * 2**20) for n in (16, 64)]
    expected = {"time": 1.0, "memory": np.log(73 / 25) / np.log(4), "beyond": 0.0}
    assert medians(entries) == pytest.approx(expected, abs=1e-3)
    assert medians([*entries, entry(8, None)]) == pytest.approx({"time": 1.0, "memory": None, "beyond": None})
    assert medians([*entries, entry(8, None, "wrong")]) == {"time": None, "memory": None, "beyond": None}


def test_the_peak_of_a_call_counts_what_it_frees_and_what_it_keeps(of_benchmarks):
    peak_extra = of_benchmarks("memory").peak_extra
    if peak_extra(lambda: None) is None:
        pytest.skip("this kernel has no /proc/self/clear_refs")
    mebibyte = 2**20
    freed = peak_extra(lambda: np.ones(16 * mebibyte).sum())
    assert freed == pytest.approx(128 * mebibyte, rel=0.1)
    kept = []
    assert peak_extra(lambda: kept.append(np.ones(16 * mebibyte))) == pytest.approx(128 * mebibyte, rel=0.1)


def test_every_target_is_against_a_contender_of_its_case(of_benchmarks):
    cases = of_benchmarks("bench")._cases(of_benchmarks("bench").MODULES)
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        names = [contender.name for contender in case.contenders]
        assert len(set(names)) == len(names)
        assert {target.against for target in case.targets} <= {*names, None}
        assert case.title.format(**case.size) != case.title or not case.size


def test_the_cases_import_no_framework():
    code = "import sys, bench; bench._cases(bench.MODULES); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=BENCHMARKS, check=True)
    assert not {"torch", "jax", "tensorflow", "keras", "sklearn", "losslab"} & set(done.stdout.split())
