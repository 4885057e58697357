"""No output of a run gets the place of another, or of an input."""

import os

import pytest

from paddle_pose.errors import DataError
from paddle_pose.outputs.names import OutputNames


def test_a_stem_is_that_of_the_file():
    names = OutputNames()
    assert names.stem("photos/IMG 1.final.jpg") == "IMG 1.final"
    assert names.stem("camera 0") == "camera_0"
    assert names.stem(".hidden") == ".hidden"
    assert names.picture("photos/b.JPEG") == "b.jpg"
    assert names.picture("photos/c.tif") == "c.png"
    assert names.video("d.avi") == "d.mp4"


def test_equal_stems_are_numbered_in_the_order_of_the_run():
    sources = ["a/x.jpg", "b/x.png", "b/X.png", "x_2.jpg", "c/x.mp4"]
    names = OutputNames(sources)
    wanted = ["x", "x_2", "X_3", "x_2_2", "x_4"]
    assert [names.stem(source) for source in reversed(sources)] == wanted[::-1]  # whatever is asked for first
    assert names.stem("later/x.jpg") == "x_5"
    assert len({stem.casefold() for stem in wanted}) == len(wanted)


def test_long_stems_leave_room_and_stay_text():
    stem = OutputNames().stem("é" * 125 + ".jpg")
    assert len(os.fsencode(stem)) <= 200
    assert stem == "é" * 100
    names = OutputNames(["a/" + "n" * 250 + ".jpg", "b/" + "n" * 250 + "x.jpg"])
    assert names.stem("b/" + "n" * 250 + "x.jpg").endswith("n_2")


def test_inputs_are_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    os.symlink("photos", "link")
    for save_dir in ("photos", "link", tmp_path / "photos", "photos/../photos"):
        with pytest.raises(DataError, match=r"photos/a\.png would be overwritten by an output; choose another"):
            OutputNames(["photos/b.webp", "photos/a.png"]).check_inputs_kept(save_dir)
    with pytest.raises(DataError, match=r"a\.mp4 would be overwritten"):
        OutputNames(["a.mp4"]).check_inputs_kept(".")
    with pytest.raises(DataError, match=r"photos/a\.jpg would be"):  # by the picture of another one
        OutputNames(["a.jpg", "photos/a.jpg"]).check_inputs_kept("photos")
    OutputNames(["photos/a.jpeg", "photos/b.webp", "camera 0"]).check_inputs_kept("photos")
    OutputNames(["photos/a.png"]).check_inputs_kept("out")
