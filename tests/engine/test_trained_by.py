"""What trained a run, over several parts of it."""

from datetime import datetime

from paddle_pose.engine import trained_by
from paddle_pose.engine.trained_by import TrainedBy

FACTS = {"commit": "abc", "processes": 1, "seed": 5}


def clock(monkeypatch, *seconds):
    times = iter(seconds)
    monkeypatch.setattr(trained_by.time, "monotonic", lambda: next(times))


def test_seconds_and_images_of_one_part(monkeypatch):
    clock(monkeypatch, 100.0, 112.34)
    facts = TrainedBy(FACTS, images_per_step=8).facts(step=3)
    assert {**facts, **FACTS} == facts
    assert (facts["seconds"], facts["images"], facts["resumed"]) == (12.3, 24, 0)
    assert datetime.fromisoformat(facts["started"]) <= datetime.fromisoformat(facts["saved"])


def test_parts_add_up_and_the_beginning_stays(monkeypatch):
    clock(monkeypatch, 100.0, 110.0, 500.0, 507.0, 520.0)
    first = TrainedBy(FACTS, 8).facts(step=10)
    second = TrainedBy(FACTS, 16)  # with more processes
    second.resume({**first, "started": "2020-01-01T00:00:00+00:00"}, step=10)
    assert second.facts(step=10)["seconds"] == 17.0
    after = second.facts(step=12)
    assert (after["seconds"], after["images"], after["resumed"]) == (30.0, 10 * 8 + 2 * 16, 1)
    assert after["started"] == "2020-01-01T00:00:00+00:00"
    assert {**after, **FACTS} == after


def test_what_changed_between_parts_is_named_older_first():
    before = TrainedBy(FACTS, 1).facts(0)
    for commit in ("def", "def", "abc"):
        run = TrainedBy({**FACTS, "commit": commit}, 1)
        run.resume(before, 0)
        before = run.facts(0)
    assert before["commit"] == "abc; def"
    assert before["seed"] == 5
    assert before["resumed"] == 3


def test_a_state_of_an_older_version_leaves_unknown_what_nobody_knows():
    run = TrainedBy(FACTS, 1)
    run.resume(None, 10)
    facts = run.facts(20)
    assert (facts["seconds"], facts["images"], facts["started"]) == (None, None, None)
    assert facts["commit"] == "abc"
