"""crv.io.paths: every name on disk, and what may be a name."""

import os
from dataclasses import FrozenInstanceError

import pytest

from crv.io import IoSettings
from crv.io import paths as p
from crv.io.errors import IoArgumentError

S = IoSettings(root_dir="some/root")


@pytest.mark.parametrize(("made", "expected"), [
    (lambda: p.run_root(S, "r"), "some/root/runs/r"),
    (lambda: p.tables_root(S, "r"), "some/root/runs/r/tables"),
    (lambda: p.table_dir(S, "r", "t"), "some/root/runs/r/tables/t"),
    (lambda: p.manifest_path(S, "r", "t"), "some/root/runs/r/tables/t/manifest.json"),
    (lambda: p.bucket_dir(S, "r", "t", 7), "some/root/runs/r/tables/t/bucket=000007"),
    (lambda: p.part_paths(S, "r", "t", 7, "abc").final_path, "some/root/runs/r/tables/t/bucket=000007/part-abc.parquet"),
    (lambda: p.part_paths(S, "r", "t", 7, "abc").tmp_path,
     "some/root/runs/r/tables/t/bucket=000007/part-abc.parquet.tmp"),
    (lambda: p.run_root(IoSettings(root_dir="/abs"), "r"), "/abs/runs/r"),
    (lambda: p.format_bucket_dir(0), "bucket=000000"),
    (lambda: p.format_bucket_dir(999_999), "bucket=999999"),
    (lambda: p.format_bucket_dir(1_000_000), "bucket=1000000"),
    (lambda: p.bucket_id_for_tick(0, 100), 0),
    (lambda: p.bucket_id_for_tick(99, 100), 0),
    (lambda: p.bucket_id_for_tick(100, 100), 1),
    (lambda: p.normalize_run_id("  my run 7 "), "my_run_7"),
])
def test_names(made, expected):
    assert made() == expected


def test_part_paths_is_a_frozen_pair():
    made = p.part_paths(S, "r", "t", 1, "u")
    assert isinstance(made, p.PartPaths) and made == p.PartPaths(made.tmp_path, made.final_path)
    with pytest.raises(FrozenInstanceError):
        made.tmp_path = "x"
    assert not hasattr(made, "__dict__")


@pytest.mark.parametrize("call", [
    lambda: p.bucket_id_for_tick(5, 0), lambda: p.bucket_id_for_tick(5, -1), lambda: p.bucket_id_for_tick(-1, 100),
    lambda: p.bucket_id_for_tick(-1, 0), lambda: p.format_bucket_dir(-1), lambda: p.bucket_dir(S, "r", "t", -1),
])
def test_numbers_that_make_no_name_are_a_value_error(call):
    with pytest.raises(ValueError):
        call()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/abs", "a\\b", "a\nb", "a\x00"])
def test_names_never_leave_their_folder(name):
    for call in (lambda: p.run_root(S, name), lambda: p.table_dir(S, "r", name), lambda: p.tables_root(S, name),
                 lambda: p.manifest_path(S, name, "t"), lambda: p.bucket_dir(S, "r", name, 1)):
        with pytest.raises(ValueError) as caught:
            call()
        assert isinstance(caught.value, IoArgumentError)


@pytest.mark.parametrize("good", ["r", "run_1a2b3c", "a.b:c-d_9", "A", "0", "a" * 200])
def test_run_ids_that_are_fine(good):
    assert p.validate_run_id(good) == good
    assert p.normalize_run_id(good) == good


@pytest.mark.parametrize("bad", ["", ".", "..", "a b", "a\n", "\n", "a/b", "é", "a\x00", "a*", None, 5, b"r"])
def test_run_ids_that_are_not(bad):
    with pytest.raises(ValueError) as caught:
        p.validate_run_id(bad)
    assert caught.value.code == "bad_run_id"
    if not isinstance(bad, str) or " " not in bad and "\n" not in bad:
        with pytest.raises(ValueError):
            p.normalize_run_id(bad)


def test_no_function_touches_the_disk(tmp_path):
    settings = IoSettings(root_dir=str(tmp_path / "none"))
    p.part_paths(settings, "r", "t", 1, "u"), p.manifest_path(settings, "r", "t"), p.run_root(settings, "r")
    assert os.listdir(tmp_path) == []
