"""`--help` answers before anything heavy is imported; wrong flags and wrong input end with code 2."""

import argparse
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from paddle_pose.cli.main import COMMANDS as COMMANDS_OF_ALL
from paddle_pose.cli.main import main as main_of_all
from paddle_pose.cli.options import run_command

ROOT = Path(__file__).parents[2]
HEAVY = {"paddle", "cv2", "scipy", "pydantic", "matplotlib", "visualdl", "yaml"}
COMMANDS = sorted(path.name for path in ROOT.glob("*.py") if path.name not in ("setup.py", "conftest.py"))


def run(*arguments: str, python: tuple[str, ...] = ()):
    return subprocess.run([sys.executable, *python, *arguments], capture_output=True, text=True, cwd=ROOT)


def test_there_are_commands():
    assert {"train.py", "val.py"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_heavy(command):
    done = run(command, "--help", python=("-X", "importtime"))
    assert done.returncode == 0
    assert "--config" in done.stdout
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "paddle_pose" in imported  # the list is read aright
    assert not imported & HEAVY


def test_all_commands_are_behind_one_name():
    done = run("-m", "paddle_pose", "--help")
    assert done.returncode == 0
    for name in COMMANDS_OF_ALL:
        assert f"  {name} " in done.stdout
        assert run("-m", "paddle_pose", name, "--help").stdout.startswith(f"usage: paddle-pose {name} ")


def test_a_command_sees_its_own_words_only(monkeypatch):
    """Its usage begins with the first of them, and a record holds them all (`made_by.command`)."""
    seen = []
    monkeypatch.setattr(sys, "argv", ["paddle-pose", "flops", "--config", "a.yaml"])
    monkeypatch.setattr("paddle_pose.cli.flops.main", lambda argv: seen.extend((argv, sys.argv)) or 0)
    assert main_of_all() == 0
    assert seen == [["--config", "a.yaml"], ["paddle-pose flops", "--config", "a.yaml"]]


def test_a_command_that_there_is_not():
    assert f"'trian'; choose from {', '.join(COMMANDS_OF_ALL)}" in user_error("-m", "paddle_pose", "trian")


def user_error(*arguments: str) -> str:
    done = run(*arguments)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_an_unknown_flag():
    done = run("train.py", "--learning_rate", "1")
    assert done.returncode == 2
    assert "--learning_rate" in done.stderr


def test_a_configuration_that_is_not_there():
    assert "nowhere.yaml" in user_error("train.py", "--config", "nowhere.yaml")


def test_options_may_be_given_in_several_groups():
    arguments = ("train.py", "--opts", "train.epoch=3", "--opts", "seed=1")
    assert "did you mean 'epochs'" in user_error(*arguments)


def test_an_image_size_of_nothing():
    assert "--image_size" in user_error("train.py", "--image_size", "0")


def test_a_full_disk_ends_any_command_with_one_line(capsys):
    def full(arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert run_command(full, argparse.Namespace()) == 2
    assert capsys.readouterr().err.startswith("error: no space is left")


def test_another_error_of_the_system_is_not_hidden():
    def broken(arguments):
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        run_command(broken, argparse.Namespace())


def test_a_path_that_cannot_be_used_is_named(capsys):
    def closed(arguments):
        Path("/" + "n" * 300).read_text()

    assert run_command(closed, argparse.Namespace()) == 2
    assert capsys.readouterr().err == f"error: /{'n' * 300}: File name too long; check the path\n"


def test_only_a_command_that_can_resume_offers_it(capsys):
    def full(arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    run_command(full, argparse.Namespace(resume=False))
    assert "--resume" in capsys.readouterr().err
    run_command(full, argparse.Namespace())
    assert "--resume" not in capsys.readouterr().err


def test_too_little_memory_is_one_line(capsys):
    def greedy(arguments):
        raise MemoryError("Fail to alloc\n  [Hint: less]")

    assert run_command(greedy, argparse.Namespace()) == 2
    said = capsys.readouterr().err
    assert said == "error: not enough memory: Fail to alloc [Hint: less]; a smaller batch or input needs less\n"


def test_the_table_of_rows_takes_no_words_and_may_be_cut_off():
    assert run("-m", "paddle_pose.references", "nonsense").returncode == 2
    line = f"set -o pipefail; {sys.executable} -m paddle_pose.references | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("### COCO, a part of val2014\n", "")
