"""The demo's command: quick help, and one line for what is wrong."""

import importlib.util
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from paddle_pose.cli.demo import main

ROOT = Path(__file__).parents[2]
HAS_GRADIO = importlib.util.find_spec("gradio") is not None
needs_gradio = pytest.mark.skipif(not HAS_GRADIO, reason="the demo's extra is not installed: pip install -e '.[demo]'")


def test_help_imports_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "paddle_pose.demo", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "127.0.0.1" in done.stdout
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "paddle_pose" in imported
    assert not imported & {"gradio", "paddle", "cv2", "pydantic", "yaml", "starlette"}


def said(capsys, *arguments) -> str:
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def test_without_gradio(capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'paddle_pose[demo]'" in said(capsys)


@needs_gradio
@pytest.mark.parametrize("flag", [("--upload_megabytes", "0"), ("--megapixels", "-1"), ("--megapixels", "nan")])
def test_limits_that_are_none(capsys, flag):
    assert f"{flag[0]} {flag[1]}: must be above 0" in said(capsys, *flag)


@needs_gradio
def test_a_model_that_is_not_there(capsys):
    assert "nowhere.pdparams" in said(capsys, "--model", "nowhere.pdparams")
    assert "nowhere" in said(capsys, "--model_dir", "nowhere")


@needs_gradio
def test_a_port_that_is_taken_and_an_address_of_others(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"--port {port}" in said(capsys, "--port", port)


def test_the_tests_install_the_gradio_that_the_extra_names():
    extra = re.search(r"demo = \[\s+\"(gradio[^\"]+)\"", (ROOT / "pyproject.toml").read_text()).group(1)
    assert f'"{extra}"' in (ROOT / "scripts" / "test.sh").read_text()


@needs_gradio
def test_the_file_that_ai_studio_hosts():
    """It makes `demo`, a page with networks to choose from, and launches it only when it is the program."""
    import gradio

    path = ROOT / "scripts" / "main.gradio.py"
    assert path.read_text().rstrip().endswith("    demo.launch(**arguments)")
    spec = importlib.util.spec_from_file_location("main_gradio", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert isinstance(module.demo, gradio.Blocks)
    assert "server_name" not in module.arguments  # GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say
    assert module.arguments["share"] is False
    (middleware,) = module.arguments["app_kwargs"]["middleware"]
    assert middleware.cls.__name__ == "Guard"
