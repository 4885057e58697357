"""The networks that visitors choose among."""

import numpy as np
import pytest

from paddle_pose import zoo
from paddle_pose.errors import ConfigError, UserError
from paddle_pose.web import models
from paddle_pose.web.models import Choice, Models, choices
from tests.web.cases import Finding, picture


class Predictor(Finding):
    """Stands for `paddle_pose.Predictor`: without maps where the model is called so."""

    def __init__(self, model=None, *, model_dir=None, keep_maps=False, **how):
        super().__init__()
        if model == "no_maps" and keep_maps:
            raise ConfigError("maps are asked for, but DeepPose gives coordinates, not maps")
        if model == "missing":
            raise ConfigError("/secret/missing: no such file")
        self.arguments = {"model": model, "model_dir": model_dir, "keep_maps": keep_maps, **how}


def test_one_is_opened_once_when_it_is_asked_for(tmp_path):
    opened = []

    def opening():
        opened.append(1)
        return Finding()

    some = Models([Choice("a", opening, tmp_path), Choice("b", opening, tmp_path)])
    assert some.names == ("a", "b")
    assert opened == []
    assert some["a"] is some["a"]
    assert len(opened) == 1
    with pytest.raises(UserError, match="choose from a, b"):
        some["/etc/passwd"]


def test_the_given_ones_come_first_by_the_last_part_of_their_path(monkeypatch):
    monkeypatch.setattr(models, "_on_disk", lambda name: name == "synthetic_hourglass")
    names = [choice.name for choice in choices("secret/place/model.pdparams", "secret/exported/", "cpu", 2)]
    assert names == ["model.pdparams", "exported", "synthetic_hourglass"]
    assert [choice.name for choice in choices("synthetic_hourglass", None)] == ["synthetic_hourglass"]


def test_only_what_needs_no_download(monkeypatch, tmp_path):
    monkeypatch.setenv("PADDLE_POSE_CACHE", str(tmp_path))
    bundled = [name for name in zoo.names() if isinstance(zoo.find(name), zoo.Bundled)]
    assert [choice.name for choice in choices(None, None)] == bundled


def test_maps_are_kept_where_there_are_any(monkeypatch):
    monkeypatch.setattr("paddle_pose.prediction.predictor.Predictor", Predictor)
    maps, no_maps = choices("maps", None, "cpu", 2)[0].open(), choices("no_maps", None)[0].open()
    assert maps.arguments == {"model": "maps", "model_dir": None, "keep_maps": True, "device": "cpu", "threads": 2}
    assert no_maps.arguments["keep_maps"] is False
    assert choices(None, "exported")[0].open().arguments["model_dir"] == "exported"
    with pytest.raises(ConfigError, match="no such file"):
        choices("missing", None)[0].open()


def test_a_bundled_network_and_its_example():
    some = Models(choices(None, None, "cpu"))
    photo = some.example(some.names[0])
    assert photo.dtype == np.uint8
    poses = some["synthetic_hourglass"](photo)
    assert poses.maps.joints.shape[1] == len(some["synthetic_hourglass"].skeleton) == 16
    assert some["synthetic_hourglass"](picture()).people.joints_xy.shape == (1, 16, 2)
