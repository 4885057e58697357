"""Verdicts on made-up arrays; metric rung and the table of the docs."""

import json
from pathlib import Path

import numpy as np
import pytest

from paddle_pose.alignment import report, rungs
from paddle_pose.alignment.report import BEGIN, END, docs_table, put_between_markers
from paddle_pose.alignment.setup import Setup
from paddle_pose.config import load_config
from paddle_pose.errors import DataError

ROOT = Path(__file__).parents[2]
LIMITS = {"float32": 1e-2, "float64": 1e-3}


def trained(changes=(), after=0.0):
    """Five losses from 1 on, some of them changed, and the outputs after the first and last step."""
    losses = {f"loss_{i}": np.array(1.0) for i in range(5)}
    for step, change in dict(changes).items():
        losses[f"loss_{step}"] = np.array(1.0 + change)
    return {**losses, "evaluation_after_1": np.ones((1, 2)), "evaluation_after_5": np.ones((1, 2)) + after}


def verdicts(rows):
    return [(row.compared.split(",")[0], row.verdict) for row in rows]


def test_a_step_that_the_reference_does_not_determine_is_not_judged():
    again = trained({3: 2e-4, 4: 0.5}, after=0.7)  # a fifth of the threshold at step 4
    ours = trained({2: 9e-4, 3: 0.3, 4: 0.3}, after=0.2)
    rows = rungs.training_rows(ours, trained(), again, 5, "float64", LIMITS)
    assert verdicts(rows) == [
        ("losses of steps 1 to 3", "pass"),
        ("losses of steps 4 to 5", "not judged"),
        ("output in eval mode after step 1", "pass"),
        ("output in eval mode after step 5", "not judged"),
    ]
    assert rows[1].largest == pytest.approx(0.3)
    assert "by up to 5.0e-01" in rows[1].note
    assert not report.failed(rows)
    assert report.summary(rows) == "pass, as far as it was judged"


def test_a_difference_before_that_step_fails():
    again = trained({3: 0.5, 4: 0.5})
    rows = rungs.training_rows(trained({2: 2e-3}), trained(), again, 5, "float64", LIMITS)
    assert verdicts(rows)[0] == ("losses of steps 1 to 3", "FAIL")
    assert rows[0].note == "largest in step 3"
    assert report.summary(rows) == "FAIL: training"


def test_without_a_second_training_all_is_judged():
    rows = rungs.training_rows(trained({4: 2e-3}, after=1e-4), trained(), None, 5, "float64", LIMITS)
    assert verdicts(rows) == [
        ("losses of steps 1 to 5", "FAIL"),
        ("output in eval mode after step 1", "pass"),
        ("output in eval mode after step 5", "pass"),
    ]


def test_a_gradient_that_is_only_rounding_does_not_count():
    """A bias before batch normalisation: 1e-17 there, 3e-17 here, beside a gradient of 1."""
    theirs = {"norm/conv.bias": np.array(1e-17), "norm/conv.weight": np.array(1.0)}
    ours = {"norm/conv.bias": np.array(3e-17), "norm/conv.weight": np.array(1.0 + 1e-9)}
    (row,) = rungs.backward_rows(ours, theirs, None, "float64", {"float64": 1e-6})
    assert row.verdict == "pass"
    assert row.largest == pytest.approx(2e-9, rel=0.01)  # 2e-17 over 1e-8 of the largest norm
    ours["norm/conv.weight"] = np.array(1.0 + 2e-6)
    (row,) = rungs.backward_rows(ours, theirs, None, "float64", {"float64": 1e-6})
    assert row.verdict == "FAIL"
    assert row.note == "largest in conv.weight"


def test_a_gradient_that_the_reference_does_not_determine_is_not_judged():
    theirs = {"norm/a": np.array(1.0), "norm/b": np.array(1.0), "gradient/b": np.array([0.6, 0.8])}
    again = {**theirs, "norm/b": np.array(1.01)}
    ours = {**theirs, "norm/b": np.array(1.02)}
    rows = rungs.backward_rows(ours, theirs, again, "float64", {"float64": 1e-6})
    assert verdicts(rows) == [
        ("norms of 1 gradient", "pass"),
        ("norms of 1 gradient", "not judged"),
        ("1 gradient number by number", "pass"),
    ]
    assert "by up to 1.0e-02" in rows[1].note


