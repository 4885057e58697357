"""predict.py in two processes of Paddle's launcher: the files are those of one process."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from command_cases import names, predict, results, write_video
from prediction_cases import photo

from paddle_pose import runtime
from paddle_pose.cli.prediction_shares import share_of
from paddle_pose.media.sources import PhotoSource

ROOT = Path(__file__).parents[2]


def launch(folder, *arguments):
    """Exit code, and what the processes printed, the first one's first."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")  # the launcher logs its environment
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    if runtime._user_threads is not None:
        environment["OMP_NUM_THREADS"] = runtime._user_threads
    command = [sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", folder / "logs"]
    command += [ROOT / "predict.py", "--device", "cpu", *arguments]
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=240,
    )
    return done.returncode, [path.read_text() for path in sorted((folder / "logs").glob("workerlog.*"))]


@pytest.mark.parametrize("model", ["one", "everybody"])
def test_the_files_are_those_of_one_process(model, models, tmp_path, capsys):
    """Seven photos in batches of two: the first process has 0 1 4 5, the second 2 3 6; of these 3 is damaged."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(7):
        cv2.imwrite(str(photos / f"{number}.png"), photo(number)[..., ::-1])
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
    assert "photos" not in logs[1].splitlines()[-1]


def test_a_video_is_run_by_one_process(models, tmp_path):
    video = write_video(tmp_path / "film.mp4")
    code, logs = launch(tmp_path, "--input", video, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out")
    assert code != 0
    assert "film.mp4: a video is run by one process; leave paddle.distributed.launch out" in logs[0]
    assert "Traceback" not in logs[0]


def test_every_photo_is_in_one_share():
    sources = [PhotoSource(f"{number}.jpg") for number in range(11)]
    shares = [[int(source.name[:-4]) for source in share_of(sources, (rank, 3), 2)] for rank in range(3)]
    assert shares == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10]]
