"""predict.py in two processes of Paddle's launcher: the files are those of one process."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
from command_cases import names, predict, results, write_video
from prediction_cases import photo

from paddle_pose import runtime
from paddle_pose.builder import load_parts
from paddle_pose.cli import prediction_setup
from paddle_pose.cli.prediction_shares import _clean_up, _open_predictor, share_of
from paddle_pose.deployment.exporting import export
from paddle_pose.engine import distributed
from paddle_pose.media.sources import PhotoSource

ROOT = Path(__file__).parents[2]


def launch(folder, *arguments, program=(ROOT / "predict.py",)):
    """Exit code, and what the processes printed, the first one's first."""
    # the launcher logs its environment
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PADDLE_POSE_CACHE")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    if runtime._user_threads is not None:
        environment["OMP_NUM_THREADS"] = runtime._user_threads
    command = [sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", folder / "logs"]
    command += [*program, "--device", "cpu", *arguments]
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=240,
    )
    return done.returncode, [path.read_text() for path in sorted((folder / "logs").glob("workerlog.*"))]


def photos_in(folder, count):
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), photo(number)[..., ::-1])
    return folder


@pytest.mark.parametrize("model", ["one", "everybody"])
def test_the_files_are_those_of_one_process(model, models, tmp_path, capsys):
    """Seven photos in batches of two: the first process has 0 1 4 5, the second 2 3 6; of these 3 is damaged."""
    photos = photos_in(tmp_path / "photos", 7)
    (photos / "3.png").write_bytes(b"no photo")
    flags = ["--input", photos, "--pretrained_model", models[model], "--batch_size", 2]
    flags += ["--save", "pictures", "coco", "openpose", "csv"]
    code, logs = launch(tmp_path, *flags, "--save_dir", tmp_path / "two")
    alone, said, errors = predict(capsys, *flags, "--save_dir", tmp_path / "one")
    assert alone == 2
    assert code != 0
    assert names(tmp_path / "two") == names(tmp_path / "one")
    for name in names(tmp_path / "one"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes(), name
    assert results(tmp_path / "two") or model == "everybody"
    assert said[-1].split(" s: ")[0].rsplit(", ", 1)[0] in logs[0]  # 6 photos, so many people
    assert errors[0] in logs[0].splitlines()
    assert " photos, " not in logs[1]


def test_a_video_is_run_by_one_process(models, tmp_path):
    video = write_video(tmp_path / "film.mp4")
    code, logs = launch(tmp_path, "--input", video, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out")
    assert code != 0
    assert "film.mp4: a video is run by one process; leave paddle.distributed.launch out" in logs[0]
    assert "Traceback" not in logs[0]


def launch_ended_by(what, rank, models, folder):
    """The same, of six photos one by one, when something happens at the second photo of a process."""
    flags = ["--input", photos_in(folder / "photos", 6), "--pretrained_model", models["one"], "--batch_size", 1]
    program = (Path(__file__).with_name("launched_predict.py"), what, rank)
    code, logs = launch(folder, *flags, "--save_dir", folder / "out", program=program)
    assert code != 0
    assert "Traceback" not in "".join(logs)
    return logs, [name for name in names(folder / "out") if not name.endswith(".png")]


@pytest.mark.parametrize("rank", [0, 1])
def test_one_that_fails_ends_the_others_in_one_line(rank, models, tmp_path):
    logs, files = launch_ended_by("full_disk", rank, models, tmp_path)
    assert logs[rank].splitlines()[-1].startswith("error: no space is left on the disk")
    assert logs[1 - rank].splitlines()[-1].startswith("error: another process has failed")
    assert files == []


@pytest.mark.parametrize(("order", "left"), [([0, 1], []), ([1, 0], []), ([1], ["0"])], ids=str)
def test_whoever_fails_last_leaves_nothing(order, left, tmp_path):
    """The first process may have removed the folder before the second one makes its file."""
    folder = tmp_path / ".shares"
    for rank in order:
        folder.mkdir(exist_ok=True)
        (folder / str(rank)).touch()
        if left:
            (folder / left[0]).touch()
        _clean_up(folder, rank)
    assert (names(folder) if folder.exists() else []) == left


def test_one_that_is_killed_leaves_no_half_file(models, tmp_path):
    _, files = launch_ended_by("killed", 1, models, tmp_path)
    assert [name for name in files if not name.startswith(".shares")] == []


def test_ctrl_c_ends_all_after_the_photo_in_hand(models, tmp_path):
    """The second process has two photos by then; the first may have all three, and waits."""
    logs, files = launch_ended_by("ctrl_c", 1, models, tmp_path)
    photos = int(re.search(r"^interrupted after (\d) photos, ", logs[0], re.MULTILINE)[1])
    assert 3 <= photos <= 5
    assert files == ["coco_images.json", "coco_results.json"]
    assert len(results(tmp_path / "out")) == photos


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_chooses_the_engine_before_the_others_open_the_model(rank, monkeypatch, capsys):
    done = []
    opened = SimpleNamespace(engine_choice="engine paddle: 1 ms a picture")
    monkeypatch.setattr(distributed, "wait_for_all", lambda: done.append("wait"))
    monkeypatch.setattr(prediction_setup, "open_predictor", lambda arguments: done.append("open") or opened)
    assert _open_predictor(SimpleNamespace(model_dir="exported"), rank) is opened
    assert done == (["wait", "open"] if rank else ["open", "wait"])
    assert capsys.readouterr().out == ("" if rank else "engine paddle: 1 ms a picture\n")
    done.clear()
    _open_predictor(SimpleNamespace(model_dir=None), rank)
    assert done == ["open"]


def test_the_choice_is_made_and_said_once(models, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("paddle2onnx")
    monkeypatch.setenv("PADDLE_POSE_CACHE", str(tmp_path / "cache"))
    export(load_parts(str(models["one"])), tmp_path / "exported", formats=("paddle", "onnx"))
    flags = ["--input", photos_in(tmp_path / "photos", 2), "--model_dir", tmp_path / "exported", "--batch_size", 1]
    code, logs = launch(tmp_path, *flags, "--save_dir", tmp_path / "out")
    assert code == 0, logs
    assert [log.count("ms a picture") for log in logs] == [1, 0]
    assert "(measured now)" in logs[0]
    assert len(json.loads((tmp_path / "cache" / "engines.json").read_text())) == 1
    assert len(results(tmp_path / "out")) == 2


def test_every_photo_is_in_one_share():
    sources = [PhotoSource(f"{number}.jpg") for number in range(11)]
    shares = [[int(source.name[:-4]) for source in share_of(sources, (rank, 3), 2)] for rank in range(3)]
    assert shares == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10]]
