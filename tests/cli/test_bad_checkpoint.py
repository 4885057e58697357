"""A checkpoint that is damaged, hostile or of another run is refused in one line, and nothing in it is executed."""

import json
import os
import pickle
import shutil

import numpy as np
import pytest
from cli_cases import CONFIG, assert_one_error, best_model, cut_in_half, fingerprint, train, validate, write_config

from paddle_pose.engine.checkpoint import load_model, load_training_state, save_atomically


def other_network(state):
    state["network"] = {name: value for name, value in state["network"].items() if "to_maps" not in name}
    state["ema"] = {name: state["ema"][name] for name in state["network"]}


def other_shape(state):
    state["network"]["stem.0.conv.weight"] = np.zeros((1, 2), "float32")


def other_skeleton(state):
    state["meta"]["skeleton"] = "LSP_14"


def other_optimizer(state):
    state["optimizer"] = {"velocity/" + name.split("/", 1)[1]: value for name, value in state["optimizer"].items()}


def spoilt_progress(state):
    state["progress"]["step"] = "many"


STATES = [
    (other_network, ["not a checkpoint of this StackedHourglass", "to_maps"]),
    (other_shape, ["stem.0.conv.weight", r"\[1, 2\]"]),
    (other_skeleton, ["LSP_14"]),
    (other_optimizer, ["optimiser"]),
    (spoilt_progress, ["damaged"]),
]


@pytest.mark.parametrize(("spoil", "words"), STATES, ids=[spoil.__name__ for spoil, _ in STATES])
def test_resume_refuses_the_state_of_another_run(run, synthetic_mpii, tmp_path, capsys, spoil, words):
    folder = shutil.copytree(run[0], tmp_path / "out")
    path = folder / "64_training" / "training.pdstate"
    state = load_training_state(path)
    spoil(state)
    save_atomically(state, path)
    before = fingerprint(folder)
    assert train(run[1], synthetic_mpii, folder, "--resume") == 2
    assert_one_error(capsys.readouterr(), r"training\.pdstate|optimiser", *words)
    assert fingerprint(folder) == before


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


FILES = [
    ("hostile", pickle.dumps({"to_maps.0.weight": Evil()}), "could run code"),
    ("garbage", b"\x00\x01garbage", "damaged"),
    ("empty", b"", "damaged"),
    ("text", b"model:\n  weights: none\n", "damaged"),
]


@pytest.mark.parametrize(("content", "word"), [file[1:] for file in FILES], ids=[file[0] for file in FILES])
def test_a_hostile_or_damaged_file_is_refused_by_every_command(
    run, synthetic_mpii, tmp_path, capsys, monkeypatch, content, word
):
    monkeypatch.chdir(tmp_path)
    folder = shutil.copytree(run[0], tmp_path / "out")
    for path in (folder / "64_training" / "training.pdstate", best_model(folder)):
        path.write_bytes(content)
    assert validate("--pretrained_model", best_model(folder)) == 2
    assert_one_error(capsys.readouterr(), r"model\.pdparams", word)
    assert train(run[1], synthetic_mpii, folder, "--resume") == 2
    assert_one_error(capsys.readouterr(), r"training\.pdstate", word)
    assert train(run[1], synthetic_mpii, tmp_path / "new", "--pretrained_model", best_model(folder)) == 2
    assert_one_error(capsys.readouterr(), r"model\.pdparams", word)
    assert not (tmp_path / "executed").exists()
    assert not (tmp_path / "new").exists()


def test_a_truncated_checkpoint(run, tmp_path, capsys):
    path = shutil.copy(best_model(run[0]), tmp_path / "model.pdparams")
    cut_in_half(path)
    assert validate("--pretrained_model", path) == 2
    assert_one_error(capsys.readouterr(), r"model\.pdparams", "damaged")


def test_a_checkpoint_of_another_network(run, synthetic_mpii, tmp_path, capsys):
    wider = write_config(tmp_path, CONFIG.replace("width: 16", "width: 32"))
    assert validate("--config", wider, "--dataset_root", synthetic_mpii, "--pretrained_model", best_model(run[0])) == 2
    assert_one_error(capsys.readouterr(), r"model\.pdparams", "needs", "--config")


def test_a_checkpoint_whose_own_configuration_is_wrong_names_the_checkpoint(run, tmp_path, capsys):
    weights, facts = load_model(best_model(run[0]))
    facts["config"]["optimizer"]["lrr"] = 3
    path = tmp_path / "odd.pdparams"
    save_atomically({**weights, "paddle_pose": json.dumps(facts)}, path)
    assert validate("--pretrained_model", path) == 2
    assert_one_error(capsys.readouterr(), r"odd\.pdparams", "optimizer.lrr")
