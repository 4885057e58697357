"""Video files and cameras: what is read, what is told of what cannot be, and that nothing hangs."""

import math
import struct
import subprocess
import sys
import tracemalloc

import cv2
import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.media import videos
from paddle_pose.media.videos import CameraSource, VideoSource

WIDTH, HEIGHT, COUNT, RATE = 64, 48, 30, 12.5


def grey_level(index: int) -> int:
    return 20 + 7 * index


def write(path, count=COUNT, rate=RATE, codec="mp4v"):
    """Frames of one grey each, with a red upper left corner: who is who survives any codec."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, (WIDTH, HEIGHT))
    for index in range(count):
        image = np.full((HEIGHT, WIDTH, 3), grey_level(index), np.uint8)
        image[:24, :32] = (0, 0, 255)  # BGR
        writer.write(image)
    writer.release()
    return path


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "clip.mp4")


def turned(path, quarter_turns: int):
    """Writes a turn to be made by the player into the track header, as phones do."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter_turns]
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # version 0: the matrix is 40 bytes behind the box's name
    matrix = (cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)


def test_all_frames_in_order_as_rgb_with_times_of_the_rate(clip):
    source = VideoSource(clip)
    frames = list(source)
    assert (source.kind, source.name, source.frame_rate, source.num_frames) == ("video", str(clip), RATE, COUNT)
    assert [frame.index for frame in frames] == list(range(COUNT))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(COUNT) / RATE, atol=1e-6)
    for frame in frames:
        assert frame.image.shape == (HEIGHT, WIDTH, 3)
        assert frame.image.dtype == np.uint8
        assert abs(float(frame.image[40, 50].mean()) - grey_level(frame.index)) < 4  # half a step of grey
        assert frame.image[5, 5, 0] > 180
        assert frame.image[5, 5, 1:].max() < 80
    assert len(list(source)) == COUNT  # a second time from the start


@pytest.mark.parametrize(
    ("quarter_turns", "shape", "red_yx"), [(1, (WIDTH, HEIGHT), (5, 40)), (2, (HEIGHT, WIDTH), (40, 58))]
)
def test_frames_are_turned_as_a_player_turns_them(clip, quarter_turns, shape, red_yx):
    turned(clip, quarter_turns)
    image = next(iter(VideoSource(clip))).image
    assert image.shape[:2] == shape
    assert image[red_yx][0] > 180
    assert image[red_yx][1:].max() < 80


@pytest.mark.parametrize("content", [b"", b"no video" * 999])
def test_what_is_no_video_is_one_line_when_its_turn_comes(tmp_path, content, capfd):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    source = VideoSource(path)
    assert (source.frame_rate, source.num_frames) == (None, None)
    with pytest.raises(DataError, match="no video can be read") as error:
        list(source)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")  # neither FFmpeg nor OpenCV prints


def test_a_file_cut_off_before_its_index_is_no_video(clip):
    clip.write_bytes(clip.read_bytes()[:-2000])
    with pytest.raises(DataError, match="is it whole"):
        list(VideoSource(clip))