def test_what_is_not_a_number_fails():
    row = rungs.judge("forward", "x", {"a": np.array([0.0, np.nan]), "b": np.array([1.0])}, 1.0)
    assert row.verdict == "FAIL"
    assert row.note == "largest in a"
    setup = Setup("x", {}, [1, 3, 8, 8], [1, 3, 8, 8])
    content = report.payload([row], setup, "y", {})
    assert json.loads(json.dumps(content, allow_nan=False))["rows"][0]["largest"] is None
    assert content["failed"] == ["forward"]


def test_differences_are_relative_to_the_largest_magnitude():
    np.testing.assert_allclose(rungs.relative(np.array([-100.0, 1.0]), np.array([-200.0, 0.0])), [0.5, 0.005])
    assert rungs.relative(np.array([0.0]), np.array([0.0])) == 0


@pytest.mark.parametrize(
    "config", ["hrnet/w32_mpii_256x256", "hrnet/w32_coco_192x256_udp", "deeppose/res50_mpii_256x256"]
)
def test_metric_rung(config):
    """Swapped joints move the joints and the values; rounding does neither."""
    from paddle_pose.alignment.scoring import metric_rows
    from paddle_pose.builder_data import build_component, skeleton_of
    from paddle_pose.registry import CODECS

    config = load_config(str(ROOT / "configs" / f"{config}.yaml"), (), {"input_wh": [96, 128]})
    skeleton = skeleton_of(config)
    derived = {"mirror": skeleton.mirror, "skeleton": skeleton, "input_wh": config.input_wh, "stride": 4}
    codec = build_component(CODECS, config.codec, "codec", derived)
    output = np.random.RandomState(0).uniform(size=(3, *codec.output_shape(len(skeleton)))).astype("float32")
    theirs = {"output_0": np.zeros(1), "output_1": output, "output_0_float64": np.zeros(1)}
    for ours, wanted in ((output * np.float32(1 + 1e-6), "pass"), (output[:, ::-1].copy(), "FAIL")):
        rows = metric_rows({"output_1": ours}, theirs, config, codec, {"float32": 1e-4})
        assert [row.verdict for row in rows] == [wanted] * 2
        assert config.metric.type in rows[1].compared
    assert rows[1].largest > 0.01  # of 100 %: the made-up truth is hit by some joints and missed by others


def test_values_of_the_references_own_evaluator():
    from paddle_pose.alignment.scoring import value_row

    theirs = {"Mean": 88.9, "Mean@0.1": 31.7, "FPS": 12.0}
    row = value_row({"Mean": 88.9, "Mean@0.1": 31.69, "Head": 96.0}, theirs, "the evaluator", 1e-4)
    assert (row.compared, row.verdict, row.note) == ("2 values of the evaluator", "pass", "Mean 88.90 there")
    assert value_row({"Mean": 88.8}, theirs, "the evaluator", 1e-4).verdict == "FAIL"
    with pytest.raises(DataError, match="no value has the same name"):
        value_row({"AP": 70.0}, theirs, "the evaluator", 1e-4)


def test_the_table_of_the_docs_is_that_of_the_records():
    """Make it: python -m paddle_pose.align table results/alignment/*.json --into docs/alignment.md."""
    paths = sorted((ROOT / "results" / "alignment").glob("*.json"))
    text = (ROOT / "docs" / "alignment.md").read_text(encoding="utf-8")
    assert len(paths) == 11
    assert put_between_markers(text, docs_table(paths), "docs") == text
    assert all(json.loads(path.read_text())["failed"] == [] for path in paths)


def test_a_table_needs_its_markers_and_records(tmp_path):
    assert put_between_markers(f"a\n{BEGIN}\nold\n{END}\nb", "new", "x") == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(DataError, match="has no lines"):
        put_between_markers("a", "new", "x")
    path = tmp_path / "a.json"
    path.write_text('{"rows": 1}')
    with pytest.raises(DataError, match="not an alignment.json"):
        docs_table([path])
