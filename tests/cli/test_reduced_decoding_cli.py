"""`reduced_decoding` in training and in scoring: off unless asked for, and said beside the number."""

from cli_cases import SHORT, best_model, eval_values, train, validate, write_config

from paddle_pose.builder import build, build_crop_maker, build_test_crop_maker
from paddle_pose.builder_data import build_dataset
from paddle_pose.config import load_config
from paddle_pose.data.crops import reduced_photo, whole_photo

BOTH = ("train.reduced_decoding=true", "valid.reduced_decoding=true")


def test_who_reads_how(synthetic_mpii, tmp_path):
    for options, wanted in (((), (whole_photo, whole_photo)), (BOTH[:1], (reduced_photo, whole_photo))):
        config = load_config(str(write_config(tmp_path)), options, {"dataset": {"root": str(synthetic_mpii)}})
        parts, dataset = build(config), build_dataset(config, "train")
        makers = build_crop_maker(parts, dataset, training=True), build_test_crop_maker(parts, dataset)
        assert tuple(maker.read for maker in makers) == wanted
    config = load_config(str(write_config(tmp_path)), (BOTH[1], "valid.test_scales=[1, 0.5]"))
    assert build_test_crop_maker(build(config), dataset).read is reduced_photo


def test_training_and_scoring(synthetic_mpii, tmp_path, capsys):
    config = write_config(tmp_path)
    assert train(config, synthetic_mpii, tmp_path / "out", "--opts", *SHORT, *BOTH) == 0
    capsys.readouterr()
    assert validate("--pretrained_model", best_model(tmp_path / "out"), "--dataset_root", synthetic_mpii) == 0
    printed = capsys.readouterr().out
    assert "decoded at reduced size (valid.reduced_decoding)" in printed
    assert eval_values(printed)
    model = best_model(tmp_path / "out"), "--dataset_root", synthetic_mpii
    assert validate("--pretrained_model", *model, "--opts", "valid.reduced_decoding=false") == 0
    assert "decoded at reduced size" not in capsys.readouterr().out
