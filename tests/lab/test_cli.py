"""The command line: one comparison end to end, the other commands, and what the help imports."""

import json
import subprocess
import sys

import pytest

import losslab
from losslab.cli import run
from losslab.lab.backend import use_keras


def test_compare_end_to_end(finished):
    folder, process, stdout, stderr = finished
    assert process.returncode == 0, stderr
    assert stdout.splitlines()[-1] == str(folder / "report.html")
    assert "categorical_crossentropy is the baseline" in stdout
    assert "same lr for all losses: differences may be learning-rate artefacts" in stdout
    assert "\x1b" not in stdout + stderr
    assert stderr.count(" test accuracy ") == 12
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {"config.json", "env.json", "runs.jsonl", "summary.json", "report.html"}
    plots = {"difference", "score", "curves", "target", "reliability", "confusion"}
    drawn = {f"plots/{name}.{kind}" for name in plots for kind in ("png", "svg", "csv")}
    assert made == expected | {".lock"} | drawn


def test_tuning_gives_each_loss_its_own_rate(tmp_path, capsys):
    arguments = ["compare", "--subset", "200", "--epochs", "2", "--seeds", "2", "--losses", "cce,mse"]
    assert run([*arguments, "--out", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert [arm["label"] for arm in summary["arms"]] == ["categorical_crossentropy", "mean_squared_error"]
    for arm in summary["arms"]:
        best = max(arm["tuning"], key=lambda row: sum(value or 0 for value in row["values"]))
        assert arm["rate"] == best["rate"]
        assert arm["effort"]["cost"]["seconds"] > 0
        assert arm["rates"][0] <= arm["rate"] <= arm["rates"][1]
    assert all("cost" not in arm["effort"] for arm in json.loads((tmp_path / "summary.json").read_text())["arms"])
    assert "tune: 28 runs, 0 already there" in captured.err
    assert (tmp_path / "plots" / "learning_rate.png").exists()


def test_the_same_command_resumes(tmp_path, small, capsys):
    assert run(["compare", *small, "--out", str(tmp_path)]) == 0
    first = (tmp_path / "summary.json").read_bytes()
    log = (tmp_path / "runs.jsonl").read_bytes()
    capsys.readouterr()
    assert run(["compare", *small, "--out", str(tmp_path)]) == 0
    assert "final: 12 runs, 12 already there" in capsys.readouterr().err
    assert (tmp_path / "summary.json").read_bytes() == first
    assert (tmp_path / "runs.jsonl").read_bytes() == log


def test_a_loss_against_itself_differs_by_exactly_zero(tmp_path, capsys):
    arguments = ["compare", "--subset", "300", "--epochs", "3", "--seeds", "3", "--lr", "shared=0.01", "--json"]
    assert run([*arguments, "--losses", "cce,kl_divergence,cce:label_smoothing=0.0", "--out", str(tmp_path)]) == 0
    arms = json.loads(capsys.readouterr().out)["arms"]
    assert len(arms) == 2
    contrast = arms[1]["figures"]["accuracy"]["contrast"]
    assert (contrast["mean"], contrast["low"], contrast["high"]) == (0, 0, 0)
    for name, figure in arms[1]["figures"].items():  # KL divergence has cross-entropy's gradient up to rounding
        assert abs(figure["contrast"]["mean"]) < 1e-5, name
    assert "the same accuracy on every one of 3 seeds" in arms[1]["sentence"]


def test_runs_that_diverge_are_a_result(tmp_path, capsys):
    arguments = ["compare", "--subset", "200", "--epochs", "2", "--seeds", "2", "--lr", "shared=1e6"]
    assert run([*arguments, "--out", str(tmp_path)]) == 3
    captured = capsys.readouterr()
    assert captured.out.count("diverged 2/2") == 3
    assert captured.out.splitlines()[-1] == str(tmp_path / "report.html")
    assert "diverged 2/2" in (tmp_path / "report.html").read_text()


def test_report_makes_the_files_again(finished, tmp_path, capsys):
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("config.json", "env.json", "runs.jsonl"):
        (folder / name).write_bytes((finished[0] / name).read_bytes())
    assert run(["report", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "report.html")
    assert (folder / "summary.json").read_bytes() == (finished[0] / "summary.json").read_bytes()


def test_a_run_that_fails_in_tuning_is_told_and_gives_exit_code_3(tmp_path, capsys, monkeypatch):
    use_keras("jax")
    from losslab.lab import stages

    sound = stages.run_trial

    def fails_once(job, on_epoch):
        if job["stage"] == "tune" and job["lr"] == 1e-4:
            raise ValueError("no luck\nAdvice of a framework.")
        return sound(job, on_epoch)

    monkeypatch.setattr(stages, "run_trial", fails_once)
    arguments = ["compare", "--subset", "200", "--epochs", "1", "--seeds", "1", "--losses", "cce"]
    assert run([*arguments, "--out", str(tmp_path)]) == 3
    captured = capsys.readouterr()
    assert captured.err.count("failed: ValueError: no luck\n") == 2
    assert "test accuracy (failed in tuning 2)." in captured.out
    assert "</code>: ValueError: no luck</p>" in (tmp_path / "report.html").read_text()
    monkeypatch.setattr(stages, "run_trial", sound)
    assert run([*arguments, "--out", str(tmp_path)]) == 0


def test_the_report_tells_the_batch_that_was_used(tmp_path, small, capsys):
    few = ["compare", *small, "--seeds", "1", "--epochs", "1", "--out", str(tmp_path)]
    assert run([*few, "--batch", "100000"]) == 0
    used = 300 * 0.8 * 0.8  # without the test and the validation examples
    assert f"batches of {used:.0f} " in (tmp_path / "report.html").read_text()
    capsys.readouterr()
    assert run([*few, "--batch", f"{used:.0f}"]) == 0
    assert "final: 2 runs, 2 already there" in capsys.readouterr().err


def test_labels_as_ids_train_without_a_warning(start, tmp_path):
    arguments = ["--subset", 200, "--epochs", 1, "--seeds", 1, "--lr", "shared=0.01"]
    process = start("compare", *arguments, "--losses", "sparse_categorical_crossentropy", "--out", tmp_path)
    _, stderr = process.communicate()
    told = stderr.splitlines()
    assert process.returncode == 0
    assert told[0] == "final: 1 runs, 0 already there"
    assert told[1].startswith("[1/1] final sparse_categorical_crossentropy")
    assert len(told) == 2


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("runs.jsonl", lambda text: text + '{"id":"x"}\n', "line 13 of"),
        ("config.json", lambda text: "{}", "'command' is missing"),
        ("config.json", lambda text: "[]", "it is no object"),
        ("config.json", lambda text: text.replace('"arms": [', '"arms": [], "others": ['), "'arms' is no list"),
        ("config.json", lambda text: text.replace('"seeds"', '"sedes"'), "'seeds' is missing"),
        ("config.json", lambda text: text.replace('"batch": 32', '"batch": "32"'), "'batch' is '32'"),
        ("config.json", lambda text: text.replace('"mlp"', "1"), "'model' is 1"),
        ("config.json", lambda text: text.replace('"cost": null', '"cost": "mse"'), "'cost' is no object"),
        ("config.json", lambda text: text.replace('"cost": null', '"cost": {}'), "'label' is missing"),
        ("env.json", lambda text: "{}", "'python' is missing"),
    ],
)
def test_report_of_a_damaged_folder(finished, refused, tmp_path, name, edit, said):
    for each in ("config.json", "env.json", "runs.jsonl"):
        (tmp_path / each).write_bytes((finished[0] / each).read_bytes())
    (tmp_path / name).write_text(edit((tmp_path / name).read_text()))
    code, err = refused("report", tmp_path)
    assert (code, said in err) == (2, True), err


def test_list_names_every_loss_and_alias(capsys):
    assert run(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in losslab.names())
    assert "mse" in printed


def test_doctor_names_versions_without_importing(capsys):
    assert run(["doctor"]) == 0
    assert "keras" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["packages"]["numpy"]


def test_version_and_help(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == losslab.__version__
    assert run([]) == run(["--help"]) == 0
    assert "compare" in capsys.readouterr().out


HEAVY = {"keras", "jax", "torch", "tensorflow", "matplotlib", "sklearn", "pandas", "scipy"}


@pytest.mark.parametrize("arguments", [["--help"], ["compare", "--help"], ["--version"], ["list"], ["doctor"]])
def test_what_is_asked_first_imports_nothing_heavy(arguments):
    code = (
        "import sys; from losslab.cli import run; "
        f"code = run({arguments!r}); print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_without_the_lab_extra(tmp_path):
    code = "import sys; sys.modules['typer'] = None; from losslab.cli import run; sys.exit(run(['compare']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 4
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "why", "fix"]
    assert 'pip install "losslab[lab]"' in done.stderr
