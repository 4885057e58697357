"""PartAffinity: mirror, the way back, settings."""

import numpy as np
import paddle
import pytest
from part_affinity_cases import (
    INPUT_WH,
    KITE,
    STRIDE,
    codec,
    crowd,
    draw,
)

from paddle_pose.builder_data import build_component
from paddle_pose.codecs.grouping import GroupingRules
from paddle_pose.config_sections import Component
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS
from paddle_pose.skeletons import COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18, Skeleton


class TestMirror:
    @pytest.mark.parametrize("join", ["max", "add"])
    @pytest.mark.parametrize("skeleton", [KITE, OPENPOSE_18], ids=lambda skeleton: skeleton.name)
    def test_maps_of_mirrored_people_are_mirrored_maps(self, skeleton, join):
        people, labelled = crowd(6, skeleton)
        swap = list(skeleton.mirror)
        mirrored = (people * [-1, 1] + [95, 0])[:, swap]
        target, turned = (
            draw(joints, known, skeleton, people=join)[0]
            for joints, known in ((people, labelled), (mirrored, labelled[:, swap]))
        )
        assert np.abs(target - turned).max() > 0.5
        back = codec(skeleton).mirror(paddle.to_tensor(turned[None]))[0].numpy()
        np.testing.assert_allclose(back, target, atol=1e-4)

    def test_twice_is_nothing_and_any_size_will_do(self):
        paddle.seed(0)
        maps = paddle.randn([2, 57, 5, 7])
        once = codec(OPENPOSE_18).mirror(maps)
        assert not np.array_equal(once.numpy(), maps.numpy())
        np.testing.assert_array_equal(codec(OPENPOSE_18).mirror(once).numpy(), maps.numpy())

    @pytest.mark.parametrize("skeleton", [COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18], ids=lambda s: s.name)
    def test_every_skeleton_of_ours_has_its_mirror_images(self, skeleton):
        codec(skeleton)

    def test_other_numbers_of_maps_are_refused(self):
        with pytest.raises(ValueError, match="expected 13 maps to mirror, but got 12"):
            codec().mirror(paddle.zeros([1, 12, 8, 12]))


class TestDecode:
    def test_joints_come_back(self):
        rng = np.random.default_rng(0)
        people = rng.uniform((12, 12), (84, 52), (20, 4, 2)).astype("float32")
        joints = paddle.to_tensor(people)
        target, _ = codec().encode(joints, paddle.ones([20, 4]))
        found, scores = codec().decode(target)
        np.testing.assert_allclose(found.numpy(), people, atol=0.02)
        assert (scores.numpy() > 0.7).all()

    def test_background_and_fields_are_not_looked_at(self):
        target, _ = codec().encode(paddle.to_tensor([[[30.0, 30.0]] * 4]), paddle.ones([1, 4]))
        target[:, :8], target[:, -1] = 9.0, 9.0
        np.testing.assert_allclose(codec().decode(target)[0].numpy(), 30.0, atol=0.02)

    def test_people_come_back_in_crop_pixels(self):
        """Two people side by side on maps that are larger than the crop of training."""
        kite = np.array([[30.0, 14.0], [48.0, 30.0], [12.0, 30.0], [30.0, 52.0]])
        people = np.stack([kite, kite + [60.0, 3.0]])
        target, _ = draw(people, input_wh=(128, 72))
        (found,) = codec().people(paddle.to_tensor(target[None]))
        assert len(found) == 2
        order = np.argsort(found.joints_xy[:, 0, 0])
        np.testing.assert_allclose(found.joints_xy[order], people, atol=0.1)

    def test_nobody(self):
        target, _ = draw(np.zeros((1, 4, 2)), np.zeros((1, 4)))
        (found,) = codec().people(paddle.to_tensor(target[None]))
        assert found.joints_xy.shape == (0, 4, 2)


class TestSettings:
    def test_shapes_and_frames(self):
        assert codec(OPENPOSE_18).output_shape(18) == (57, 8, 12)
        np.testing.assert_allclose(codec().map_from_crop @ [3.5, 11.5, 1], [0, 1])
        assert codec().pixel_centres is False

    def test_grouping_is_set_in_the_configuration(self):
        derived = {"mirror": KITE.mirror, "skeleton": KITE, "input_wh": INPUT_WH, "stride": STRIDE}

        def build(**grouping):
            section = Component(type="PartAffinity", sigma_crop=6.0, grouping=grouping)
            return build_component(CODECS, section, "codec", derived)

        assert build(peak_threshold=0.3)._group.rules == GroupingRules(peak_threshold=0.3)
        with pytest.raises(ConfigError, match=r"codec\.grouping\.peak_treshold"):
            build(peak_treshold=0.3)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"input_wh": (100, 64)}, "not a multiple of the stride 8"),
            ({"sigma_crop": 0.0}, "sigma_crop must be positive, but is 0.0"),
            ({"limb_width_crop": float("nan")}, "limb_width_crop must be positive, but is nan"),
            ({"limb_ends_crop": -1.0}, "limb_ends_crop must not be negative, but is -1.0"),
            ({"people": "sum"}, "unknown codec people 'sum'; known: max, add"),
            ({"fields": "caffe"}, "unknown codec fields 'caffe'; known: paper, released"),
            ({"skeleton": Skeleton("dots", ("left_a", "right_a"))}, "dots has no limbs"),
        ],
    )
    def test_impossible_settings_are_refused(self, options, message):
        with pytest.raises(ConfigError, match=message):
            codec(**options)

    def test_a_limb_without_a_mirror_image_is_refused(self):
        lame = Skeleton("lame", ("nose", "left_hand", "right_hand"), (("nose", "left_hand"),))
        message = r"skeleton lame: limb \['nose', 'left_hand'\] is \['nose', 'right_hand'\] in a mirror.*; add"
        with pytest.raises(ConfigError, match=message):
            codec(lame)
