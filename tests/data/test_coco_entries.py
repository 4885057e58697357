"""Reading a COCO file: what is left out, and that nothing else is changed by it."""

import json
from array import array

import numpy as np
import pytest

from paddle_pose.data.coco_entries import number_of, read_json, whole_of
from paddle_pose.errors import DataError

ENTRY = {"id": 1, "bbox": [1, 2.5, 3, 4], "keypoints": [1, 2, 2], "area": 9.0}
OUTLINES = ([[1.5, 2, -3e1, 4]], [], [[1, 2], [3, 4]], {"counts": [1, 2], "size": [1, 3]}, None)


def read(tmp_path, content, outlines=False, **form):
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content, **form))
    return read_json(str(path), outlines)


@pytest.mark.parametrize("outline", OUTLINES)
@pytest.mark.parametrize("form", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_the_rest_is_the_same_wherever_the_outline_stands(tmp_path, outline, form):
    first, last = {"segmentation": outline, **ENTRY}, {**ENTRY, "segmentation": outline}
    for entry in read(tmp_path, [first, last, ENTRY], **form):
        entry.pop("segmentation", None)
        assert {**entry, "bbox": entry["bbox"].tolist(), "keypoints": entry["keypoints"].tolist()} == ENTRY


@pytest.mark.parametrize("outline", OUTLINES)
def test_outlines_come_as_they_are_if_asked_for(tmp_path, outline):
    (entry,) = read(tmp_path, [{**ENTRY, "segmentation": outline}], outlines=True)
    found = entry["segmentation"]
    assert [list(points) for points in found] == outline if isinstance(outline, list) else found == outline


@pytest.mark.parametrize("name", ['a"segmentation": [1].jpg', "x\\", '"segmentation":[2]', "\u00e9.jpg"])
def test_a_text_that_looks_like_an_outline_is_kept(tmp_path, name):
    photo = {"id": 1, "file_name": name, "width": 3, "height": 4, "coco_url": "left out"}
    (found,) = read(tmp_path, [photo])
    assert found == {"id": 1, "file_name": name, "width": 3, "height": 4}


def test_numbers_take_8_bytes_and_anything_else_stays(tmp_path):
    good, bad = read(tmp_path, [ENTRY, {**ENTRY, "keypoints": ["x"] * 3}])
    assert isinstance(good["keypoints"], array)
    assert bad["keypoints"] == ["x"] * 3


def test_columns():
    entries = [{"id": 1, "area": 2}, {"id": 2}]
    np.testing.assert_array_equal(number_of("f", "annotation", entries, "area", 0), [2.0, 0.0])
    np.testing.assert_array_equal(whole_of("f", "annotation", entries, "image_id", [3, 4.0]), [3, 4])
    for wrong in (True, "3", 1.5, 2**63, float("nan"), None):
        with pytest.raises(DataError, match="f: annotation 2 has image_id .* must be a whole number"):
            whole_of("f", "annotation", entries, "image_id", [3, wrong])
