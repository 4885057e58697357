"""What the user names, as sources."""

import os

import cv2
import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.media.sources import open_sources
from paddle_pose.media.videos import VideoSource


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Photos 1 to 10 grey levels bright, and what is none of them; the working directory."""
    monkeypatch.chdir(tmp_path)
    for k in (10, 2, 1):
        cv2.imwrite(f"run {k}.png", np.full((2, 3, 3), k, np.uint8))
    cv2.imwrite("Run 3.PNG.jpg", np.full((2, 3, 3), 3, np.uint8))
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / ".hidden.png").write_bytes((tmp_path / "run 1.png").read_bytes())
    (tmp_path / "below").mkdir()
    cv2.imwrite("below/a.bmp", np.full((2, 3, 3), 7, np.uint8))
    return tmp_path


def names(*inputs):
    return [source.name for source in open_sources(inputs)]


def test_a_photo_is_one_frame_without_a_time(folder):
    (source,) = open_sources(["run 2.png"])
    assert (source.name, source.kind, source.frame_rate, source.num_frames) == ("run 2.png", "photo", None, 1)
    for _ in range(2):  # again and again
        (frame,) = source
        assert (frame.source, frame.index, frame.time_s) == ("run 2.png", 0, None)
        np.testing.assert_array_equal(frame.image, np.full((2, 3, 3), 2))


def test_a_folder_gives_its_photos_in_natural_order_and_nothing_else(folder):
    assert names(".") == ["./run 1.png", "./run 2.png", "./Run 3.PNG.jpg", "./run 10.png"]
    assert names(str(folder / "below")) == [str(folder / "below" / "a.bmp")]


def test_patterns(folder):
    assert names("run*.png") == ["run 1.png", "run 2.png", "run 10.png"]
    assert names("run [12].png") == ["run 1.png", "run 2.png"]
    assert names("**/*") == ["below/a.bmp", "run 1.png", "run 2.png", "Run 3.PNG.jpg", "run 10.png"]
    os.rename("run 1.png", "run [1].png")  # a file of this name is no pattern
    assert names("run [1].png") == ["run [1].png"]


def test_a_folder_called_like_a_photo_is_a_folder(folder):
    os.rename("below", "below.jpg")
    assert names("below.jpg") == ["below.jpg/a.bmp"]


def test_the_order_is_the_users_and_what_is_named_twice_is_taken_once(folder):
    assert names("run 2.png", "run*.png", "./run 2.png", "below") == [
        "run 2.png",
        "run 1.png",
        "run 10.png",
        "below/a.bmp",
    ]
    assert names() == []


def test_a_file_of_any_other_suffix_is_tried_as_a_photo(folder):
    os.rename("run 2.png", "picture.dat")
    (source,) = open_sources(["picture.dat"])
    assert next(iter(source)).image.shape == (2, 3, 3)
    (source,) = open_sources(["notes.txt"])
    with pytest.raises(DataError, match=r"notes\.txt is not a picture"):
        next(iter(source))


def test_one_bad_photo_does_not_hide_the_others(folder):
    (folder / "run 2.png").write_bytes(b"")
    first, second, third = open_sources(["run*.png"])
    with pytest.raises(DataError, match=r"run 2\.png is an empty file"):
        list(second)
    assert [frame.image[0, 0, 0] for source in (first, third) for frame in source] == [1, 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.jpg", r"nowhere\.jpg: there is no such file or folder"),
        ("2024", "2024: there is no such file"),  # no camera has such a number
        ("empty", r"folder empty has none of the photos \(\.bmp, .*\) and videos .*'empty/\*\*/\*' does that"),
        ("words", "folder words has none of"),
        ("*.webp", r"\*\.webp: no file fits it"),
        ("*.txt", r"\*\.txt: what fits it, notes.txt for one, is none of the photos"),
        ("rtsp://host/stream", "is an address; download"),
        ("", "no such file"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(folder, text, message):
    os.mkdir("empty")
    os.mkdir("words")
    (folder / "words" / "notes.txt").write_text("no photo")
    with pytest.raises(DataError, match=message) as error:
        open_sources([text])
    assert "\n" not in str(error.value)


def test_a_link_to_nothing_is_a_photo_that_is_missing(folder):
    os.symlink("gone.jpg", "link.jpg")
    with pytest.raises(DataError, match=r"link\.jpg is missing"):
        list(open_sources(["link.jpg"])[0])


def test_links_that_lead_nowhere_do_not_hide_the_photos_beside_them(folder):
    os.symlink("gone.jpg", "below/gone.jpg")
    os.symlink("loop.jpg", "below/loop.jpg")
    os.symlink("..", "below/up.jpg")
    assert names("below") == ["below/a.bmp", "below/gone.jpg", "below/loop.jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(folder):
    os.chmod("below", 0)
    with pytest.raises(DataError, match="below cannot be read"):
        open_sources(["below"])


def test_videos_go_by_their_suffix_and_cameras_by_digits(folder, monkeypatch):
    (folder / "film.MP4").write_bytes(b"not read yet")
    (video,) = open_sources(["film.MP4"])
    assert isinstance(video, VideoSource)
    assert (video.name, video.kind) == ("film.MP4", "video")
    assert names("film*") == ["film.MP4"]
    monkeypatch.setattr("paddle_pose.media.sources.CameraSource", lambda number: ("camera", number))
    assert open_sources(["0", "00", "12"]) == [("camera", 0), ("camera", 12)]
