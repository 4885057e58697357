"""Every wrong configuration is one ConfigError of one line that names file, key and remedy."""

import pytest

from paddle_pose.config import check_config, load_config
from paddle_pose.errors import ConfigError

MINIMAL = """
input_wh: [192, 256]
dataset: {type: MPII, root: data/mpii}
network: {type: Hourglass52, stacks: 1}
codec: {type: GaussianHeatmap, sigma_map: 2.0}
metric: {type: PCKh}
"""


@pytest.fixture
def write(tmp_path):
    """write(name, text) -> path of a file with this text after what a configuration needs."""

    def make(name: str, text: str = "", start: str = MINIMAL) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(start + text, encoding="utf-8")
        return str(path)

    return make


def message(*args, **kwargs) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestFiles:
    def test_defaults_fill_what_a_file_leaves_out(self, write):
        config = load_config(write("a.yaml", "train: {epochs: 3}"))
        assert config.input_wh == (192, 256)
        assert (config.train.epochs, config.train.batch_size, config.optimizer.type) == (3, 64, "Adam")
        assert config.network.arguments == {"stacks": 1}
        assert config.augment is None

    def test_a_cascade_says_how_its_numbers_disagree(self, write):
        text = message(write("a.yaml", "cascade: {sigma: [2.0, 1.0], stages: [{seed: 1}]}"))
        assert text.endswith("a.yaml: cascade: sigma [2.0, 1.0] is for 2 stages, but 1 are listed")

    def test_settings_of_the_loss_alone_are_those_of_the_default_one(self, write):
        loss = load_config(write("a.yaml"), ("loss.factor=0.5",)).loss
        assert (loss.type, loss.arguments) == ("JointsMSE", {"factor": 0.5})
        assert load_config(write("a.yaml"), ("loss.type=CPMLoss",)).loss.type == "CPMLoss"

    def test_bases_are_merged_in_order_and_the_file_comes_last(self, write):
        write("base/far.yaml", "train: {epochs: 1, batch_size: 1, workers: 1}")
        write("base/near.yaml", "_base_: far.yaml\ntrain: {epochs: 2, batch_size: 2}", start="")
        write("other.yaml", "seed: 7\ntrain: {log_steps: 9}", start="")
        path = write("top.yaml", "_base_: [base/near.yaml, other.yaml]\ntrain: {epochs: 3}", start="")
        config = load_config(path)
        train = config.train
        assert (train.epochs, train.batch_size, train.workers, train.log_steps, config.seed) == (3, 2, 1, 9, 7)

    def test_a_base_that_leads_back(self, write):
        write("b.yaml", "_base_: a.yaml", start="")
        assert "leads back" in message(write("a.yaml", "_base_: b.yaml", start=""))
        assert "leads back" in message(write("self.yaml", "_base_: self.yaml", start=""))

    def test_two_files_may_share_a_base(self, write):
        write("root.yaml", "seed: 5")
        write("left.yaml", "_base_: root.yaml", start="")
        write("right.yaml", "_base_: root.yaml", start="")
        assert load_config(write("a.yaml", "_base_: [left.yaml, right.yaml]", start="")).seed == 5

    @pytest.mark.parametrize("base", ["5", "{a: b}", "[1]", "[[x.yaml]]"])
    def test_a_base_that_is_no_path(self, write, base):
        text = message(write("a.yaml", f"_base_: {base}"))
        assert "a.yaml" in text
        assert "_base_" in text

    def test_a_base_of_null_is_none(self, write):
        assert load_config(write("a.yaml", "_base_:")).seed == 0

    def test_a_missing_file_and_a_missing_base(self, write, tmp_path):
        text = message(str(tmp_path / "none.yaml"))
        assert "none.yaml" in text
        assert "--config" in text
        text = message(write("a.yaml", "_base_: none.yaml"))
        assert "none.yaml" in text
        assert "a.yaml" in text
        assert "_base_" in text
        assert "folder" not in text
        assert str(tmp_path) in message(str(tmp_path))  # a folder

    @pytest.mark.parametrize("text", ["- 1\n- 2", "just words", "3"])
    def test_not_a_mapping(self, write, text):
        assert "mapping" in message(write("a.yaml", text, start=""))

    @pytest.mark.parametrize(
        "text", ["a: [1", "a: b: c", "\ta: 1", "when: 2024-13-45", "\x01: 1", "a: !!python/none 1"]
    )
    def test_not_yaml(self, write, text):
        assert "not valid YAML" in message(write("a.yaml", text, start=""))

    def test_yaml_executes_nothing(self, write, tmp_path):
        mark = tmp_path / "mark"
        message(write("a.yaml", f"x: !!python/object/apply:os.mkdir ['{mark}']"))
        assert not mark.exists()

    def test_a_byte_order_mark_and_another_encoding(self, tmp_path):
        path = tmp_path / "a.yaml"
        path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
        assert load_config(str(path)).input_wh == (192, 256)
        path.write_bytes(MINIMAL.encode() + "# größe".encode("latin-1"))
        assert "UTF-8" in message(str(path))
        path.write_bytes(MINIMAL.encode("utf-16"))
        assert "UTF-8" in message(str(path))

    def test_a_key_given_twice(self, write):
        assert "'train' is given twice" in message(write("a.yaml", "train: {epochs: 1}\ntrain: {workers: 1}\n"))
        assert "'lr' is given twice" in message(write("b.yaml", "optimizer: {lr: 1, lr: 2}"))

    def test_yaml_anchors_still_merge(self, write):
        text = "train: &t {epochs: 4}\nvalid: {batch_size: 3}\nschedule: {<<: {patience: 2}, cooldown: 1}"
        config = load_config(write("a.yaml", text))
        assert (config.train.epochs, config.schedule.patience, config.schedule.cooldown) == (4, 2, 1)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "key", "near"),
        [
            ("trian: {epochs: 1}", "trian", "train"),
            ("train: {epoch: 1}", "train.epoch", "epochs"),
            ("optimizer: {lr_: 1}", "optimizer.lr_", "lr"),
            ("normalise: {sdt: [1, 1, 1]}", "normalise.sdt", "std"),
            ("reference: {source: x, values: {}, notes: y}", "reference.notes", "note"),
        ],
    )
    def test_an_unknown_key(self, write, text, key, near):
        said = message(write("a.yaml", text))
        assert "a.yaml" in said
        assert f"unknown key {key!r}" in said
        assert f"did you mean {near!r}?" in said

    def test_an_unknown_key_with_nothing_near_lists_all(self, write):
        assert "known: epsilon" not in message(write("a.yaml", "valid: {zzz: 1}"))
        assert "known: batch_size, best, every_epochs, mirror_test" in message(write("b.yaml", "valid: {zzz: 1}"))

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("train: {epochs: many}", "train.epochs='many'"),
            ("train: {epochs: 0}", "train.epochs=0"),
            ("train: {epochs: 2.5}", "train.epochs=2.5"),
            ("train: 5", "train=5"),
            ("train: {amp: O3}", "train.amp='O3'"),
            ("train: {channels_last: true}", "set amp to O1 or O2"),
            ("train: {channels_last: true, amp: O1, to_static: true}", "no effect on a traced program"),
            ("optimizer: {lr: -1}", "optimizer.lr=-1"),
            ("optimizer: {lr: .nan}", "optimizer.lr=nan"),
            ("optimizer: {lr: .inf}", "optimizer.lr=inf"),
            ("optimizer: {type: Adm}", "optimizer.type='Adm'"),
            ("normalise: {std: [1, 0, 1]}", "normalise.std.1=0"),
            ("seed: -1", "seed=-1"),
            ("seed: 4294967296", "seed=4294967296"),  # numpy's limit
            ("augment: HRNet", "augment='HRNet'"),
            ("augment: {scale: 0.2}", "augment.type"),
            ("schedule: {milestones: 3}", "schedule.milestones=3"),
        ],
    )
    def test_a_wrong_value(self, write, text, key):
        said = message(write("a.yaml", text))
        assert "a.yaml" in said
        assert key in said

    @pytest.mark.parametrize("size", ["256", "[256]", "[256, 256, 3]", "[a, b]"])
    def test_a_wrong_input_size(self, write, size):
        assert "input_wh" in message(write("a.yaml", start=MINIMAL.replace("[192, 256]", size)))

    def test_a_missing_section(self, write):
        said = message(write("a.yaml", start="input_wh: [64, 64]\n"))
        assert "key 'dataset' is missing" in said

    def test_a_type_at_the_top_is_an_unknown_key(self, write):
        write("b.yaml", "")
        assert "unknown key 'type'" in message(write("a.yaml", "_base_: b.yaml\ntype: Config", start=""))

    def test_a_number_as_a_key(self, write):
        assert "a.yaml" in message(write("a.yaml", "5: 6"))


