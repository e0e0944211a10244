"""The report is one file that needs nothing else and says everything."""

import re
from html.parser import HTMLParser


class Loads(HTMLParser):
    """Collects what a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            fetched = name in ("src", "href", "xlink:href", "data", "srcset", "action", "poster")
            if fetched and not (value or "").startswith("#"):
                self.found.append((tag, name, value))


def test_the_report_fetches_nothing(finished):
    page = (finished[0] / "report.html").read_text()
    parser = Loads()
    parser.feed(page)
    assert parser.found == []
    without_namespaces = re.sub(r'xmlns(:xlink)?="http://www\.w3\.org/[^"]*"', "", page)
    assert re.findall(r"https?://[^\s\"<]*|@import|url\((?!#)[^)]*\)|//cdn", without_namespaces) == []
    assert len(page) < 1_000_000


def test_the_report_tells_the_whole_story(finished):
    folder, _, stdout, _ = finished
    page = (folder / "report.html").read_text()
    for sentence in stdout.splitlines():
        if " is the baseline" in sentence or "Not enough seeds" in sentence:
            assert sentence in page
    for fact in (
        "losslab compare --subset 300",
        "Same lr for all losses",
        "6 paired seeds",
        "Adam, 3 epochs",
        "jax 0.",
        "expected calibration error",
        "Can the probabilities be trusted?",
        "A run that never gets there counts all 3 epochs",
    ):
        assert fact in page, fact
    assert page.count("<svg") == 6


def test_svg_ids_are_unique_across_figures(finished):
    ids = re.findall(r'(?<=\s)id="([^"]+)"', (finished[0] / "report.html").read_text())
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'(?:url\(|href=")#([^)"]+)', (finished[0] / "report.html").read_text()))
    assert references <= set(ids)


def test_the_pngs_are_pictures(finished):
    for path in (finished[0] / "plots").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
