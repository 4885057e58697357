import json
import os
import subprocess
import sys
from dataclasses import fields, replace

import pytest
from synthetic_cases import RECIPE, WRITERS, contents

from paddle_pose.errors import DataError
from paddle_pose.synthetic import write_mpii as write_mpii_module
from paddle_pose.synthetic.command import main, parse_args
from paddle_pose.synthetic.folder import make_folder
from paddle_pose.synthetic.recipe import Recipe


def test_files_are_the_same_for_any_number_of_workers(datasets, tmp_path):
    WRITERS["coco"](str(tmp_path / "two"), RECIPE, workers=2)
    assert contents(datasets("coco")) == contents(tmp_path / "two")


def test_the_same_again_does_nothing_and_other_arguments_are_refused(datasets):
    root = datasets("lsp")
    before = contents(root)
    assert not WRITERS["lsp"](str(root), RECIPE)
    for name in (field.name for field in fields(Recipe)):
        other = "calm" if name == "difficulty" else getattr(RECIPE, name) + 1
        with pytest.raises(DataError, match=f"made with.*'{name}': {other!r}"):
            WRITERS["lsp"](str(root), replace(RECIPE, **{name: other}))
    with pytest.raises(DataError, match="made with.*'format': 'mpii'"):
        WRITERS["mpii"](str(root), RECIPE)
    assert contents(root) == before


def test_a_folder_with_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "photo.txt").write_text("mine")
    code = main(["--format", "mpii", "--root", str(tmp_path), "--train", "1", "--valid", "1"])
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert str(tmp_path) in error
    assert os.listdir(tmp_path) == ["photo.txt"]


@pytest.mark.parametrize("text", ["[]", "{}", "not json"])
def test_a_foreign_marker_is_refused(tmp_path, text):
    (tmp_path / "synthetic.json").write_text(text)
    with pytest.raises(DataError):
        make_folder(str(tmp_path), "mpii", RECIPE, lambda folder: None)
    assert (tmp_path / "synthetic.json").read_text() == text


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch, stop):
    def interrupted(job, paths, *rest):
        with open(paths[0], "w") as file:
            file.write("half")
        raise stop

    monkeypatch.setattr(write_mpii_module, "produce", interrupted)
    with pytest.raises(stop):
        WRITERS["mpii"](str(tmp_path / "data"), Recipe(2, 2))
    assert os.listdir(tmp_path) == []


def test_a_root_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        make_folder(str(tmp_path / "file" / "data"), "mpii", RECIPE, lambda folder: None)
    with pytest.raises(DataError, match="is a file"):
        make_folder(str(tmp_path / "file"), "mpii", RECIPE, lambda folder: None)


def test_command_writes_and_says_what_it_did(tmp_path, capsys):
    words = ["--format", "lspet", "--root", str(tmp_path / "new" / "data"), "--train", "2", "--valid", "1"]
    words += ["--image_size", "64", "--workers", "1", "--seed", "9", "--difficulty", "calm"]
    assert main(words) == 0
    assert "wrote 2 + 1 photos" in capsys.readouterr().out
    assert main(words) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert os.listdir(tmp_path / "new") == ["data"]
    marker = json.loads((tmp_path / "new" / "data" / "synthetic.json").read_text())
    asked = {"train": 2, "valid": 1, "seed": 9, "image_size": 64, "difficulty": "calm"}
    assert marker["arguments"] == {"format": "lspet", **asked}


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *[("--train", "0"), ("--valid", "-3"), ("--seed", "x"), ("--image_size", "8"), ("--workers", "0")],
        ("--difficulty", "hard"),
    ],
)
def test_bad_arguments_end_with_code_2_and_name_the_flag(flag, value, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_args(["--format", "mpii", "--root", "nowhere", flag, value])
    assert stop.value.code == 2
    assert flag in capsys.readouterr().err


def test_help_imports_nothing_heavy_and_the_writers_never_import_paddle():
    code = """
import sys
from paddle_pose.synthetic.command import WRITERS, parse_args
try:
    parse_args(["--help"])
except SystemExit:
    pass
assert not {"cv2", "scipy", "paddle"} & set(sys.modules), "help"
import importlib
for module, name in WRITERS.values():
    getattr(importlib.import_module(module), name)
assert "paddle" not in sys.modules, "paddle"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