class TestOptions:
    def test_numbers_that_yaml_takes_for_words(self, write):
        """YAML 1.1 reads 5e-4 as a string."""
        options = ("optimizer.lr=5e-4", "train.ema_decay=9e-1", "optimizer.betas=[5e-1, 9.9e-1]", "seed=12")
        config = load_config(write("a.yaml"), options)
        assert config.optimizer.lr == 5e-4
        assert config.train.ema_decay == 0.9
        assert config.optimizer.betas == (0.5, 0.99)
        assert config.seed == 12

    def test_they_win_over_the_file_and_flags_win_over_them(self, write):
        path = write("a.yaml", "train: {epochs: 1, batch_size: 2, workers: 3}")
        config = load_config(path, ("train.epochs=4", "train.batch_size=5"), {"train": {"batch_size": 6}})
        assert (config.train.epochs, config.train.batch_size, config.train.workers) == (4, 6, 3)

    def test_they_reach_the_arguments_of_a_class(self, write):
        config = load_config(write("a.yaml"), ("network.stacks=2", "dataset.root=/x=y"))
        assert config.network.arguments == {"stacks": 2}
        assert config.dataset.arguments == {"root": "/x=y"}

    def test_another_type_replaces_the_section(self, write):
        path = write("a.yaml", "optimizer: {type: RMSProp, rho: 0.5, lr: 0.1}")
        assert load_config(path, ("network.type=StackedHourglass",)).network.arguments == {}
        assert load_config(path, ("network.type=Hourglass52",)).network.arguments == {"stacks": 1}  # the same type
        optimizer = load_config(path, ("optimizer.type=SGD",)).optimizer
        assert (optimizer.lr, optimizer.rho) == (5e-4, 0.99)

    @pytest.mark.parametrize("turn", [1, -1])
    def test_type_and_keys_come_in_any_order(self, write, turn):
        path = write("a.yaml", "optimizer: {type: RMSProp, rho: 0.5, lr: 0.1}")
        optimizer = load_config(path, ("optimizer.type=SGD", "optimizer.lr=0.3")[::turn]).optimizer
        assert (optimizer.type, optimizer.lr, optimizer.rho) == ("SGD", 0.3, 0.99)

    def test_a_type_where_the_file_left_the_default_keeps_its_keys(self, write):
        path = write("a.yaml", "optimizer: {lr: 0.25}")
        assert load_config(path, ("optimizer.type=Adam",)).optimizer.lr == 0.25

    def test_null_takes_a_section_away(self, write):
        path = write("a.yaml", "augment: {type: HRNet}")
        assert load_config(path).augment.type == "HRNet"
        assert load_config(path, ("augment=null",)).augment is None

    def test_off_is_not_false(self, write):
        """YAML 1.1 reads a bare `off` as false."""
        assert load_config(write("a.yaml", "train: {amp: O1}"), ("train.amp=off",)).train.amp == "off"
        assert load_config(write("b.yaml", "train: {amp: off}")).train.amp == "off"
        assert "train.amp=True" in message(write("c.yaml", "train: {amp: on}"))

    @pytest.mark.parametrize("option", ["lr", "=3", "train.epochs=[1", "seed=2024-13-45", "valid={a: 1, a: 2}"])
    def test_what_cannot_be_read(self, write, option):
        assert f"--opts {option}" in message(write("a.yaml"), (option,))

    def test_unknown_keys(self, write):
        said = message(write("a.yaml"), ("optimizer.lrr=1",))
        assert "unknown key 'optimizer.lrr'; did you mean 'lr'?" in said
        message(write("a.yaml"), ("optimizer..lr=1",))
        message(write("a.yaml"), ("seed.x=1",))


def test_size_names():
    sizes = {"256": [256, 256], "192x256": [192, 256]}
    for name, size in sizes.items():
        mapping = {key: {"type": "X"} for key in ("dataset", "network", "codec", "metric")}
        assert check_config({**mapping, "input_wh": size}, "here").size_name == name


def test_a_configuration_survives_its_dump(write):
    """Checkpoints carry it as JSON."""
    text = "reference: {source: s, values: {Mean: 1.5}}\naugment: {type: HRNet, color_gain: [0.6, 1.4]}"
    config = load_config(write("a.yaml", text), ("train.freeze=[stem]",))
    assert check_config(config.model_dump(mode="json"), "there") == config


def test_a_mapping_in_place_of_the_file(write):
    config = load_config("model.pdparams", ("seed=3",), base=load_config(write("a.yaml")).model_dump(mode="json"))
    assert (config.seed, config.input_wh) == (3, (192, 256))
    for damaged in ([], "text", 3):
        assert "model.pdparams" in message("model.pdparams", ("seed=3",), base=damaged)
