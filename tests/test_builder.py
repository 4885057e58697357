"""A section becomes an object, or one line that says which key is wrong."""

import json
from typing import Literal, Optional

import numpy as np
import paddle
import pytest

from paddle_pose.builder import build, build_crop_maker, load_into, load_network
from paddle_pose.builder_data import build_component, build_dataset, build_metric, skeleton_of
from paddle_pose.config import check_config
from paddle_pose.config_sections import Component
from paddle_pose.data.augment import HRNetAugmentation
from paddle_pose.engine.checkpoint import save_model, to_arrays
from paddle_pose.errors import CheckpointError, ConfigError, DataError
from paddle_pose.registry import Registry
from paddle_pose.skeletons import LSP_14, MPII_16

THINGS = Registry("paddle_pose.errors")


@THINGS.register("Lamp")
class Lamp:
    """Takes one argument of each kind."""

    def __init__(
        self,
        joints: int,
        watts: float,
        size: tuple[int, int] = (1, 2),
        color: Literal["red", "blue"] = "red",
        shade: Optional[float] = None,
        lit: bool = False,
    ) -> None:
        self.values = (joints, watts, size, color, shade, lit)


@THINGS.register("Stone")
class Stone:
    """Takes nothing."""

    def __init__(self) -> None:
        pass


def make(derived=None, **section):
    section = Component(**{"type": "Lamp", **section})
    return build_component(THINGS, section, "room.lamp", {"joints": 16} if derived is None else derived)


def message(**section) -> str:
    with pytest.raises(ConfigError) as caught:
        make(**section)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestComponent:
    def test_values_are_converted_to_what_the_signature_names(self):
        lamp = make(watts="5e-1", size=[3, 4], color="blue", shade="1e-3", lit=True)
        assert lamp.values == (16, 0.5, (3, 4), "blue", 0.001, True)
        assert isinstance(lamp.values[2], tuple)

    def test_defaults_are_the_classs_own(self):
        assert make(watts=1).values == (16, 1.0, (1, 2), "red", None, False)

    def test_derived_values_that_a_class_does_not_take_are_left_out(self):
        assert isinstance(make(type="Stone"), Stone)

    def test_an_unknown_type(self):
        assert "unknown type 'Lmap'" in message(type="Lmap", watts=1)
        assert "did you mean 'Lamp'" in message(type="Lmap", watts=1)

    def test_an_unknown_argument(self):
        assert message(watt=1) == "room.lamp.watt: Lamp takes no such key; did you mean 'watts'?"
        assert "takes no such key; it takes none" in message(type="Stone", weight=1)

    @pytest.mark.parametrize("section", [{"watts": 1}, {"type": "Stone"}])
    def test_a_derived_argument_cannot_be_set(self, section):
        said = message(**section, joints=17)
        assert "room.lamp.joints" in said
        assert "follows from other settings" in said

    def test_a_missing_argument(self):
        assert message() == "room.lamp.watts is missing; Lamp needs it"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("watts", "many"),
            ("watts", None),
            ("size", [1, 2, 3]),
            ("size", 5),
            ("color", "green"),
            ("lit", 7),
            ("shade", {}),
        ],
    )
    def test_a_wrong_value(self, name, value):
        said = message(**{"watts": 1, name: value})
        assert f"room.lamp.{name}" in said
        assert "is wrong" in said

    def test_a_list_that_is_too_short(self):
        assert "room.lamp.size" in message(watts=1, size=[1])


def config_of(root="nowhere", **sections):
    mapping = {
        "input_wh": [64, 64],
        "dataset": {"type": "MPII", "root": str(root)},
        "network": {"type": "StackedHourglass", "stacks": 2, "width": 8, "depth": 2},
        "codec": {"type": "GaussianHeatmap", "sigma_map": 1.0},
        "metric": {"type": "PCKh"},
        **sections,
    }
    return check_config(mapping, "here")


@pytest.fixture(scope="module")
def parts():
    return build(config_of())


