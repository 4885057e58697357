"""Warnings appear exactly where the rules differ."""

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from paddle_pose.cli.comparison import circumstances
from paddle_pose.config import load_config
from paddle_pose.references import Row, find, rows
from paddle_pose.references.rules import DETECTOR_56, Circumstances, caveats, differences, incomparable

OURS = Circumstances(
    dataset="MPII",
    metric="PCKh",
    people=2958,
    network={"type": "HRNet", "width": 32},
    input_wh=(256, 256),
    boxes="annotation",
    mirror_test=True,
    shift=True,
    decode="quarter",
    test_scales="1",
)
MMPOSE = find("mmpose_hrnet_w32_mpii_256x256")
ON_COCO = replace(
    OURS, dataset="COCO", metric="COCOKeypoints", people=6352, photos=5000, input_wh=(192, 256), boxes=DETECTOR_56
)
HRNET = find("hrnet_w32_coco_192x256")


def test_nothing_is_said_where_nothing_differs():
    assert differences(MMPOSE, OURS) == []
    assert differences(HRNET, ON_COCO) == []
    assert differences(find("mmpose_hrnet_w32_coco_192x256_udp"), replace(ON_COCO, shift=False, decode="udp")) == []
    assert caveats(MMPOSE) == caveats(HRNET) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network": {"type": "HRNet", "width": 48}}, "another network: the reference's is HRNet-W32"),
        ({"people": 300}, "the reference is of 2958 people (valid), here are 300: not the same split"),
        ({"input_wh": (384, 384)}, "input: the reference's 256x256, here 384x384"),
        ({"mirror_test": False}, "mirror test: the reference's yes, here no"),
        ({"shift": False}, "shift of the mirrored output: the reference's yes, here no"),
        ({"test_scales": "0.9, 1, 1.1"}, "test scales: the reference's 1, here 0.9, 1, 1.1"),
        ({"decode": "dark"}, "decoding: the reference's quarter, here dark"),
    ],
)
def test_each_difference_of_ours_is_one_line(change, said):
    assert differences(MMPOSE, replace(OURS, **change)) == [said]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": 0.11}, ["used 0.11", "33.4 is compared with our column @0.11"]),
        ({"mean_rule": "unweighted"}, ["plain mean", "that row of the table"]),
        ({"mean_rule": "all_joints"}, ["pelvis and thorax", "that row of the table"]),
        ({"comparison": "<"}, ["below the threshold (<)", "<="]),
        ({"labels": "person-centric"}, []),  # ours have none
    ],
)
def test_each_difference_of_theirs_is_one_line(change, words):
    found = differences(MMPOSE.model_copy(update=change), OURS)
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)


@pytest.mark.parametrize(
    ("theirs", "ours", "words"),
    [
        ("detector AP 56.4", "ground truth", ["detector AP 56.4, here ground truth", "about 2 AP more"]),
        ("ground truth", DETECTOR_56, ["ground truth, here COCO_val2017", "about 2 AP more"]),
        ("ground truth", "ground truth", []),
        ("detector AP 56.4", "mine.json", ["detector AP 56.4, here mine.json"]),
        ("none", "ground truth", ["none, here ground truth"]),
        ("none", "none", []),
        (None, "ground truth", []),
        ("detector AP 56.4", None, []),
    ],
)
def test_boxes(theirs, ours, words):
    found = differences(HRNET.model_copy(update={"boxes": theirs}), replace(ON_COCO, boxes=ours))
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)
    assert not found or ("2 AP" in found[0]) == ("about 2 AP more" in words)


def test_a_shift_matters_only_where_both_mirror():
    assert differences(MMPOSE, replace(OURS, mirror_test=False, shift=False)) == [
        "mirror test: the reference's yes, here no"
    ]


def test_of_a_file_of_predictions_little_is_known_and_little_is_said():
    unknown = {f.name: None for f in fields(Circumstances) if f.name not in ("dataset", "metric", "people")}
    assert differences(MMPOSE, replace(OURS, **unknown)) == []


