"""Drawn videos: rate, size, and what remains when something goes wrong."""

import os
import subprocess
import sys

import numpy as np
import pytest

from paddle_pose import video_files
from paddle_pose.errors import DataError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.media.videos import VideoSource
from paddle_pose.outputs.video import VideoWriter
from paddle_pose.samples import FoundPeople
from paddle_pose.video_files import Mp4File

NOBODY = FramePoses(FoundPeople(np.zeros((0, 17, 2)), np.zeros((0, 17)), np.zeros(0)))


def frame(index, rate=25.0, width=64, height=48, source="in/clip.mov", time_s=None):
    image = np.full((height, width, 3), 20 + 8 * (index % 25), np.uint8)
    return Frame(source, index, image, index / rate if time_s is None else time_s)


def writer_to(folder, rate=25.0):
    return VideoWriter(folder, lambda frame, poses: frame.image, lambda source: rate)


def write_all(folder, frames):
    with writer_to(folder) as writer:
        for each in frames:
            writer.add(each, NOBODY)


def read(path):
    return [frame.image for frame in VideoSource(path)]


@pytest.mark.parametrize("rate", [25.0, 29.97, 30000 / 1001, 12.5, 59.94, 1000 / 3, 0.5])
def test_the_sources_rate_and_every_frame_once(tmp_path, rate):
    with writer_to(tmp_path, rate) as writer:
        for index in range(20):
            writer.add(frame(index, rate), NOBODY)
    source = VideoSource(tmp_path / "clip.mp4")
    assert source.frame_rate == pytest.approx(rate, rel=2e-5)
    images = read(tmp_path / "clip.mp4")
    assert len(images) == 20
    for index, image in enumerate(images):
        assert abs(float(image.mean()) - 20 - 8 * index) < 4  # half a step of grey
    assert os.listdir(tmp_path) == ["clip.mp4"]


@pytest.mark.parametrize("rate", [None, 0.0, float("nan"), 1000.0])
def test_where_nobody_knows_the_rate_it_is_25(tmp_path, rate):
    with writer_to(tmp_path, rate) as writer:
        writer.add(frame(0), NOBODY)
    assert VideoSource(tmp_path / "clip.mp4").frame_rate == 25.0


@pytest.mark.parametrize(("width", "height"), [(1, 1), (65, 48), (64, 47), (33, 31)])
def test_odd_sides_grow_by_one_and_lose_nothing(tmp_path, width, height):
    with writer_to(tmp_path) as writer:
        writer.add(frame(3, width=width, height=height), NOBODY)
    image = read(tmp_path / "clip.mp4")[0]
    assert image.shape == (height + height % 2, width + width % 2, 3)
    assert abs(image.astype(int) - 44).max() < 6  # the added row is a copy, not black


def test_a_frame_of_another_size_is_fitted_in(tmp_path):
    with writer_to(tmp_path) as writer:
        writer.add(frame(0), NOBODY)
        writer.add(frame(10, width=20, height=40, time_s=0.04), NOBODY)
    image = read(tmp_path / "clip.mp4")[1]
    assert image.shape == (48, 64, 3)
    assert image[24, 32].mean() > 80
    assert image[24, 5].mean() < 12


def test_the_sources_time_is_kept_where_frames_are_missing_or_uneven(tmp_path):
    with writer_to(tmp_path) as writer:
        for index, time_s in enumerate((0.0, 0.04, 0.24, 0.28)):
            writer.add(frame(index, time_s=time_s), NOBODY)
    levels = [round((image.mean() - 20) / 8) for image in read(tmp_path / "clip.mp4")]
    assert levels == [0, 1, 1, 1, 1, 1, 2, 3]


def test_a_wrong_time_does_not_fill_the_disk(tmp_path):
    with writer_to(tmp_path) as writer:
        for index, time_s in enumerate((0.0, 90_000.0, 90_000.04)):
            writer.add(frame(index, time_s=time_s), NOBODY)
    assert len(read(tmp_path / "clip.mp4")) == 3


def test_each_source_has_its_file_and_photos_are_left_to_others(tmp_path):
    photo = Frame("p.jpg", 0, np.zeros((8, 8, 3), np.uint8))
    with writer_to(tmp_path) as writer:
        for each in (frame(0), photo, frame(1), frame(0, source="b/clip.mp4"), frame(0, source="camera 0")):
            writer.add(each, NOBODY)
        assert (tmp_path / "clip.mp4").exists()  # finished as soon as the next one begins
    assert sorted(os.listdir(tmp_path)) == ["camera_0.mp4", "clip.mp4", "clip_2.mp4"]
    assert len(read(tmp_path / "clip.mp4")) == 2


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_what_was_written_before_an_error_is_a_playable_file(tmp_path, stop):
    def ends_early():
        for index in range(7):
            yield frame(index)
        assert not (tmp_path / "clip.mp4").exists()
        raise stop

    with pytest.raises(stop):
        write_all(tmp_path, ends_early())
    assert len(read(tmp_path / "clip.mp4")) == 7
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_a_drawing_that_fails_leaves_no_file(tmp_path):
    def fail(frame, poses):
        raise ValueError

    with pytest.raises(ValueError), VideoWriter(tmp_path, fail, lambda source: 25.0) as writer:
        writer.add(frame(0), NOBODY)
    assert os.listdir(tmp_path) == []


def test_the_input_is_never_replaced(tmp_path):
    with writer_to(tmp_path) as writer:
        writer.add(frame(0), NOBODY)
    before = (tmp_path / "clip.mp4").read_bytes()
    with pytest.raises(DataError, match="would be replaced"), writer_to(tmp_path) as writer:
        writer.add(frame(0, source=str(tmp_path / "clip.mp4")), NOBODY)
    assert (tmp_path / "clip.mp4").read_bytes() == before


def test_a_disk_that_fills_up_ends_it_while_the_file_can_be_finished(tmp_path, monkeypatch):
    free = iter([video_files.SPARE_BYTES] * 2 + [video_files.SPARE_BYTES - 1])
    usage = type("Usage", (), {})
    monkeypatch.setattr(video_files.shutil, "disk_usage", lambda _: (setattr(usage, "free", next(free)), usage)[1])
    with pytest.raises(DataError, match="the disk is full, stopped after 64 frames"):
        write_all(tmp_path, map(frame, range(100)))
    assert len(read(tmp_path / "clip.mp4")) == 64


def test_a_file_that_could_not_be_written_whole_is_noticed_and_removed(tmp_path):
    """The system refuses all that is longer than 20 kB, as a full disk does; OpenCV says nothing of it."""
    code = f"""
import resource, signal, numpy as np
from paddle_pose.errors import DataError
from paddle_pose.video_files import Mp4File
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
file = Mp4File({str(tmp_path / "clip.mp4")!r}, 25)
noise = np.random.default_rng(0)
for _ in range(20):
    file.write(noise.integers(0, 255, (96, 96, 3), np.uint8))
try:
    file.close()
except DataError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "is the disk full" in done.stdout, done.stderr
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_or_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"), writer_to(tmp_path / "file" / "x") as writer:
        writer.add(frame(0), NOBODY)


def test_sides_beyond_the_codecs_limit_are_scaled_down(tmp_path):
    file = Mp4File(tmp_path / "clip.mp4", 25)
    file.write(np.full((12, 9000, 3), 90, np.uint8))
    file.close()
    assert read(tmp_path / "clip.mp4")[0].shape == (10, 8190, 3)
