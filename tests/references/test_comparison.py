"""Values beside ours of the same meaning, in val.py and at each validation of train.py."""

from dataclasses import replace

import numpy as np
import pytest

from paddle_pose import references
from paddle_pose.cli.comparison import compared, report_lines
from paddle_pose.cli.standing import Standing
from paddle_pose.config import check_config
from paddle_pose.config_sections import Reference
from paddle_pose.metrics.pck_metrics import PCKh
from paddle_pose.references.rules import Circumstances
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import MPII_16

NET = {"type": "Hourglass52", "stacks": 1}
HERE = Circumstances(
    "MPII", "PCKh", 2958, None, NET, (256, 256), "annotation", True, True, decode="quarter", test_scales="1"
)


@pytest.fixture(scope="module")
def report():
    """Of errors and labels that make every mean and every threshold another number."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 100, (60, 16, 2))
    labelled = rng.random((60, 16)) < np.linspace(0.3, 1, 16)
    found = truth + rng.normal(0, np.linspace(0.5, 6, 16)[:, None], truth.shape)
    scored = Predictions(found, np.ones((60, 16), np.float32))
    return PCKh(MPII_16)(scored, Truth(truth, labelled, head_size_image=np.full(60, 20.0)))


def here_of(row, report):
    return {value.name: value.here for value in compared(row, report)}


def mean_row(report, mark):
    return next(columns for name, columns in report.rows.items() if mark in name)


def test_each_mean_is_compared_with_the_one_of_its_rule(report):
    ours, plain, all_joints = (mean_row(report, mark) for mark in ("(ours", "unweighted", "princeton"))
    assert len({ours["@0.5"], plain["@0.5"], all_joints["@0.5"]}) == 3
    assert len({ours["@0.1"], ours["@0.11"], plain["@0.1"]}) == 3

    mmpose = here_of(references.find("mmpose_hourglass52_mpii_256x256"), report)
    assert mmpose == {"Mean": ours["@0.5"], "Mean@0.1": ours["@0.1"], "Mean@0.11": ours["@0.11"]}
    readme = here_of(references.find("hrnet_w32_mpii_256x256"), report)
    assert readme["Mean@0.1 (at 0.11)"] == ours["@0.11"]
    assert readme["Wrist"] == report.values["Wrist"]
    bearpaw = here_of(references.find("bearpaw_hg8_mpii_256x256"), report)
    assert bearpaw["Mean (unweighted)"] == plain["@0.5"]
    princeton = here_of(references.find("princeton_hg8_mpii_256x256"), report)
    assert princeton == {"Mean (with pelvis and thorax)": all_joints["@0.5"]}


def test_lines_of_a_row(report):
    lines = report_lines("mmpose_hourglass52_mpii_256x256", report, HERE)
    ours = report.values["Mean"]
    assert lines[0].startswith("published: mmpose 0.x and 1.x hourglass_52, MPII valid, 256x256 (mmpose_hourglass52_")
    assert "hourglass_mpii.md" in lines[1]
    assert lines[2] == f"  Mean: published 88.900, here {ours:.3f}, difference {ours - 88.9:+.3f}"
    assert not any("warning" in line for line in lines)


def test_no_difference_is_printed_where_none_means_anything(report):
    lines = report_lines("newell_hg8_mpii_test", report, HERE)
    assert "Mean 90.900" in lines[2]
    assert not any("difference" in line or " here " in line for line in lines)
    assert [line for line in lines if "not comparable" in line] == [
        "  warning: not comparable: MPII's test split, whose labels are not public"
    ]
    assert any("from the literature, not checked" in line for line in lines)


def test_a_row_of_ones_own_is_printed_as_before(report):
    own = Reference(source="a lab", values={"Mean": 50.0, "AP": 1.0}, note="theirs")
    ours = report.values["Mean"]
    assert report_lines(own, report, HERE) == [
        "published: a lab (theirs)",
        f"  Mean: published 50.000, here {ours:.3f}, difference {ours - 50:+.3f}",
    ]


def standing(reference, here=HERE, **sections):
    mapping = {
        "input_wh": [256, 256],
        "dataset": {"type": "MPII"},
        "metric": {"type": "PCKh"},
        "network": NET,
        "codec": {"type": "GaussianHeatmap", "sigma_map": 2.0},
        "reference": reference,
        **sections,
    }
    return Standing(check_config(mapping, "here"), here)


class TestStanding:
    def test_beside_the_curve_epoch_by_epoch(self, report):
        mean, at_01 = report.values["Mean"], report.values["Mean@0.1"]
        name = "first_paddle_hourglass52_mpii_256x256"
        line = standing("mmpose_hourglass52_mpii_256x256").line(5, report, 0.00178)
        assert line == (
            f"epoch 5 beside {name}: Mean {mean:.2f}, there 71.37 ({mean - 71.374:+.2f}); "
            f"Mean@0.1 {at_01:.2f}, there 16.60 ({at_01 - 16.599:+.2f}); "
            f"training loss 0.001780, there {references.curves()[name].loss[4]:.6f}"
        )

    def test_after_its_last_epoch(self, report):
        line = standing("first_paddle_hourglass52_mpii_256x256").line(300, report)
        assert "whose last epoch is 210: " in line
        assert "there 88.82" in line

    @pytest.mark.parametrize(
        "sections",
        [{"loss": {"type": "JointsMSE", "factor": 0.5}}, {"codec": {"type": "GaussianHeatmap", "sigma_map": 1.0}}],
    )
    def test_losses_of_another_meaning_are_not_compared(self, report, sections):
        line = standing("mmpose_hourglass52_mpii_256x256", **sections).line(5, report, 0.00178)
        assert "there 71.37" in line
        assert "loss" not in line

    @pytest.mark.parametrize(
        "change", [{"input_wh": (128, 128)}, {"people": 40}, {"network": {"type": "Hourglass52", "stacks": 2}}]
    )
    def test_another_run_is_not_beside_the_curve(self, report, change):
        run = standing("mmpose_hourglass52_mpii_256x256", replace(HERE, **change))
        assert run.line(5, report).startswith("epoch 5 beside the end of mmpose_hourglass52_mpii_256x256: Mean ")
        assert len([line for line in run.introduction() if "warning" in line]) == 1

    def test_introduction_says_the_rules_once(self):
        lines = standing("mmpose_hourglass52_mpii_256x256").introduction()
        assert lines[0].startswith("compared with: mmpose ")
        assert lines[0].endswith("Mean 88.900, Mean@0.1 31.700")
        assert lines[1].startswith("epoch by epoch beside: txyugood/PaddlePose")
        assert "batch 64" in lines[1]
        assert lines[2:] == ["  warning: shift of the mirrored output: the reference's no, here yes"]

    def test_without_a_reference_nothing_is_said(self, report):
        run = standing(None)
        assert run.introduction() == []
        assert run.line(1, report) is None

    def test_what_is_not_comparable_has_no_line(self, report):
        run = standing("newell_hg8_mpii_test")
        assert any("not comparable" in line for line in run.introduction())
        assert run.line(1, report) is None

    def test_an_own_row(self, report):
        run = standing({"source": "a lab", "values": {"Mean": 50.0}})
        assert run.introduction() == ["compared with: a lab: Mean 50.000"]
        assert run.line(2, report).startswith("epoch 2 beside the end of a lab: Mean ")
