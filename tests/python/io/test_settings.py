"""IoSettings: values, and where they are read from."""

import os
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from crv.io import Dataset, IoSettings
from crv.io.config import ValuationSettings
from crv.io.errors import IoConfigError

DEFAULTS = {"root_dir": "out", "partitioning": "tick_buckets", "tick_bucket_size": 100, "row_group_size": 131072,
            "compression": "zstd", "fs_protocol": "file", "fs_options": {}, "strict_schema": True,
            "write_manifest_every_n": 1, "valuation": ValuationSettings()}


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """An empty working directory and no variables."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CRV_IO_"):
            monkeypatch.delenv(name)
    return tmp_path


def test_the_contracts_fields_come_first_with_their_defaults():
    made = IoSettings()
    assert [f.name for f in fields(made)][:10] == list(DEFAULTS)
    assert {name: getattr(made, name) for name in DEFAULTS} == DEFAULTS
    assert made.valuation == ValuationSettings(False, "wac", "last_trade", 10, "native")
    assert IoSettings("elsewhere", "tick_buckets", 7).tick_bucket_size == 7


def test_a_frozen_value():
    with pytest.raises(FrozenInstanceError):
        IoSettings().root_dir = "x"
    with pytest.raises(FrozenInstanceError):
        ValuationSettings().enabled = True
    assert IoSettings() == IoSettings() and IoSettings(root_dir="a") != IoSettings()
    with pytest.raises(TypeError):
        hash(IoSettings())
    assert IoSettings().fs_options is not IoSettings().fs_options
    assert IoSettings(tick_bucket_size=-1, compression="nonsense").tick_bucket_size == -1


@pytest.mark.parametrize("wrong", [
    {"tick_bucket_size": 0}, {"tick_bucket_size": -5}, {"tick_bucket_size": "ten"}, {"row_group_size": 0},
    {"compression": "gzip"}, {"partitioning": "hive"}, {"fs_protocol": "s3"}, {"root_dir": 5}, {"durability": "maybe"},
    {"write_manifest_every_n": 0},
])
def test_a_bad_value_is_named_at_a_datasets_first_call_and_nothing_is_written(tmp_path, holdings, wrong):
    settings = replace(IoSettings(root_dir=str(tmp_path / "out")), **wrong)
    dataset = Dataset(settings, "r")
    (key, value), = wrong.items()
    for call in (lambda: dataset.append("holdings", holdings([1])), lambda: dataset.scan("holdings")):
        with pytest.raises(IoConfigError) as caught:
            call()
        assert key in str(caught.value) and str(value) in str(caught.value) and caught.value.facts["key"] == key
    assert os.listdir(tmp_path) == []


def test_root_dir_may_be_a_path(tmp_path, holdings):
    with Dataset(IoSettings(root_dir=tmp_path / "p", durability="none"), "r") as dataset:
        dataset.append("holdings", holdings([1]))
    assert (tmp_path / "p/runs/r/run.json").exists()


def test_another_bucket_size_than_the_runs_is_refused(settings, holdings):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings([1]))
    with pytest.raises(IoConfigError) as caught:
        Dataset(replace(settings, tick_bucket_size=50), "r").append("holdings", holdings([1]))
    assert "100" in str(caught.value) and "50" in str(caught.value)


ENV = {"ROOT_DIR": ("x", "root_dir", "x"), "TICK_BUCKET_SIZE": ("64", "tick_bucket_size", 64),
       "ROW_GROUP_SIZE": ("10", "row_group_size", 10), "COMPRESSION": ("lz4", "compression", "lz4"),
       "PARTITIONING": ("tick_buckets", "partitioning", "tick_buckets"), "FS_PROTOCOL": ("file", "fs_protocol", "file"),
       "STRICT_SCHEMA": ("false", "strict_schema", False),
       "WRITE_MANIFEST_EVERY_N": ("5", "write_manifest_every_n", 5), "DURABILITY": ("none", "durability", "none")}
VALUATION_ENV = {"ENABLED": ("yes", "enabled", True), "COST_METHOD": ("fifo", "cost_method", "fifo"),
                 "PRICE_SOURCE": ("oracle", "price_source", "oracle"), "VWAP_WINDOW_TICKS": ("3", "vwap_window_ticks", 3),
                 "CURRENCY": ("eur", "currency", "eur")}


@pytest.mark.parametrize("name", ENV)
def test_each_variable(monkeypatch, name):
    text, key, value = ENV[name]
    monkeypatch.setenv("CRV_IO_" + name, text)
    assert IoSettings.from_env() == replace(IoSettings(), **{key: value})
    assert IoSettings.load() == replace(IoSettings(), **{key: value})


@pytest.mark.parametrize("name", VALUATION_ENV)
def test_each_variable_of_the_valuation(monkeypatch, name):
    text, key, value = VALUATION_ENV[name]
    monkeypatch.setenv("CRV_IO_VALUATION_" + name, text)
    assert IoSettings.from_env().valuation == replace(ValuationSettings(), **{key: value})


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), (" Yes ", True), ("ON", True), ("t", True),
                                             ("y", True), ("0", False), ("false", False), ("no", False), ("off", False)])
def test_words_for_true_and_false(monkeypatch, text, value):
    monkeypatch.setenv("CRV_IO_STRICT_SCHEMA", text)
    assert IoSettings.from_env().strict_schema is value


@pytest.mark.parametrize(("name", "text"), [
    ("TICK_BUCKET_SIZE", "ten"), ("TICK_BUCKET_SIZE", "0"), ("TICK_BUCKET_SIZE", "1.5"), ("COMPRESSION", "gzip"),
    ("STRICT_SCHEMA", "ture"), ("PARTITIONING", "hive"), ("VALUATION_COST_METHOD", "lowest"),
    ("VALUATION_ENABLED", "maybe"),
])
def test_a_bad_variable_is_an_error_that_names_it(monkeypatch, name, text):
    """The older package kept the previous value, or took False."""
    monkeypatch.setenv("CRV_IO_" + name, text)
    for load in (IoSettings.from_env, IoSettings.load):
        with pytest.raises(IoConfigError) as caught:
            load()
        assert "CRV_IO_" + name in str(caught.value) and text in str(caught.value)


def test_an_empty_variable_does_not_count(monkeypatch):
    monkeypatch.setenv("CRV_IO_TICK_BUCKET_SIZE", "")
    assert IoSettings.from_env() == IoSettings()


def test_an_unknown_variable_is_a_warning_under_a_prefix_only(monkeypatch):
    import warnings

    monkeypatch.setenv("CRV_IO_COMPRESION", "lz4")
    with pytest.warns(UserWarning, match="CRV_IO_COMPRESION"):
        assert IoSettings.from_env() == IoSettings()
    with pytest.warns(UserWarning, match="CRV_IO_COMPRESION"):
        IoSettings.load()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        IoSettings.from_env(prefix="")


def test_base_and_prefix(monkeypatch):
    base = IoSettings(root_dir="b", tick_bucket_size=3, fs_options={"a": 1},
                      valuation=ValuationSettings(currency="eur"))
    assert IoSettings.from_env(base) == base
    monkeypatch.setenv("MY_TICK_BUCKET_SIZE", "9")
    monkeypatch.setenv("MY_VALUATION_ENABLED", "1")
    made = IoSettings.from_env(base, prefix="MY_")
    assert made == replace(base, tick_bucket_size=9, valuation=ValuationSettings(enabled=True, currency="eur"))


def toml(section):
    table = f"[{section}]\n" if section else ""
    prefix = section + "." if section else ""
    return (table + 'root_dir = "t"\ntick_bucket_size = 5\nstrict_schema = false\nfs_options = {a = 1}\n'
            f'[{prefix}valuation]\ncurrency = "usd"\nenabled = true\n')


EXPECTED = IoSettings(root_dir="t", tick_bucket_size=5, strict_schema=False, fs_options={"a": 1},
                      valuation=ValuationSettings(enabled=True, currency="usd"))


@pytest.mark.parametrize(("name", "section"), [("crv.toml", "io"), ("crv.toml", ""), ("pyproject.toml", "tool.crv.io")])
def test_files_of_the_working_directory(tmp_path, name, section):
    (tmp_path / name).write_text(toml(section))
    assert IoSettings.from_toml() == EXPECTED
    assert IoSettings.load() == EXPECTED


@pytest.mark.parametrize(("name", "section"), [("any.toml", "io"), ("any.toml", ""), ("pyproject.toml", "tool.crv.io")])
def test_an_explicit_file(tmp_path, name, section):
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / name
    path.write_text(toml(section))
    assert IoSettings.from_toml(str(path)) == EXPECTED
    assert IoSettings.from_toml(path) == EXPECTED
    assert IoSettings.load(path) == EXPECTED
    assert IoSettings.from_toml() == IoSettings()


def test_crv_toml_wins_over_pyproject_unless_it_says_nothing(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.crv.io]\nroot_dir = "p"\n')
    assert IoSettings.from_toml().root_dir == "p"
    (tmp_path / "crv.toml").write_text("")
    assert IoSettings.from_toml().root_dir == "p"
    (tmp_path / "crv.toml").write_text('[io]\nroot_dir = "c"\n')
    assert IoSettings.from_toml().root_dir == "c"


def test_the_environment_is_over_the_file_field_by_field(tmp_path, monkeypatch):
    (tmp_path / "crv.toml").write_text(toml("io"))
    monkeypatch.setenv("CRV_IO_TICK_BUCKET_SIZE", "8")
    monkeypatch.setenv("CRV_IO_VALUATION_CURRENCY", "chf")
    assert IoSettings.load() == replace(EXPECTED, tick_bucket_size=8,
                                        valuation=ValuationSettings(enabled=True, currency="chf"))
    assert IoSettings.from_toml() == EXPECTED


def test_a_project_without_a_table_for_crv(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool]\nother = 5\n')
    assert IoSettings.from_toml() == IoSettings()


@pytest.mark.parametrize(("name", "text", "words"), [
    ("crv.toml", '[io]\ntick_bucket_size = "ten"\n', ["tick_bucket_size", "ten"]),
    ("crv.toml", "[io]\ntick_bucket_size = 0\n", ["tick_bucket_size", "0"]),
    ("crv.toml", '[io]\ncompression = "gzip"\n', ["compression", "gzip"]),
    ("crv.toml", '[io]\nstrict_schema = "ture"\n', ["strict_schema", "ture"]),
    ("crv.toml", "[io]\ntick_bukket_size = 5\n", ["tick_bukket_size"]),
    ("crv.toml", '[io.valuation]\ncurency = "x"\n', ["curency"]),
    ("crv.toml", "[io]\nvaluation = 5\n", ["valuation"]),
    ("crv.toml", "[io]\nfs_options = 5\n", ["fs_options", "5"]),
    ("crv.toml", "io = 5\n", ["io"]),
    ("crv.toml", "this is no toml", []),
    ("pyproject.toml", "[tool.crv.io]\nrooot_dir = 'x'\n", ["rooot_dir"]),
    ("pyproject.toml", "[tool]\ncrv = 5\n", ["crv"]),
])
def test_a_bad_file_is_an_error_that_names_file_key_and_value(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    for load in (IoSettings.from_toml, IoSettings.load, lambda: IoSettings.from_toml(tmp_path / name)):
        with pytest.raises(IoConfigError) as caught:
            load()
        for word in [name, *words]:
            assert word in str(caught.value)


def test_an_explicit_file_must_be_there_and_readable(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        for load in (IoSettings.from_toml, IoSettings.load):
            with pytest.raises(IoConfigError) as caught:
                load(path)
            assert str(path) in str(caught.value)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(IoConfigError):
        IoSettings.from_toml(tmp_path / "bytes.toml")
