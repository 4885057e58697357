"""The rows themselves: their form, their numbers, and which configurations name them."""

import re
from pathlib import Path

import pydantic
import pytest
import yaml

from paddle_pose import references
from paddle_pose.builder_data import build_metric
from paddle_pose.config import _Loader, check_config, load_config
from paddle_pose.errors import ConfigError
from paddle_pose.references.rules import holds
from paddle_pose.references.table import references_table

CONFIGS = Path(__file__).parents[2] / "configs"
PATHS = [path for path in sorted(CONFIGS.rglob("*.yaml")) if path.parent.name != "_base_"]
NAMING = {path: load_config(str(path)).reference for path in PATHS}
FILES = sorted(Path(references.__file__).parent.glob("*.yaml"))
ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+$")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_key_is_given_twice_in_a_file(path):
    assert yaml.load(path.read_text(encoding="utf-8"), _Loader)


def test_ids_say_the_size_and_are_in_one_file_only():
    everything = [name for path in FILES for name in yaml.safe_load(path.read_text()).get("rows", {})]
    assert len(everything) == len(set(everything)) == len(references.rows()) > 130
    for name, row in references.rows().items():
        assert ID.match(name), name
        size = re.search(r"_(\d+)x(\d+)", name)
        assert size is None or row.input_wh == tuple(map(int, size.groups())), name


@pytest.mark.parametrize("name", references.rows())
def test_a_row_has_the_values_of_its_metric(name):
    """Names are those that the evaluator prints, so that something can be compared."""
    row = references.rows()[name]
    if row.not_comparable:
        return
    kind = {"MPII": "MPII", "COCO": "COCO", "LSP": "LSP", "FLIC": "FLIC"}[row.dataset]
    mapping = {"input_wh": [64, 64], "dataset": {"type": kind}, "metric": {"type": row.metric}}
    config = check_config({**mapping, "network": {"type": "X"}, "codec": {"type": "X"}}, "here")
    assert set(row.values) <= set(build_metric(config).value_names()), name
    assert row.boxes is not None or row.dataset in ("LSP", "FLIC") or "pmodels" in name, name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"values": {"Mean": 90.0}, "colour": 1}, "extra"),
        ({"values": {}}, "at least 1"),
        ({"values": {"Mean": 0.9, "Mean@0.1": 31.7}}, "threshold"),
        ({"values": {"Mean": 101}}, "less than or equal to 100"),
        ({"values": {"Mean": 90.0}, "threshold": 0.1}, "threshold"),
        ({"values": {"Mean": 90.0, "Mean@0.1": 30.0}, "threshold": 0.12}, "threshold"),
        ({"values": {"Mean": 90.0}, "recalled": ["Head"]}, "recalled"),
        ({"values": {"Mean": 90.0}, "gmacs": 7.1}, "gmacs_unit"),
        ({"values": {"Mean": 90.0}, "metric": None}, "comparable"),
    ],
)
def test_a_row_that_does_not_say_what_it_means_is_refused(wrong, said):
    good = {"who": "a", "where": "b", "network": "c", "dataset": "MPII", "split": "valid", "metric": "PCKh"}
    with pytest.raises(pydantic.ValidationError, match=said):
        references.Row.model_validate({**good, **wrong})


@pytest.mark.parametrize("path", [path for path in PATHS if isinstance(NAMING[path], str)], ids=lambda path: path.stem)
def test_a_configuration_is_of_its_rows_network_input_and_data(path):
    config, row = load_config(str(path)), references.find(NAMING[path])
    assert row.input_wh in (None, config.input_wh)
    assert row.dataset == ("COCO" if config.dataset.type == "COCOPhotos" else config.dataset.type)
    assert row.metric == config.metric.type
    assert not row.not_comparable
    assert row.ours is not None
    assert holds(row.ours, config.network.model_dump())


