"""The table, read by csv and by hand."""

import csv
import os

import numpy as np
import pytest
from output_cases import found, frame, nobody, people

from paddle_pose.frames import FramePoses
from paddle_pose.outputs.csv_table import CsvWriter
from paddle_pose.skeletons import MPII_16, Skeleton


def written(folder, *pictures, skeleton=MPII_16):
    with CsvWriter(folder, skeleton) as writer:
        for picture_frame, poses in pictures:
            writer.add(picture_frame, poses)
    with open(folder / "poses.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_person_in_each_picture(tmp_path):
    some = people(2)
    boxes = np.array([[1.0, 2, 30, 40], [5, 6, 70.12345, 80]])
    tracked = FramePoses(some, boxes_image=boxes, ids=np.array([3, 9]))
    rows = written(tmp_path, (frame("film.mp4", 5, 0.2), tracked), (frame("a.jpg"), nobody()))
    assert [(row["source"], row["frame"], row["time_s"], row["person"], row["id"]) for row in rows] == [
        ("film.mp4", "5", "0.2", "1", "3"),
        ("film.mp4", "5", "0.2", "2", "9"),
    ]
    assert [float(rows[1][f"box_{side}"]) for side in ("left", "top", "width", "height")] == [5, 6, 70.123, 80]
    assert float(rows[0]["score"]) == 0.9
    for row, joints, scores in zip(rows, some.joints_xy, some.joint_scores):
        for name, (x, y), score in zip(MPII_16.joints, joints, scores):
            assert float(row[f"{name}_x"]) == pytest.approx(x, abs=0.00051)
            assert float(row[f"{name}_y"]) == pytest.approx(y, abs=0.00051)
            assert float(row[f"{name}_score"]) == pytest.approx(score, rel=1e-5)


def test_what_is_not_known_is_empty(tmp_path):
    joints = np.full((1, 16, 2), 5.0)
    joints[0, 0] = np.nan
    (row,) = written(tmp_path, (frame(), FramePoses(found(joints))))
    assert {row[name] for name in ("time_s", "id", "box_left", "right_ankle_x", "right_ankle_y")} == {""}
    assert row["right_ankle_score"] == "0.0"


def test_the_table_has_a_head_also_without_people(tmp_path):
    assert written(tmp_path) == []
    head = (tmp_path / "poses.csv").read_text().split(",")
    assert head[:5] == ["source", "frame", "time_s", "person", "id"]
    assert len(head) == 10 + 3 * 16


@pytest.mark.parametrize("name", ['=HYPERLINK("x").jpg', "+1.jpg", "-1.jpg", "@SUM(A1).jpg", "\tx.jpg", "\rx.jpg"])
def test_no_name_is_a_formula_and_each_still_names_its_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    (row,) = written(tmp_path, (frame(name), FramePoses(people(1))))
    assert row["source"][0] == "."
    assert os.path.samefile(row["source"], name)


def test_no_joint_is_a_formula(tmp_path):
    (row,) = written(
        tmp_path, (frame(), FramePoses(people(1, Skeleton("s", ("=1+1", "b"))))), skeleton=Skeleton("s", ("=1+1", "b"))
    )
    assert "'=1+1_x" in row


@pytest.mark.parametrize("name", ["a, b.jpg", 'say "x".jpg', "two\nlines.jpg", "ümlaut.jpg"])
def test_odd_names_come_back(tmp_path, name):
    (row,) = written(tmp_path, (frame(name), FramePoses(people(1))))
    assert row["source"] == name


def test_a_name_that_is_no_text_is_escaped(tmp_path):
    (row,) = written(tmp_path, (frame(os.fsdecode(b"\xff.jpg")), FramePoses(people(1))))
    assert row["source"] == r"\udcff.jpg"


def test_pandas_reads_it(tmp_path):
    pandas = pytest.importorskip("pandas")
    joints = np.full((1, 16, 2), 5.0)
    joints[0, 0] = np.nan
    written(tmp_path, (frame("f.mp4", 0, 0.0), FramePoses(found(joints), ids=np.array([1]))))
    table = pandas.read_csv(tmp_path / "poses.csv")
    assert table["id"].tolist() == [1]
    assert table["right_ankle_x"].isna().all()
    assert table["left_wrist_x"].dtype == float
