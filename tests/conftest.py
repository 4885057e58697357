"""What several folders of tests share: small synthetic datasets in MPII's and COCO's files."""

import subprocess
import sys
from pathlib import Path

import pytest

SYNTHETIC_TRAIN, SYNTHETIC_VALID = 24, 12  # photos; most have one annotated person, some more, some none


@pytest.fixture(autouse=True, scope="session")
def _cache_of_tests(tmp_path_factory):
    """What tests fetch or measure is not kept for the user, nor is what the user keeps seen by them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PADDLE_POSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def synthetic_mpii(tmp_path_factory):
    """Folder of a small rendered dataset in MPII's file format; read it, never write into it."""
    return _render(tmp_path_factory, "mpii")


@pytest.fixture(scope="session")
def synthetic_coco(tmp_path_factory):
    """Folder of a small rendered dataset in COCO's file format; read it, never write into it."""
    return _render(tmp_path_factory, "coco")


def _render(tmp_path_factory, form: str) -> Path:
    root = tmp_path_factory.mktemp("data") / f"synthetic_{form}"
    flags = {"format": form, "root": root, "train": SYNTHETIC_TRAIN, "valid": SYNTHETIC_VALID}
    flags |= {"seed": 3, "image_size": 128, "workers": 1}
    command = [sys.executable, "-m", "paddle_pose.synthetic", *(f"--{name}={value}" for name, value in flags.items())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    return root