class TestBuild:
    def test_facts_are_derived(self, parts):
        assert parts.skeleton is MPII_16
        assert parts.codec.output_shape(16) == (16, 16, 16)
        assert parts.codec.mirror_joints == MPII_16.mirror
        assert [stage.shape for stage in parts.network(paddle.zeros([1, 3, 64, 64]))] == [[1, 16, 16, 16]] * 2

    def test_the_dataset_says_how_many_joints(self):
        lsp = build(config_of(dataset={"type": "LSP", "root": "nowhere"}, metric={"type": "PCK"}))
        assert lsp.skeleton is LSP_14
        assert lsp.network(paddle.zeros([1, 3, 64, 64]))[0].shape == [1, 14, 16, 16]

    def test_no_file_is_read_for_it(self, parts):
        assert skeleton_of(parts.config) is MPII_16
        with pytest.raises(DataError):
            build_dataset(parts.config, "train")

    def test_colours_are_those_of_the_configuration(self):
        parts = build(config_of(normalise={"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 1.0]}))
        images = np.full((1, 2, 2, 3), 255, np.uint8)
        seen = parts.normalise(images, np.ones((1, 3), np.float32)).numpy()
        np.testing.assert_allclose(seen[0, :, 0, 0], (2.0, 1.0, 0.5), rtol=1e-6)

    @pytest.mark.parametrize(
        ("section", "key"),
        [
            ({"network": {"type": "StackedHourglass", "stack": 2}}, "network.stack"),
            ({"network": {"type": "StackedHourglass", "num_joints": 2}}, "network.num_joints"),
            ({"codec": {"type": "GaussianHeatmap", "stride": 4}}, "codec.stride"),
            ({"codec": {"type": "GaussianHeatmap", "target": "mrsa"}}, "codec.target"),
            ({"loss": {"type": "JointsMES"}}, "JointsMSE"),
            ({"dataset": {"type": "MPI", "root": "x"}}, "MPII"),
        ],
    )
    def test_a_wrong_section_is_named(self, section, key):
        with pytest.raises(ConfigError, match=key):
            build(config_of(**section))

    def test_dataset_and_metric(self, synthetic_mpii):
        config = config_of(synthetic_mpii)
        train, valid = (build_dataset(config, split) for split in ("train", "valid"))
        for split, dataset in (("train", train), ("valid", valid)):
            people = json.loads((synthetic_mpii / "annot" / f"{split}.json").read_text())
            assert len(dataset) == len(people)
            assert dataset.num_images == len({person["image"] for person in people})
        assert len(train) != len(valid)
        assert build_metric(config).skeleton is MPII_16
        with pytest.raises(ConfigError, match="dataset.root is missing"):
            build_dataset(config_of(dataset={"type": "MPII"}), "train")
        with pytest.raises(ConfigError, match="dataset.split"):
            build_dataset(config_of(dataset={"type": "MPII", "root": "x", "split": "train"}), "train")

    @pytest.mark.parametrize("target", ["msra", "udp"])
    def test_crops_follow_the_codecs_geometry(self, synthetic_mpii, target):
        """UDP measures between pixel centres: a crop's width is W - 1 there."""
        codec = {"type": "GaussianHeatmap", "target": target}
        parts = build(config_of(synthetic_mpii, codec=codec))
        dataset = build_dataset(parts.config, "valid")
        crop = build_crop_maker(parts, dataset, training=False)(0, np.random.default_rng(0))
        scale = (63 if target == "udp" else 64) / dataset.sample(0).size_image_wh[0]
        np.testing.assert_allclose(crop.crop_from_image[:, :2], np.eye(2) * scale, rtol=1e-9, atol=1e-12)

    def test_only_training_is_augmented(self, synthetic_mpii):
        parts = build(config_of(synthetic_mpii, augment={"type": "HRNet", "scale": 0.5}))
        dataset = build_dataset(parts.config, "valid")
        for training, varied in ((True, True), (False, False)):
            make_crop = build_crop_maker(parts, dataset, training)
            first, second = (make_crop(0, np.random.default_rng(seed)).crop_from_image for seed in (0, 1))
            assert (not np.array_equal(first, second)) == varied
        assert isinstance(build_crop_maker(parts, dataset, True)._augmentation, HRNetAugmentation)
        parts = build(config_of(synthetic_mpii))  # no such section
        assert build_crop_maker(parts, dataset, True)._augmentation is None


class TestLoad:
    def saved(self, parts, path, **meta):
        facts = {"config": parts.config.model_dump(mode="json"), "skeleton": parts.skeleton.name, **meta}
        save_model(path, to_arrays(parts.network.state_dict()), {k: v for k, v in facts.items() if v is not None})
        return path

    @pytest.mark.parametrize("suffix", ["pdparams", "safetensors"])
    def test_a_checkpoint_builds_its_own_network(self, parts, tmp_path, suffix):
        network = load_network(str(self.saved(parts, tmp_path / f"model.{suffix}")))
        assert not network.training
        assert network.config == parts.config
        assert network.skeleton is MPII_16
        images = paddle.to_tensor(np.random.default_rng(0).random((1, 3, 64, 64), np.float32))
        parts.network.eval()
        for ours, theirs in zip(network(images), parts.network(images)):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())

    def test_it_does_not_say_which_network(self, parts, tmp_path):
        with pytest.raises(CheckpointError, match="which network"):
            load_network(str(self.saved(parts, tmp_path / "m.pdparams", config=None)))

    def test_its_configuration_is_damaged(self, parts, tmp_path):
        for damaged in ({"input_wh": 3}, [1], "text"):
            with pytest.raises((ConfigError, CheckpointError), match=r"m\.pdparams"):
                load_network(str(self.saved(parts, tmp_path / "m.pdparams", config=damaged)))

    def test_another_skeleton(self, parts, tmp_path):
        path = self.saved(parts, tmp_path / "m.pdparams", skeleton="lsp_14")
        with pytest.raises(CheckpointError, match="lsp_14"):
            load_into(parts, path)

    def test_another_network(self, parts, tmp_path):
        path = self.saved(parts, tmp_path / "m.pdparams")
        other = build(config_of(network={"type": "StackedHourglass", "stacks": 1, "width": 8, "depth": 2}))
        before = to_arrays(other.network.state_dict())
        with pytest.raises(CheckpointError, match=r"m\.pdparams"):
            load_into(other, path)
        for name, array in to_arrays(other.network.state_dict()).items():
            np.testing.assert_array_equal(array, before[name])