def test_a_file_cut_off_later_gives_what_there_is_and_says_so_once(tmp_path, capfd):
    path = write(tmp_path / "clip.avi", codec="MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + (data.index(b"idx1") - data.index(b"movi")) // 2])
    frames = list(VideoSource(path))
    assert COUNT / 3 < len(frames) < 2 * COUNT / 3
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "although its header says 2.40 s" in said


def test_missing_files_and_folders_are_told_at_once(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        VideoSource(tmp_path / "none.mp4")
    with pytest.raises(DataError, match="is a folder"):
        VideoSource(tmp_path)


class Fake:
    """A capture that plays a script: True is a good frame, False one that is not grabbed, None one that is broken."""

    def __init__(self, script, times_ms=(), rate=25.0, opens=True):
        self.script, self.times_ms, self.rate, self.opens = list(script), list(times_ms), rate, opens
        self.position, self.grabs, self.is_released = -1, 0, False

    def __call__(self, *_):
        return self

    def isOpened(self):  # noqa: N802
        return self.opens

    def set(self, *_):
        return True

    def get(self, what):
        if what == cv2.CAP_PROP_POS_MSEC:
            return self.times_ms[self.position] if self.position < len(self.times_ms) else 0.0
        return self.rate if what == cv2.CAP_PROP_FPS else float(len(self.script))

    def grab(self):
        self.grabs += 1
        self.position += 1
        return self.position < len(self.script) and self.script[self.position] is not False

    def retrieve(self):
        if self.script[self.position] is None:
            raise cv2.error("broken")
        return True, np.zeros((4, 4, 3), np.uint8)

    def release(self):
        self.is_released = True


def played(monkeypatch, clip, fake):
    monkeypatch.setattr(videos.cv2, "VideoCapture", fake)
    return list(VideoSource(clip))


def test_lost_frames_are_passed_over_and_counted_once(clip, monkeypatch, capsys):
    fake = Fake([True, False, False, True, None, True])
    frames = played(monkeypatch, clip, fake)
    assert [frame.index for frame in frames] == [0, 3, 5]
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("could not be read and are left out: 3")
    assert fake.grabs == 6 + videos.RETRIES  # it ends


@pytest.mark.parametrize(
    ("times_ms", "expected_s"),
    [
        ([500, 540, 580, 0], [0, 0.04, 0.08, 0.12]),  # OpenCV 4.6 says 0 at the end
        ([0, 100, 130, 500], [0, 0.1, 0.13, 0.5]),  # a variable rate
        ([], [0, 0.04, 0.08, 0.12]),  # none at all
        ([0, math.nan, 80, 80], [0, 0.04, 0.08, 0.12]),
    ],
)
def test_times_are_the_files_own_where_they_grow(clip, monkeypatch, times_ms, expected_s):
    frames = played(monkeypatch, clip, Fake([True] * 4, times_ms))
    np.testing.assert_allclose([frame.time_s for frame in frames], expected_s, atol=1e-9)


@pytest.mark.parametrize("said", [0.0, math.nan, math.inf, 1000.0, 90000.0, -1.0])
@pytest.mark.parametrize(("step_ms", "rate"), [(40, 25.0), (0, None), (1, None)])
def test_a_rate_that_cannot_be_true_is_taken_from_the_times(clip, monkeypatch, said, step_ms, rate):
    monkeypatch.setattr(videos.cv2, "VideoCapture", Fake([True] * 9, [step_ms * i for i in range(9)], rate=said))
    assert VideoSource(clip).frame_rate == rate


def test_a_source_that_is_left_early_lets_go_of_its_file(clip, monkeypatch):
    fake = Fake([True] * 9)
    monkeypatch.setattr(videos.cv2, "VideoCapture", fake)
    frames = iter(VideoSource(clip))
    next(frames)
    frames.close()
    assert fake.is_released


def test_thousands_of_frames_need_no_more_memory_than_a_few(clip, monkeypatch):
    monkeypatch.setattr(videos.cv2, "VideoCapture", Fake([True] * 3000))
    frames = iter(VideoSource(clip))
    tracemalloc.start()
    for _ in range(100):
        next(frames)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(2800):
        next(frames)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000  # bytes; 7 a frame


def test_no_such_camera_is_one_quick_quiet_line(capfd):
    with pytest.raises(DataError, match="camera 987") as error:
        CameraSource(987)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("fake", [Fake([True], opens=False), Fake([])])
def test_a_camera_without_pictures_is_one_line(monkeypatch, fake):
    monkeypatch.setattr(videos.Path, "exists", lambda path: True)
    monkeypatch.setattr(videos.cv2, "VideoCapture", fake)
    with pytest.raises(DataError, match="camera 0 gives no picture"):
        CameraSource(0)
    assert fake.is_released


def test_a_cameras_frames_go_on_until_it_stops(monkeypatch, capsys):
    fake = Fake([True] * 5 + [False, True], rate=30.0)
    monkeypatch.setattr(videos.Path, "exists", lambda path: True)
    monkeypatch.setattr(videos.cv2, "VideoCapture", fake)
    source = CameraSource(0)
    assert (source.name, source.kind, source.frame_rate, source.num_frames) == ("camera 0", "camera", 30.0, None)
    frames = list(source)  # the first picture told that it works
    assert [frame.index for frame in frames] == list(range(5))
    assert all(after.time_s >= before.time_s for before, after in zip(frames, frames[1:]))
    assert "gives no more pictures" in capsys.readouterr().err


def test_a_broken_file_ends_in_a_new_process_too(tmp_path):
    """FFmpeg's own messages are switched off before OpenCV first asks."""
    path = write(tmp_path / "clip.mp4")
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    code = f"from paddle_pose.media.videos import VideoSource; print(len(list(VideoSource({str(path)!r}))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= COUNT
    assert all(line.startswith(str(path)) for line in done.stderr.splitlines())
