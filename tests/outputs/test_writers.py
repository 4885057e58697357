"""All writers: together, when something goes wrong, and for a long time."""

import contextlib
import json
import os
import resource
import tracemalloc

import cv2
import numpy as np
import pytest
from output_cases import frame, nobody, people

from paddle_pose.errors import DataError, UserError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.media.sources import open_sources
from paddle_pose.outputs.coco_json import CocoWriter
from paddle_pose.outputs.csv_table import CsvWriter
from paddle_pose.outputs.drawing import Drawing
from paddle_pose.outputs.formats import open_writers
from paddle_pose.outputs.pictures import write_picture
from paddle_pose.outputs.writer import PoseWriter, Writers, check_writable
from paddle_pose.skeletons import COCO_17, MPII_16

FORMATS = ("pictures", "coco", "openpose", "csv")


@pytest.fixture
def photos(tmp_path):
    """Three photos, two of them of one stem."""
    (tmp_path / "in").mkdir()
    for name in ("a.jpg", "a.png", "b.tif"):
        cv2.imwrite(str(tmp_path / "in" / name), np.full((60, 80, 3), 90, np.uint8))
    return open_sources([str(tmp_path / "in")])


def opened(folder, photos, formats=FORMATS):
    return open_writers(folder, formats, MPII_16, Drawing(MPII_16), photos)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_every_photo_in_every_format(tmp_path, photos):
    with opened(tmp_path / "out", photos) as writers:
        for source in photos:
            for picture in source:
                writers.add(picture, FramePoses(people(2)))
    assert files(tmp_path / "out") == [
        *("a.jpg", "a_2.png", "b.png", "coco_images.json", "coco_results.json"),
        *(f"openpose/{stem}_keypoints.json" for stem in ("a_2", "a", "b")),
        "poses.csv",
    ]
    drawn = cv2.imread(str(tmp_path / "out" / "a_2.png"))[..., ::-1]
    (picture,) = photos[1]
    np.testing.assert_array_equal(drawn, Drawing(MPII_16)(picture, FramePoses(people(2))))
    jpeg = cv2.imread(str(tmp_path / "out" / "a.jpg"))
    assert np.abs(jpeg.astype(int) - drawn[..., ::-1]).mean() < 10  # thin coloured lines suffer in a JPEG


def test_a_video_in_every_format(tmp_path):
    with opened(tmp_path / "out", [], [*FORMATS, "video"]) as writers:
        for index in range(3):
            writers.add(frame("in/a.avi", index, index / 25), FramePoses(people(1)))
        writers.add(frame("in/a.jpg"), nobody())
    assert files(tmp_path / "out") == [
        *("a.mp4", "a_2.jpg", "coco_images.json", "coco_results.json"),
        *(f"openpose/a_{index:012d}_keypoints.json" for index in range(3)),
        *("openpose/a_2_keypoints.json", "poses.csv"),
    ]


def test_frames_of_videos_are_no_pictures(tmp_path):
    with opened(tmp_path, [], ["pictures"]) as writers:
        writers.add(frame("f.mp4", 0, 0.0), nobody())
    assert files(tmp_path) == []


def test_after_an_error_finished_files_stay_and_nothing_is_half_written(tmp_path, photos, caplog):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "coco_results.json").write_text("[]")  # of an earlier run

    def run():
        with opened(tmp_path / "out", photos) as writers:
            writers.add(next(iter(photos[0])), FramePoses(people(2)))
            raise RuntimeError("the network fell over")

    with pytest.raises(RuntimeError, match="the network fell over"):
        run()
    assert files(tmp_path / "out") == [
        *("a.jpg", "coco_images.partial.json", "coco_results.json", "coco_results.partial.json"),
        *("openpose/a_keypoints.json", "poses.partial.csv"),
    ]
    assert (tmp_path / "out" / "coco_results.json").read_text() == "[]"
    assert len(json.loads((tmp_path / "out" / "coco_results.partial.json").read_text())) == 2
    assert len((tmp_path / "out" / "poses.partial.csv").read_text().splitlines()) == 3
    assert "poses.partial.csv holds what was finished before the error" in caplog.text


def test_ctrl_c_is_such_an_error(tmp_path, photos):
    writers = opened(tmp_path / "out", photos, ["coco"])
    with pytest.raises(KeyboardInterrupt), writers:
        raise KeyboardInterrupt
    assert json.loads((tmp_path / "out" / "coco_results.partial.json").read_text()) == []


