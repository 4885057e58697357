"""The facts about a process that stand in records."""

import re
import subprocess

from paddle_pose import environment


def test_the_commit_is_that_of_this_checkout():
    assert re.fullmatch(r"[0-9a-f]{7,}\+?", environment.environment()["commit"])


def test_installed_inside_another_repository_there_is_none(tmp_path, monkeypatch):
    package = tmp_path / ".venv" / "paddle_pose"
    package.mkdir(parents=True)
    (tmp_path / "theirs.txt").write_text("")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["add", "theirs.txt"], ["commit", "-q", "-m", "theirs"]):
        subprocess.run([*git, *words], check=True)
    (package / "environment.py").write_text("")
    monkeypatch.setattr(environment, "__file__", str(package / "environment.py"))
    assert "commit" not in environment.environment()
