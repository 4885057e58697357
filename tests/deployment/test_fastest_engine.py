"""`--engine auto`: measured at the first use, remembered for the same model, machine, threads and versions."""

import json
import time

import numpy as np
import pytest

from paddle_pose.builder import build
from paddle_pose.config import load_config
from paddle_pose.deployment import deployed_model, fastest_engine
from paddle_pose.deployment.deploy_file import write_description
from paddle_pose.deployment.deployed_model import open_deployed
from paddle_pose.deployment.description import describe

BOTH = {"paddle", "onnxruntime"}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Where it is remembered."""
    monkeypatch.setenv("PADDLE_POSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "engines.json"


@pytest.fixture
def engines(monkeypatch):
    """Engines of our own, in place of both: the seconds that a run takes by each, and how often each ran."""
    facts = {"paddle": [0.004, 0], "onnxruntime": [0.001, 0]}

    def engine(name):
        class Model:
            device, input_names, output_names = "cpu", ("images",), ("joints", "scores")

            def __init__(self, *arguments):
                pass

            def __call__(self, inputs):
                facts[name][1] += 1
                time.sleep(facts[name][0])
                return [np.zeros((len(inputs["images"]), 16, 2)), np.zeros((len(inputs["images"]), 16))]

        return Model

    monkeypatch.setattr(deployed_model, "StaticModel", engine("paddle"))
    monkeypatch.setattr(deployed_model, "OnnxModel", engine("onnxruntime"))
    monkeypatch.setattr(deployed_model, "has_onnxruntime", lambda: True)
    monkeypatch.setattr(fastest_engine, "_TURN_S", 0.02)
    return facts


def folder_of(path, content=b"weights"):
    path.mkdir(exist_ok=True)
    for name in ("model.json", "model.pdmodel", "model.pdiparams", "model.onnx"):
        (path / name).write_bytes(content)
    parts = build(load_config("configs/hourglass/hg1_small_synthetic_96x96.yaml"))
    write_description(path, describe(parts, ("joints", "scores"), False))
    return path


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path / "model")


def runs(engines):
    return {name: count for name, (_, count) in engines.items()}


def test_the_faster_one_is_taken_and_said(folder, engines):
    model = open_deployed(folder, "cpu", 1)
    assert model.engine == "onnxruntime"
    assert min(runs(engines).values()) >= 2  # the first does not count
    assert model.choice.startswith("engine onnxruntime: 1.")
    assert ", paddle 4." in model.choice
    assert model.choice.endswith("(measured now)")
    engines["onnxruntime"][0] = 0.02
    assert open_deployed(folder, "cpu", 2).engine == "paddle"  # another number of threads: measured for itself


def test_it_is_measured_once(folder, engines, cache):
    first = open_deployed(folder, "cpu", 1)
    before, engines["onnxruntime"][0] = runs(engines), 0.02
    again = open_deployed(folder, "cpu", 1)
    assert (again.engine, runs(engines)) == ("onnxruntime", before)
    assert again.choice == first.choice.replace("measured now", "measured before")
    assert len(json.loads(cache.read_text())) == 1


@pytest.mark.parametrize("engine", ["paddle", "onnxruntime"])
def test_a_named_engine_is_not_measured(folder, engines, cache, engine):
    model = open_deployed(folder, "cpu", 1, engine)
    assert (model.engine, model.choice) == (engine, None)
    assert sum(runs(engines).values()) == 0
    assert not cache.exists()


def test_nor_is_one_that_is_alone(folder, engines, cache):
    (folder / "model.onnx").unlink()
    assert (open_deployed(folder, "cpu", 1).engine, sum(runs(engines).values())) == ("paddle", 0)
    assert not cache.exists()


def test_another_model_and_another_version_are_measured_again(folder, tmp_path, engines, cache, monkeypatch):
    open_deployed(folder, "cpu", 1)
    open_deployed(folder_of(tmp_path / "other", b"others"), "cpu", 1)
    open_deployed(folder_of(tmp_path / "same"), "cpu", 1)
    assert len(json.loads(cache.read_text())) == 2
    monkeypatch.setattr(fastest_engine, "version_of", lambda package: "9")
    open_deployed(folder, "cpu", 1)
    assert len(json.loads(cache.read_text())) == 3


def test_models_whose_hashes_nobody_wrote_are_not_taken_for_one(folder, tmp_path, engines, cache):
    for one in (folder, folder_of(tmp_path / "other", b"others")):
        about = one / "deploy.yaml"
        about.write_text("".join(line for line in about.open() if not line.startswith("  model.")))
        open_deployed(one, "cpu", 1)
    assert len(json.loads(cache.read_text())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
        lambda text: json.dumps(dict.fromkeys(json.loads(text), "paddle")),
        lambda text: text.replace("onnxruntime", "openvino"),
        lambda text: json.dumps({key: {"paddle": "x", "onnxruntime": 1.0} for key in json.loads(text)}),
        lambda text: json.dumps({key: {"paddle": -1.0, "onnxruntime": 1.0} for key in json.loads(text)}),
    ],
)
def test_a_damaged_memory_is_measured_anew(folder, engines, cache, damage):
    open_deployed(folder, "cpu", 1)
    cache.write_text(damage(cache.read_text()))
    model = open_deployed(folder, "cpu", 1)
    assert (model.engine, model.choice[-14:]) == ("onnxruntime", "(measured now)")
    assert open_deployed(folder, "cpu", 1).choice.endswith("(measured before)")


def test_where_nothing_can_be_kept_it_works_all_the_same(folder, engines, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PADDLE_POSE_CACHE", str(tmp_path / "file" / "below"))
    for _ in range(2):
        assert open_deployed(folder, "cpu", 1).choice.endswith("(measured now)")


def test_only_the_latest_are_kept(cache, monkeypatch):
    monkeypatch.setattr(fastest_engine, "_MOST_KEPT", 3)
    for number in range(5):
        fastest_engine.remember_ms(f"key {number}", {"paddle": 1.0, "onnxruntime": 2.0})
    assert list(json.loads(cache.read_text())) == ["key 2", "key 3", "key 4"]
    assert fastest_engine.remembered_ms("key 4", BOTH) == {"paddle": 1.0, "onnxruntime": 2.0}
    assert fastest_engine.remembered_ms("key 0", BOTH) == {}
