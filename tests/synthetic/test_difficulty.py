import math
import os
from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy.io import loadmat
from synthetic_cases import RECIPE, WRITERS, contents

from paddle_pose.errors import DataError
from paddle_pose.skeletons import LSP_14
from paddle_pose.synthetic import body as body_module
from paddle_pose.synthetic.body import draw_body
from paddle_pose.synthetic.difficulty import BY_NAME, CALM, FULL, GROUP
from paddle_pose.synthetic.poses import FAMILIES, draw_angles, draw_family
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.scene import photo_rng, render_photo

SMALL = Recipe(train=5, valid=3, seed=4, image_size=64, difficulty="calm")
BARE = replace(CALM, others=(1.0, 0.0, 0.0, 0.0), crowd=0.0, front_thing=0.0, close_up=0.0)
both = pytest.mark.parametrize("difficulty", BY_NAME.values(), ids=BY_NAME)


def assert_share(count, total, chance):
    """Within four standard deviations of a binomial's mean."""
    assert count / total == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / total) + 1e-12)


def photos(difficulty, count=12):
    return [render_photo(photo_rng(6, index), 64, difficulty=difficulty) for index in range(count)]


def passers_by(people):
    return sum(not person.is_main and not person.in_crowd for person in people)


class TestShares:
    @both
    def test_they_are_chances_of_what_there_is(self, difficulty):
        assert set(difficulty.families) <= set(FAMILIES)
        for chances in (difficulty.views, difficulty.others):
            assert min(chances) >= 0
            assert sum(chances) == pytest.approx(1)
        assert all(0 <= chance <= 1 for chance in astuple(difficulty)[-3:])

    def test_full_leaves_nothing_out_and_calm_has_less_of_all_that_is_hard(self):
        assert set(FULL.families) == set(FAMILIES)
        assert set(CALM.families) < set(FULL.families)
        assert CALM.views[0] > FULL.views[0]
        assert CALM.others[0] > FULL.others[0]
        for name in ("crowd", "front_thing", "close_up"):
            assert getattr(CALM, name) < getattr(FULL, name)

    @both
    def test_families_come_as_often_as_their_weights_say(self, difficulty):
        rng = np.random.default_rng(0)
        drawn = [draw_family(rng, difficulty.families) for _ in range(3000)]
        assert set(drawn) == set(difficulty.families)
        weights = {name: FAMILIES[name][0] for name in difficulty.families}
        for name, weight in weights.items():
            assert_share(drawn.count(name), len(drawn), weight / sum(weights.values()))

    @both
    def test_bodies_face_us_as_often_as_the_views_say(self, difficulty):
        rng = np.random.default_rng(1)
        straight = [replace(difficulty, views=views) for views in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))]
        front, back = (facing(rng, one) for one in straight)  # but for the widest turns of the normal distribution
        assert front > 0.93
        assert back < 0.07
        facing_us, turned, any_way = difficulty.views
        expected = facing_us * front + turned * back + any_way / 2
        assert facing(rng, difficulty) == pytest.approx(expected, abs=0.07)  # 4 standard deviations of 0.5/sqrt(1000)


def facing(rng, difficulty, count=1000):
    """Share of bodies whose torso faces the viewer."""
    return np.mean([draw_body(rng, difficulty).torso_axes[2, 2] > 0 for _ in range(count)])


