"""The page in a browser: what a click, a key, the pointer and the address do to it."""

import csv
import html
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.special import softmax

import losslab
from losslab.lab import analysis, plots, report, store
from losslab.lab.plots import files
from losslab.lab.plots.plot import Plot
from losslab.lab.tasks import task_from

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LABELS = ["cce", "mse", 'focal:gamma=3,"x"', "<b>hinge</b>", "d", "e", "f", "g"]
EPOCHS, SEEDS, RATES = 50, 10, (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


TASK = task_from({"name": "classes", "measure": None, "cost": None})


def record(rng, arm, stage, seed, lr):
    curve = list(np.linspace(0.3, 0.99 - arm / 100, EPOCHS) + rng.normal(0, 0.002, EPOCHS))
    ids = rng.integers(0, 10, 60)
    predicted = (softmax(4 * np.eye(10)[ids] + rng.normal(0, 1 + arm / 4, (60, 10)), axis=1), ids)
    return {
        "id": f"{arm}{stage}{seed}{lr}",
        "group": str(arm),
        "stage": stage,
        "label": LABELS[arm],
        "lr": lr,
        "seed": seed,
        "status": "ok",
        "epochs": EPOCHS,
        "history": dict.fromkeys(("loss", "score", "val_loss", "val_score"), curve),
        "val_score": curve[-1] - abs(np.log10(lr) + 2) / 50,
        "seconds": 1.0,
        "epoch_seconds": [0.1] * EPOCHS,
    } | (TASK.measured(losslab.get("cce"), predicted, predicted) if stage == "final" else {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory, finished):
    """The report of 8 losses on 10 seeds of 50 epochs, none of them trained."""
    folder, rng = tmp_path_factory.mktemp("page"), np.random.default_rng(0)
    config = json.loads((finished[0] / "config.json").read_text())
    config["arms"] = [{"label": label, "group": str(arm)} for arm, label in enumerate(LABELS)]
    config["protocol"] |= {"epochs": EPOCHS, "seeds": SEEDS, "rates": RATES, "shared_rate": None}
    config["data"]["classes"][9] = 'nine,\n"9"'
    store.write_json(folder / "config.json", config)
    shutil.copy(finished[0] / "env.json", folder)
    runs = [("tune", seed, rate) for seed in (10_000, 10_001) for rate in RATES]
    runs += [("final", seed, 1e-2) for seed in range(SEEDS)]
    records = [record(rng, arm, *run) for run in runs for arm in range(len(LABELS))]
    (folder / "runs.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    report.render(folder)
    return folder


def opened(page, fragment=""):
    """The page as it is after its script."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=30000", "--dump-dom"]
    address = page.as_uri() + fragment
    return subprocess.run([*command, address], capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_large_report_is_small(folder):
    assert (folder / "report.html").stat().st_size < 1_000_000


def test_the_page_holds_the_files(folder):
    page = (folder / "report.html").read_text()
    embedded = [json.loads(found) for found in re.findall(r'"application/json">(.*?)</script>', page)]
    names = re.findall(r'data-name="(\w+)"', page)
    assert set(names) == {path.stem for path in (folder / "plots").glob("*.csv")}
    for name, each in zip(names, embedded, strict=True):
        assert each["csv"] == (folder / "plots" / f"{name}.csv").read_text(), name
        rows = list(csv.DictReader(io.StringIO(each["csv"])))
        assert {row["loss"] for row in rows} <= set(LABELS), name
        assert {rows[row]["loss"] for row, _, _ in each["places"]} == {row["loss"] for row in rows}, name


def test_the_values_lie_where_the_points_are_drawn(folder):
    page = (folder / "report.html").read_text()
    for name in ("score", "learning_rate", "difference"):
        figure = page[page.index(f'data-name="{name}"') :]
        points = re.findall(r'<use [^>]*?x="([\d.]+)" y="([\d.]+)"', figure[: figure.index("</svg>")])
        drawn = np.array(points, float)
        places = json.loads(re.search(r'"application/json">(.*?)</script>', figure)[1])["places"]
        assert len(places) >= len(LABELS) - 1
        for _, x, y in places:
            assert np.abs(drawn - [x, y]).max(axis=1).min() < 0.1, name


@pytest.mark.parametrize("count", [1, 3])
def test_every_word_of_a_figure_is_inside_of_it(folder, count):
    config, records = store.read_config(folder), list(store.read_log(folder)[0].values())
    config["arms"] = config["arms"][:count]
    for name, plot in plots.draw(config, records, analysis.summarize(config, records)).items():
        files.settle(plot)
        frame = plot.figure.bbox.padded(1)
        for axes in plot.figure.axes:
            for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
                if text.get_text() and text.get_visible():
                    corners = text.get_window_extent().corners()
                    assert all(frame.contains(*corner) for corner in corners), (name, text)


def test_what_a_click_does_is_not_there_without_a_script(folder):
    page = (folder / "report.html").read_text()
    assert '<div class="legend" hidden>' in page
    assert "<b>hinge</b>" not in page
    assert not re.search(r"<t[hd][^>]*>\s*<button", page)


@in_a_browser
def test_the_address_gives_the_view(folder):
    page = opened(folder / "report.html", "#sort=-loss&hide=mse&hide=cce&hide=nothing")
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    order = [int(arm) for arm in re.findall(r'<tr class="loss-(\d)"', table)]
    assert [LABELS[arm] for arm in order] == ["mse", "g", 'focal:gamma=3,"x"', "f", "e", "d", "cce", "<b>hinge</b>"]
    hidden = set(re.findall(r'class="(loss-[^"]*)" style="display: none;?"', page))
    assert {"loss-1", "loss-0 loss-1", "loss-1 loss-2"} <= hidden
    assert all("loss-1" in names.split() for names in hidden)
    assert page.count('aria-sort="descending"') == page.count("<thead>")
    assert "Hidden: mse.</span>" in page


# Runs in the page, does what a person would, and leaves what happened in the title
PERSON = """
const happened = {files: {}};
addEventListener("error", (event) => (happened.error = event.message));
addEventListener("load", async () => {
  const made = [];
  URL.createObjectURL = (blob) => "blob:" + (made.push(blob) - 1);
  HTMLAnchorElement.prototype.click = function () { happened.files[this.download] = made[this.href.slice(5)]; };
  const text = (selector) => [...document.querySelectorAll(selector)].map((each) => each.innerText);
  const heads = [...document.querySelectorAll("th button")];
  const accuracy = heads.find((head) => head.innerText.startsWith("accuracy"));
  for (const key of ["ascending", "descending", "none"]) {
    accuracy.click();
    happened[key] = [text("tbody:first-of-type td:first-child").slice(0, 8), accuracy.parentElement.ariaSort];
  }
  const [baseline, mse] = document.querySelectorAll(".legend button");
  baseline.click();
  mse.click();
  happened.pressed = [baseline.ariaPressed, mse.ariaPressed, location.hash];
  const svg = document.querySelector("figure[data-name=score] svg");
  svg.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
  happened.key = text("#tip");
  const at = svg.querySelector(".ring").getBoundingClientRect();
  svg.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
  happened.escaped = document.getElementById("tip").hidden;
  const place = {clientX: at.x + at.width / 2 + 3, clientY: at.y + at.height / 2};
  svg.dispatchEvent(new PointerEvent("pointermove", place));
  happened.pointer = text("#tip");
  const last = document.querySelector("figure[data-name=confusion] svg");
  last.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}));
  happened.last = document.getElementById("tip").textContent;
  for (const save of svg.closest("figure").querySelectorAll(".downloads button")) save.click();
  while (Object.keys(happened.files).length < 3) await new Promise((soon) => setTimeout(soon, 10));
  happened.png = [...new Uint8Array(await happened.files["score.png"].slice(0, 4).arrayBuffer())];
  for (const name of ["score.svg", "score.csv"]) happened.files[name] = await happened.files[name].text();
  document.title = JSON.stringify(happened);
});
"""


@in_a_browser
def title_at_the_end(page):
    """The title that the script sets last; the browser's own clock may run out before a busy machine has drawn."""
    for _ in range(3):
        told = re.search(r"<title>(.*?)</title>", opened(page), re.DOTALL)[1]
        if told.startswith("{"):
            break
    return told


