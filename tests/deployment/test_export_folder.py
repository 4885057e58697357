"""The folder appears whole or not at all."""

import subprocess
import sys

import pytest

from paddle_pose.deployment.deploy_file import DEPLOY_FILE
from paddle_pose.deployment.export_folder import replacing_folder
from paddle_pose.errors import UserError


@pytest.fixture
def older(tmp_path):
    """An older export, with a file of the user's in it."""
    folder = tmp_path / "inference"
    folder.mkdir()
    for name in (DEPLOY_FILE, "model.json", "model.onnx", "note.txt"):
        (folder / name).write_text(f"old {name}")
    return folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("there", [False, True])
def test_a_new_folder(there, tmp_path):
    folder = tmp_path / "a" / "b"
    if there:
        folder.mkdir(parents=True)
    with replacing_folder(folder) as temporary:
        (temporary / DEPLOY_FILE).write_text("new")
        assert not (folder / DEPLOY_FILE).exists()
    assert contents(folder) == {DEPLOY_FILE: "new"}
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_an_older_export_is_replaced_and_other_files_stay(older):
    with replacing_folder(older) as temporary:
        (temporary / DEPLOY_FILE).write_text("new")
    assert contents(older) == {DEPLOY_FILE: "new", "note.txt": "old note.txt"}
    assert [path.name for path in older.parent.iterdir()] == ["inference"]


@pytest.mark.parametrize("error", [UserError("the check failed"), KeyboardInterrupt()])
def test_a_failure_leaves_the_older_export(error, older):
    before = contents(older)

    def fail():
        with replacing_folder(older) as temporary:
            (temporary / DEPLOY_FILE).write_text("new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert contents(older) == before
    assert [path.name for path in older.parent.iterdir()] == ["inference"]


def test_a_kill_leaves_the_older_export(older):
    before = contents(older)
    code = (
        "import os, sys, pathlib\n"
        "from paddle_pose.deployment.export_folder import replacing_folder\n"
        "with replacing_folder(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    (temporary / 'deploy.yaml').write_text('new')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(older)]).returncode == -9
    assert contents(older) == before


def test_other_folders_and_files_are_refused(tmp_path):
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(UserError, match="photo.jpg and is not an exported model"), replacing_folder(tmp_path):
        pass
    with pytest.raises(UserError, match="is not a folder"), replacing_folder(tmp_path / "photo.jpg"):
        pass
    with pytest.raises(UserError, match="cannot write"), replacing_folder(tmp_path / "photo.jpg" / "out"):
        pass
    assert contents(tmp_path) == {"photo.jpg": "mine"}


def test_a_full_disk_is_one_line(older):
    with pytest.raises(UserError, match="No space left.*the older export there is intact"), replacing_folder(older):
        raise OSError(28, "No space left on device")
