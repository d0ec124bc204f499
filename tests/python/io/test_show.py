"""What terminals and notebooks show."""

import re
import sys
import warnings
from xml.etree import ElementTree

import pytest

from crv.io import Dataset, IoSettings
from crv.io._show import size


def cells(html):
    """The table's cells, row by row: it must be well-formed."""
    return [[cell.text or "" for cell in row] for row in ElementTree.fromstring(html).iter("tr")]


def test_a_dataset(dataset, settings, holdings):
    dataset.append("holdings", holdings([1, 250]))
    assert repr(dataset) == f"Dataset({settings.root_dir!r}, run_id='village')"
    header, row = cells(dataset._repr_html_())
    assert header == ["table", "rows", "size", "parts", "ticks"]
    assert row[:2] == ["holdings", "2"] and row[3:] == ["2", "1..250"] and row[2].endswith("KiB")


def test_a_dataset_of_nothing():
    dataset = Dataset(IoSettings(root_dir="nowhere_at_all"), "r")
    assert repr(dataset) == "Dataset('nowhere_at_all', run_id='r')"
    assert cells(dataset._repr_html_()) == [["table", "rows", "size", "parts", "ticks"]]


def test_a_summary(dataset, holdings):
    summary = dataset.append("holdings", holdings([1, 99, 250]))
    assert repr(summary) == repr(dict(summary))
    rows = cells(summary._repr_html_())
    assert [row[:3] for row in rows] == [["bucket", "ticks", "rows"], ["0", "1..99", "2"], ["2", "250..250", "1"]]
    assert "3 rows" in summary._repr_html_() and rows[1][4] == summary["parts"][0]["path"]


def test_a_manifest_and_reports(dataset, holdings):
    dataset.append("holdings", holdings([1, 250]))
    assert cells(dataset.manifest("holdings")._repr_html_())[1][:4] == ["0", "1..1", "1", "1"]
    assert "holdings" in repr(dataset.manifest("holdings"))
    assert ["ok", "True"] in cells(dataset.verify()._repr_html_())
    assert ["from_log", "True"] in cells(dataset.rebuild("holdings")._repr_html_())


def test_what_is_shown_is_escaped(settings, holdings):
    dataset = Dataset(IoSettings(root_dir=settings.root_dir, durability="none"), "a<b>&c")
    assert "a&lt;b&gt;&amp;c" in dataset._repr_html_()
    cells(dataset._repr_html_())


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
                                              (1024**2, "1.0 MiB"), (5 * 1024**4, "5120.0 GiB")])
def test_sizes(number, text):
    assert size(number) == text


def test_a_scans_plan_names_table_and_run(dataset, holdings):
    dataset.append("holdings", holdings([1]))
    assert "holdings of village" in dataset.scan("holdings").explain()


def test_progress_shows_a_bar(dataset, holdings, capsys):
    dataset.append("holdings", holdings(range(0, 500, 100)), progress=True)
    assert re.search(r"0part \[", capsys.readouterr().err)
    assert dataset.verify(progress=True)["ok"] and dataset.rebuild("holdings", progress=True)["from_log"]
    assert "part" in capsys.readouterr().err


def test_the_bar_is_told_of_every_part_and_closed(dataset, holdings, monkeypatch):
    import tqdm.auto

    bars = []

    class Bar(tqdm.auto.tqdm):
        def close(self):
            bars.append((self.n, self.total, self.unit))
            super().close()

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    dataset.append("holdings", holdings(range(0, 500, 100)), progress=True)
    assert bars[0] == (5, 5, "part")


def test_progress_without_tqdm_is_silent(dataset, holdings, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert dataset.append("holdings", holdings([1]), progress=True)["rows"] == 1
    assert capsys.readouterr().err == ""


def test_nothing_is_warned_of_in_plain_work(dataset, holdings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset.append("holdings", holdings([1]))
        dataset.read("holdings")
        dataset.close()
