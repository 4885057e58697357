"""index.yaml: every entry leads to a configuration, a published row and a file that can be had and checked."""

import re
from pathlib import Path

import pydantic
import pytest
from zoo_cases import entry

from paddle_pose import references, zoo
from paddle_pose.config import configs_folder, load_config
from paddle_pose.errors import UserError
from paddle_pose.references.rules import holds
from paddle_pose.zoo.download import MAX_BYTES
from paddle_pose.zoo.index import Bundled, Published, entries

PUBLISHED = {name: one for name, one in entries().items() if isinstance(one, Published)}
BUNDLED = {name: one for name, one in entries().items() if isinstance(one, Bundled)}


def test_the_networks_of_the_suite_are_there():
    configured = {load_config(str(Path(configs_folder()) / one.config)).network.type for one in PUBLISHED.values()}
    assert configured == {
        *("Hourglass52", "HRNet", "MMPoseCPM", "ResNetRegression", "StackedHourglass", "PrincetonHourglass"),
        *("OpenPose", "DeepPose"),
    }


@pytest.mark.parametrize("name", entries())
def test_a_name_is_no_path(name):
    assert re.fullmatch(r"[a-z0-9_]+", name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_entry_agrees_with_its_row_and_configuration(name):
    one = PUBLISHED[name]
    config = load_config(str(Path(configs_folder()) / one.config))
    assert one.trunk == (one.reference is None) or name == "hrnet_w48_mpii_256x256"  # of which none is published
    if one.reference is None:
        return
    row = references.find(one.reference)
    assert row.dataset == {"COCOPhotos": "COCO"}.get(config.dataset.type, config.dataset.type)
    assert row.input_wh in (None, config.input_wh)
    assert row.ours is None or holds(row.ours, config.network.model_dump())


@pytest.mark.parametrize("name", [name for name, one in PUBLISHED.items() if one.url])
def test_a_published_hash_is_that_of_the_file_name(name):
    """Their authors put the first digits of the SHA-256 into the name."""
    digits = re.search(r"-([0-9a-f]{8})(_\d{8})?\.pth$", PUBLISHED[name].url)[1]
    assert PUBLISHED[name].sha256 == digits


def test_no_two_names_are_one_file():
    urls = [one.url for one in PUBLISHED.values() if one.url]
    assert len(set(urls)) == len(urls)


def test_everything_said_of_files_fits_the_limits():
    assert max(one.megabytes or 0 for one in PUBLISHED.values()) * 1e6 < MAX_BYTES
    assert sum(one.path.stat().st_size for one in BUNDLED.values()) < 10e6
    assert all(one.photo_path.stat().st_size < 100_000 for one in BUNDLED.values())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://example.org/x.pth", "sha256": "0" * 8}, "url"),
        ({"url": "file:///etc/passwd", "sha256": "0" * 8}, "url"),
        ({"sha256": ""}, "must have a sha256"),
        ({"url": None}, "by_hand must say"),
        ({"url": None, "file": "../x.pth", "by_hand": "x"}, "file"),
        ({"sha256": "0" * 7}, "sha256"),
        ({"sha256": "0" * 8, "unheard_of": 1}, "unheard_of"),
    ],
)
def test_entries_that_are_refused(fields, words):
    with pytest.raises(pydantic.ValidationError, match=words):
        entry(**fields)


def test_a_name_that_is_not_there():
    with pytest.raises(UserError, match="'synthetic_hourglas'; did you mean 'synthetic_hourglass'"):
        zoo.find("synthetic_hourglas")


def test_a_photo_for_every_model():
    assert zoo.default_photo() == BUNDLED[zoo.DEFAULT_MODEL].photo_path
    assert zoo.default_photo("mmpose_hrnet_w32_coco_192x256") == zoo.default_photo()
    assert zoo.default_photo("not of the zoo.pdparams") == zoo.default_photo()
    assert all(zoo.default_photo(name) == one.photo_path for name, one in BUNDLED.items())