def test_what_a_person_does(folder, tmp_path):
    page = (folder / "report.html").read_text().replace("<style>", f"<script>{PERSON}</script><style>", 1)
    (tmp_path / "page.html").write_text(page)
    happened = json.loads(html.unescape(title_at_the_end(tmp_path / "page.html")))
    assert "error" not in happened
    arms = json.loads((folder / "summary.json").read_text())["arms"]
    means = {arm["label"]: arm["figures"]["accuracy"]["mean"] for arm in arms}
    by_mean = sorted(LABELS, key=means.get)
    assert happened["ascending"] == [by_mean, "ascending"]
    assert happened["descending"] == [by_mean[::-1], "descending"]
    assert happened["none"] == [LABELS, None]
    assert happened["pressed"] == ["true", "false", "#hide=mse"]
    scores = list(csv.reader(io.StringIO((folder / "plots" / "score.csv").read_text())))
    said = f"{scores[2][0]} · seed 1 · accuracy, % {float(scores[2][2]):.4g}"
    assert said in happened["key"][0]
    assert said in happened["pointer"][0]
    share = list(csv.reader(io.StringIO((folder / "plots" / "confusion.csv").read_text())))[-1][3]
    nine = 'nine,\n"9"'
    assert happened["last"].startswith(f"g · true {nine} · predicted {nine} · share of the true class, % ")
    assert f"% {float(share):.4g} ·" in happened["last"]
    assert happened["escaped"]
    assert bytes(happened["png"]) == b"\x89PNG"
    assert happened["files"]["score.csv"] == (folder / "plots" / "score.csv").read_text()
    assert "loss-2" in happened["files"]["score.svg"]
    assert "loss-1" not in happened["files"]["score.svg"]


def test_the_svg_is_the_figure_in_fewer_letters():
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [1.3706, 1.3714], gid="loss-0 loss-3")
    axes.set_title("1.23456 <of> 7")
    plot = Plot(pd.DataFrame(), figure)
    text = files.svg("any", plot)
    words = re.findall(r">([^<>]+)</text>", text)
    axis = axes.yaxis.get_majorticklabels() + axes.xaxis.get_majorticklabels() + [axes.title]
    assert {html.unescape(word) for word in words} <= {label.get_text() for label in axis}
    assert "1.23456 &lt;of&gt; 7" in words
    assert text.count('<g class="loss-0 loss-3">') == 1
    assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", text))
    assert set(re.findall(r'class="(any-\d+)"', text)) == set(re.findall(r"\.(any-\d+) \{", text))
