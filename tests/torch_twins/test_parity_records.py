"""The committed records of training beside PyTorch say what docs/training_parity.md says. Needs no PyTorch."""

import json
from pathlib import Path

import numpy as np
import pytest
from torch_twins.report import CLAIM, CLAIMED_STEPS, NAMES, apart, held_out_row, row, spread, summary

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "training_parity.md"


def record_of(name):
    return json.loads((ROOT / "results" / "parity" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_losses_within_one_percent_at_each_of_the_first_50_steps(name):
    losses = record_of(name)["losses"]
    assert len(losses["paddle"]) == len(losses["torch"]) == 100
    assert np.isfinite(losses["paddle"]).all()
    assert (apart(losses["paddle"], losses["torch"])[:CLAIMED_STEPS] <= CLAIM).all()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_training_and_only_rounding_differs(name):
    """The loss falls; float64 leaves no more than a millionth of 1 %; images and targets were drawn twice."""
    record = record_of(name)
    losses, figures = record["losses"], summary(record)
    assert np.mean(losses["paddle"][-10:]) < np.mean(losses["paddle"][:3])
    assert len(losses["paddle_double"]) >= 10
    assert figures["double"] < 1e-6 * CLAIM
    images, target, weight = record["data"]["largest_difference_of_images_targets_weights"]
    assert images < 1e-6
    assert target < 1e-6
    assert weight == 0
    assert len(np.transpose(losses["perturbed"])) >= 2
    assert spread(record).shape == (100,)
    assert all(record["made_by"][key] for key in ("commit", "paddlepaddle", "torch"))


@pytest.mark.parametrize("name", NAMES)
def test_docs_state_the_records(name):
    text, record = DOCS.read_text(encoding="utf-8"), record_of(name)
    assert row(record) in text
    assert held_out_row(record) in text


def test_docs_state_where_pytorch_itself_parts_by_more():
    text = DOCS.read_text(encoding="utf-8")
    runs = json.loads((ROOT / "results" / "parity" / "stopped_runs.json").read_text(encoding="utf-8"))["runs"]
    gaps = {run["name"]: (apart(run["losses"]["paddle"], run["losses"]["torch"]), spread(run)) for run in runs}
    gap, own = gaps["hrnet"]
    assert (np.flatnonzero(gap > CLAIM) + 1).tolist() == [37, 38, 51, 53]
    assert ((own > CLAIM).sum(), int(np.argmax(own > CLAIM)) + 1, len(gap)) == (7, 33, 62)
    for value in (gap.max(), own.max(), gaps["deeppose"][0][-1], gaps["deeppose"][1].max()):
        assert f"{100 * value:.2f} %" in text


def test_apart_and_spread_by_hand():
    assert apart([1.1, 2.0], [1.0, 4.0]) == pytest.approx([0.1, 0.5])
    losses = {"torch": [1.0, 2.0], "perturbed": [[1.0, 1.2], [2.2, 2.0]], "paddle": [1.02, 2.0]}
    record = {"losses": {**losses, "paddle_double": [1.0], "torch_double": [1.0]}}
    assert spread(record) == pytest.approx([0.2, 0.1])
    figures = summary(record)
    assert figures["largest_1_50"] == pytest.approx(0.02)
    assert figures["first_beyond"] == 1
    assert figures["double"] == 0