def test_the_check_of_networks_sees_a_difference():
    w32, rle = (
        references.find(f"mmpose_{name}") for name in ("hrnet_w32_mpii_256x256", "deeppose_res50_mpii_256x256_rle")
    )
    assert holds(w32.ours, {"type": "HRNet", "width": 32})
    assert not holds(w32.ours, {"type": "HRNet", "width": 48})
    assert not holds(rle.ours, {"type": "ResNetRegression", "depth": 50})
    assert holds(rle.ours, {"type": "ResNetRegression", "depth": 50, "sigma": True})


def test_nearly_every_row_that_can_be_trained_is_named():
    assert len({name for name in NAMING.values() if name}) >= 33
    assert all(value is None or isinstance(value, str) for value in NAMING.values())


def test_an_unknown_id_hints_at_the_nearest():
    with pytest.raises(ConfigError, match="no published row 'hrnet_w32_mpi'; did you mean 'hrnet_w32_mpii_"):
        references.find("hrnet_w32_mpi")


# Typed by hand from the published tables; percent.
@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("mmpose_hourglass52_mpii_256x256", "Mean", 88.9),
        ("mmpose_hourglass52_mpii_256x256", "Mean@0.1", 31.7),
        ("mmpose0_hourglass52_mpii_384x384", "Mean@0.1", 36.6),
        ("mmpose_hourglass52_mpii_384x384", "Mean@0.1", 36.7),
        ("first_paddle_hourglass52_mpii_256x256", "Mean", 88.7171),
        ("first_paddle_hourglass52_mpii_256x256", "Wrist", 83.7770),
        ("first_paddle_hourglass52_mpii_384x384", "Mean@0.1", 37.5878),
        ("mmpose_hourglass52_coco_384x384", "AR50", 93.9),
        ("princeton_hg8_mpii_256x256", "Mean", 90.2),
        ("bearpaw_hg2_mpii_256x256", "Mean", 86.76),
        ("bearpaw_hg8_mpii_256x256", "Hip", 87.48),
        ("anibali_hg2_mpii_256x256", "Ankle", 77.87),
        ("newell_hg8_mpii_test", "Mean", 90.9),
        ("hrnet_w32_mpii_256x256", "Mean@0.1", 37.7),
        ("hrnet_w32_mpii_256x256", "Knee", 87.1),
        ("hrnet_res152_mpii_256x256", "Elbow", 90.0),
        ("mmpose_hrnet_w48_mpii_256x256_dark", "Mean@0.1", 36.0),
        ("pdet_hrnet_w32_mpii_256x256", "Mean@0.1", 38.5),
        ("pmodels_res50_mpii_384x384", "Mean@0.1", 38.093),
        ("hrnet_w32_coco_192x256", "AP", 74.4),
        ("hrnet_w48_coco_288x384", "APL", 83.4),
        ("hrnet_w48_coco_288x384_test_dev_aic", "AR", 82.0),
        ("mmpose_hrnet_w48_coco_288x384_dark", "AR50", 94.8),
        ("mmpose_hrnet_w32_coco_192x256_udp", "AP75", 82.9),
        ("mmpose0_hrnet_w32_coco_192x256", "AP", 74.6),
        ("pdet_hrnet_w32_coco_288x384", "AP", 77.8),
        ("wz_hrnet_w32_coco_192x256_official", "AP", 76.6),
        ("mmpose_hrnet_w32_crowdpose_192x256", "APH", 55.3),
        ("mmpose_cpm_mpii_368x368", "Mean@0.1", 28.5),
        ("mmpose_cpm_coco_288x384", "AP75", 73.0),
        ("mmpose_cpm_jhmdb_368x368_torso", "sub2", 61.1),
        ("cpm_lsp_pc", "Mean", 84.321),
        ("cpm_flic", "Elbow", 97.59),
        ("cpm_mpii_test_368x368_lsp", "Ankle", 79.41),
        ("openpose_vgg19_coco_val2014", "AP", 58.4),
        ("openpose2019_coco_val", "APL", 70.1),
        ("ildoonet_openpose_coco_val2017", "AP", 49.6),
        ("tensorboy_openpose_coco_val2017", "AP", 65.3),
        ("deeppose_alexnet_lsp_220x220_stage3", "Mean_4_limbs", 61),
        ("deeppose_tf_alexnet_lsp_227x227", "Mean_6_parts", 55.7),
        ("deeppose_tf_alexnet_mpii_227x227_scratch", "Ankle", 51.2),
        ("mmpose_deeppose_res101_mpii_256x256", "Mean@0.1", 20.0),
        ("mmpose0_deeppose_res152_mpii_256x256", "Mean@0.1", 19.8),
        ("mmpose_deeppose_res152_coco_288x384_rle", "AP", 74.9),
        ("tompson_mpii_valid", "Mean", 82.3367),
    ],
)
def test_numbers(name, value, number):
    assert references.rows()[name].values[value] == number


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("mmpose_hourglass52_mpii_256x256", 36.1),
        ("mmpose0_hourglass52_mpii_384x384", 40.9),
        ("mmpose_cpm_mpii_368x368", 32.5),
        ("mmpose_hrnet_w32_mpii_256x256", 37.9),
        ("mmpose_hrnet_w48_mpii_256x256", 38.3),
        ("tompson_mpii_valid", 33.1382),
    ],
)
def test_means_at_011_of_the_same_checkpoint(name, old):
    assert references.rows()[name].at_0_11 == old
    assert references.rows()[name].threshold == 0.10