def test_one_writer_that_cannot_end_does_not_keep_the_others_from_it(tmp_path):
    class Bad(PoseWriter):
        def close(self):
            raise DataError("no end")

    with pytest.raises(DataError, match="no end"), Writers([Bad(), CsvWriter(tmp_path, MPII_16), Bad()]) as writers:
        writers.close()  # and what has ended is not ended again
    assert files(tmp_path) == ["poses.csv"]

    def broken():
        yield CsvWriter(tmp_path / "second", MPII_16)
        raise DataError("not opened")

    with pytest.raises(DataError, match="not opened"):
        Writers(broken())
    assert not [name for name in files(tmp_path / "second") if name.endswith(".tmp")]


def test_a_folder_in_the_place_of_a_file_is_said_before_anything_is_computed(tmp_path, photos):
    (tmp_path / "out" / "coco_results.json").mkdir(parents=True)
    with pytest.raises(UserError, match=r"coco_results\.json: Is a directory"):
        opened(tmp_path / "out", photos, ["coco"])
    assert files(tmp_path / "out") == []


def test_cocos_list_of_pictures_takes_its_place_also_where_the_results_cannot(tmp_path):
    writer = CocoWriter(tmp_path, COCO_17)
    (tmp_path / "coco_results.json").mkdir()  # in the meantime
    with pytest.raises(UserError, match=r"coco_results\.json: Is a directory"):
        writer.close()
    assert files(tmp_path) == ["coco_images.json"]


@contextlib.contextmanager
def files_of_at_most(size):
    """A disk that is full after so many bytes of a file, as far as this process knows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("formats", [["pictures"], ["coco"], ["openpose"], ["csv"]])
def test_a_full_disk_ends_in_one_line(tmp_path, formats):
    source = Frame("noise.png", 0, np.random.default_rng(0).integers(0, 255, (100, 200, 3), np.uint8))

    def run():
        with files_of_at_most(5000), opened(tmp_path, [], formats) as writers:
            for _ in range(40):
                writers.add(source, FramePoses(people(9)))

    with pytest.raises(UserError, match=r"cannot write .*File too large.*Free some space") as error:
        run()
    assert "\n" not in str(error.value)
    assert not [name for name in files(tmp_path) if "partial" not in name]


def test_an_error_that_is_not_of_writing_is_not_taken_for_one(tmp_path):
    writers = opened(tmp_path, [], ["coco", "csv"])
    with pytest.raises(OSError, match="the camera is gone"), writers:
        raise OSError("the camera is gone")


def test_hours_of_video_need_no_more_memory(tmp_path):
    poses = FramePoses(people(3), ids=np.array([1, 2, 3]))
    with Writers([CocoWriter(tmp_path, MPII_16), CsvWriter(tmp_path, MPII_16)]) as writers:
        writers.add(frame("f.mp4", 0, 0.0), poses)
        tracemalloc.start()
        for index in range(1, 60):
            writers.add(frame("f.mp4", index, index / 25), poses)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < 30_000 < 60 * 3 * 200 < os.path.getsize(tmp_path / "coco_results.json")


def test_where_nothing_can_be_written_is_said_before_anything_is_computed(tmp_path, photos):
    (tmp_path / "file").write_text("")
    check_writable(tmp_path / "new" / "folder")
    assert files(tmp_path / "new") == []
    for folder, message in (
        (tmp_path / "file", "file is a file, not a folder"),
        (tmp_path / "file" / "below", r"cannot write in .* \(Not a directory\); choose another --save_dir"),
        ("/proc/nothing", "cannot write in /proc/nothing"),
        ("nul\0", "cannot write in"),
    ):
        with pytest.raises(DataError, match=message):
            check_writable(folder)
        with pytest.raises(DataError, match=message):
            opened(folder, photos)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    os.chmod(tmp_path, 0o500)
    with pytest.raises(DataError, match=r"cannot write in .* \(Permission denied\)"):
        check_writable(tmp_path)


def test_inputs_are_kept(tmp_path, photos):
    with pytest.raises(DataError, match=r"in/a\.jpg would be overwritten"):
        opened(tmp_path / "in", photos, ["pictures"])
    with opened(tmp_path / "in", photos, ["csv"]):
        pass


def test_a_picture_too_large_for_a_jpeg(tmp_path):
    with pytest.raises(DataError, match=r"a\.jpg: 66000 x 1 is no size for a \.jpg file"):
        write_picture(tmp_path / "a.jpg", np.zeros((1, 66000, 3), np.uint8))
    assert files(tmp_path) == []