def test_several_scales_are_several_whichever():
    row = find("openpose_vgg19_coco_val2014")
    here = replace(
        OURS, dataset="COCO", metric="COCOKeypoints", network={"type": "OpenPose"}, boxes="none", photos=5000
    )
    here = replace(here, input_wh=(368, 368), decode=None)
    assert differences(row, replace(here, test_scales="0.5, 1, 1.5, 2")) == [
        "the reference is of 1160 photos (a part of val2014), here are 5000: not the same split"
    ]
    assert "test scales: the reference's several, here 1" in differences(row, here)


@pytest.mark.parametrize(
    ("name", "here", "why"),
    [
        ("hrnet_w32_mpii_test", OURS, "MPII's test split"),
        ("hrnet_w32_coco_192x256", OURS, "of COCO, here it is MPII"),
        ("cpm_lsp_pc", replace(OURS, dataset="LSP", metric="PCP"), "are PCK, here they are PCP"),
        ("mmpose_hrnet_w32_mpii_256x256", OURS, ""),
    ],
)
def test_what_is_not_comparable(name, here, why):
    found = incomparable(find(name), here)
    assert why in found
    assert bool(found) == bool(why)


def test_doubts_about_rows():
    assert "issues 66, 105" in caveats(find("tensorboy_openpose_coco_val2017"))[0]
    assert "Head, Shoulder" in caveats(find("newell_hg8_mpii_test"))[0]
    assert "Mean" not in caveats(find("newell_hg8_mpii_test"))[0]
    assert "about" in caveats(find("zhec_openpose_coco_val_users"))[0]


def test_every_test_split_is_not_comparable():
    for name, row in rows().items():
        hidden = row.split.startswith("test") and row.dataset in ("MPII", "COCO", "MPII multi-person")
        assert not hidden or row.not_comparable, name


MEAN, BELOW, SCALES = "the reference's Mean", "the reference counts errors below", "test scales"
SAID = {  # what differs in the test of a configuration as it is shipped, on the people of its row
    "cpm/cpm_flic_368x368": [SCALES],
    "cpm/cpm_lsp_368x368": [SCALES],
    "cpm/mmpose_cpm_mpii_368x368": [],
    "deeppose/res50_mpii_256x256": [BELOW],
    "deeppose/res50_rle_coco_192x256": [],
    "hourglass/hg2_mpii_256x256": [MEAN, BELOW],
    "hourglass/hourglass52_mpii_256x256": [],
    "hourglass/hourglass52_mpii_384x384": [],
    "hourglass/princeton_hg8_mpii_256x256": [MEAN, BELOW],
    "hrnet/w32_mpii_256x256": ["the reference used 0.11"],
    "hrnet/w32_mpii_256x256_dark": [],
    "hrnet/w48_coco_288x384": [],
    "hrnet/w48_coco_288x384_dark": [],
    "hrnet/w32_coco_192x256_udp": [],
    "openpose/vgg19_coco_368x368_cmu": [],
    "openpose/vgg19_coco_368x368_source": ["mirror test"],
    "openpose/vgg19_coco_368x368_test_multi_scale": [],
}


class People:
    """As many as were scored for a row."""

    def __init__(self, row, protocol):
        self.people, self.num_images, self.protocol = row.people or 1, row.photos, protocol

    def __len__(self):
        return self.people


@pytest.mark.parametrize("path", SAID)
def test_what_is_said_of_shipped_configurations(path):
    config = load_config(str(Path(__file__).parents[2] / "configs" / f"{path}.yaml"))
    row = find(config.reference)
    people = People(row, config.dataset.arguments.get("joints_file", ""))
    arguments = config.codec.arguments
    codec = SimpleNamespace(shift_mirrored=arguments.get("shift_mirrored"), refine=arguments.get("refine"))
    here = circumstances(config, people, codec)
    if row.boxes == "detector AP 56.4":
        assert "boxes" in differences(row, here)[0]  # those of the ground truth are the default
        here = replace(here, boxes=DETECTOR_56)
    found = differences(row, here)
    assert len(found) == len(SAID[path])
    assert all(line.startswith(start) for line, start in zip(found, SAID[path]))


def test_a_row_may_be_silent_about_everything():
    row = Row(who="a", where="b", network="c", dataset="MPII", split="valid", metric="PCKh", values={"Mean": 1})
    assert differences(row, replace(OURS, network=None)) == []