class TestPhotos:
    def test_calm_photos_hold_its_families_alone(self, monkeypatch):
        drawn = []
        monkeypatch.setattr(body_module, "draw_angles", lambda rng, name: drawn.append(name) or draw_angles(rng, name))
        photos(replace(CALM, crowd=0.0, others=(0.0, 0.0, 0.0, 1.0)))
        assert len(drawn) > 2 * 12  # passers-by too
        assert set(drawn) <= set(CALM.families)

    def test_calm_photos_have_its_share_of_passers_by(self):
        counts = np.array([passers_by(people) for _, people in photos(CALM, 80)])
        # a passer-by for whom there is no room is left out, so that fewer may be seen than were drawn
        for number in range(4):
            chance = sum(CALM.others[: number + 1])
            spread = math.sqrt(chance * (1 - chance) / len(counts))
            assert np.mean(counts <= number) >= chance - 4 * spread - 1e-12
        assert counts.any() == (CALM.others[0] < 1)

    def test_groups_are_mostly_several_people_of_like_size(self):
        several = [people for _, people in photos(GROUP, 40) if len(people) > 1]
        assert len(several) > 25
        for people in several:
            heights = np.array([person.height_image for person in people])
            assert heights.min() >= 0.69 * people[-1].height_image
            assert heights.max() <= people[-1].height_image

    def test_passers_by_are_never_more_than_drawn(self):
        assert not any(passers_by(people) for _, people in photos(BARE))
        counts = [passers_by(people) for _, people in photos(replace(BARE, others=(0.0, 0.0, 1.0, 0.0)))]
        assert max(counts) == 2

    def test_a_crowd_a_thing_in_front_and_a_close_up_come_with_their_chance_alone(self):
        bare = photos(BARE)
        assert not any(person.in_crowd for _, people in bare for person in people)
        assert all(people[-1].of(LSP_14)[1].all() for _, people in bare)
        assert all(people[-1].shown_share == 1 for _, people in bare)
        crowded = photos(replace(BARE, crowd=1.0))
        assert all(any(person.in_crowd for person in people) for _, people in crowded)
        blocked = photos(replace(BARE, front_thing=1.0))
        assert sum(people[-1].shown_share < 1 for _, people in blocked) > len(blocked) / 2
        cut = photos(replace(BARE, close_up=1.0))
        assert sum(not people[-1].of(LSP_14)[1].all() for _, people in cut) > len(cut) / 2


class TestFiles:
    def test_the_named_difficulty_is_the_one_that_is_rendered(self, tmp_path):
        joints = {}
        for name, difficulty in BY_NAME.items():
            root = tmp_path / name
            assert WRITERS["lsp"](str(root), replace(SMALL, difficulty=name))
            joints[name] = loadmat(root / "joints.mat")["joints"]
            for index in range(SMALL.train + SMALL.valid):
                _, people = render_photo(photo_rng(SMALL.seed, index), SMALL.image_size, True, difficulty)
                expected = people[-1].of(LSP_14)[0].T + 1
                np.testing.assert_allclose(joints[name][:2, :, index], expected, atol=1e-3)
        assert not np.array_equal(joints["full"], joints["calm"])

    @pytest.mark.parametrize("name", WRITERS)
    def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(self, tmp_path, name):
        for folder, recipe in (("a", SMALL), ("b", SMALL), ("c", replace(SMALL, seed=5))):
            assert WRITERS[name](str(tmp_path / folder), recipe)
        one, same, other = (contents(tmp_path / folder) for folder in "abc")
        assert one == same
        assert set(one) == set(other)
        assert all(one[file] != other[file] for file in one)

    def test_a_folder_of_one_difficulty_is_no_folder_of_the_other(self, tmp_path):
        root = tmp_path / "calm"
        assert WRITERS["mpii"](str(root), SMALL)
        before = contents(root)
        assert not WRITERS["mpii"](str(root), SMALL)
        with pytest.raises(DataError, match="made with.*'difficulty': 'calm'.*not with.*'difficulty': 'full'"):
            WRITERS["mpii"](str(root), replace(SMALL, difficulty="full"))
        assert contents(root) == before


class TestNames:
    def test_each_difficulty_is_found_by_its_name_and_full_is_the_default(self):
        assert {name: BY_NAME[name].name for name in BY_NAME} == {name: name for name in ("full", "calm", "group")}
        assert RECIPE.difficulty == "full"

    @pytest.mark.parametrize("name", ["hard", "", "Calm", None])
    def test_an_unknown_one_is_refused_in_one_line_before_anything_is_written(self, tmp_path, name):
        with pytest.raises(DataError, match="no difficulty is called .*; choose one of full, calm, group") as error:
            WRITERS["mpii"](str(tmp_path / "data"), Recipe(1, 1, difficulty=name))
        assert repr(name) in str(error.value)
        assert "\n" not in str(error.value)
        assert os.listdir(tmp_path) == []