def test_readmes_that_count_at_011():
    readme = {name for name, row in references.rows().items() if row.threshold == 0.11}
    assert {name.split("_")[0] for name in readme} == {"hrnet", "pdet", "pmodels"}
    assert all(
        row.threshold == 0.10 for name, row in references.rows().items() if name.startswith("mmpose") and row.threshold
    )


# Mean and Mean@0.1 after some epochs, counted from 0 as in the logs.
@pytest.mark.parametrize(
    ("size", "epoch", "mean", "at_01"),
    [
        (256, 0, 48.09, 6.18),
        (256, 4, 71.37, 16.60),
        (256, 29, 84.58, 27.17),
        (256, 169, 88.21, 31.17),
        (256, 174, 88.72, 32.11),
        (256, 209, 88.82, 31.94),
        (384, 0, 47.46, 8.01),
        (384, 19, 83.69, 32.54),
        (384, 99, 88.61, 37.42),
        (384, 186, 89.139, 37.588),
        (384, 209, 89.19, 37.33),
    ],
)
def test_points_of_the_curves(size, epoch, mean, at_01):
    curve = references.curves()[f"first_paddle_hourglass52_mpii_{size}x{size}"]
    assert curve.values["Mean"][epoch] == pytest.approx(mean, abs=5.1e-3)
    assert curve.values["Mean@0.1"][epoch] == pytest.approx(at_01, abs=5.1e-3)


@pytest.mark.parametrize(("size", "selected", "best_mean"), [(256, 174, 88.92), (384, 186, 89.292)])
def test_the_row_is_the_curves_best_mean_at_01(size, selected, best_mean):
    """The checkpoint was chosen by it; so the curve is whole and in order."""
    name = f"first_paddle_hourglass52_mpii_{size}x{size}"
    curve, row = references.curves()[name], references.find(name)
    assert len(curve) == 210
    assert max(range(210), key=curve.values["Mean@0.1"].__getitem__) == selected
    assert max(curve.values["Mean"]) == pytest.approx(best_mean, abs=5.1e-3)
    for value in ("Mean", "Mean@0.1"):
        assert row.values[value] == pytest.approx(curve.values[value][selected], abs=5.1e-4)
    assert curve.loss[0] > 3 * curve.loss[-1] > 0


def test_every_curve_that_is_named_exists():
    named = {row.curve_of for row in references.rows().values() if row.curve_of}
    assert named == set(references.curves()) <= set(references.rows())


def test_the_document_holds_the_table():
    document = (CONFIGS.parent / "docs" / "references.md").read_text(encoding="utf-8")
    assert document.split("<!-- rows -->\n")[1] == references_table() + "\n", "run python -m paddle_pose.references"


def test_the_document_names_every_field():
    document = (CONFIGS.parent / "docs" / "references.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_0-9.]+)`", document.split("## Fields")[1].split("## The rows")[0]))
    assert {field.alias or name for name, field in references.Row.model_fields.items()} <= named
