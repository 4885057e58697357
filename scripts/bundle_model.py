"""Makes a bundled model of the zoo from a checkpoint: its weights, and its hash and numbers in index.yaml.

    python scripts/bundle_model.py synthetic_hourglass output/quickstart/96_best_model/model.pdparams

What the checkpoint says of its training, its score and its rules goes along; only the dataset's folder becomes that of
the configuration's file. The entry must be in paddle_pose/zoo/index.yaml already; the weights' format is float32.
"""

import argparse
import math
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from paddle_pose.builder import build, use_weights  # noqa: E402
from paddle_pose.cli.options import run_command  # noqa: E402
from paddle_pose.config import check_config, configs_folder, load_config  # noqa: E402
from paddle_pose.digests import sha256_of  # noqa: E402
from paddle_pose.engine.checkpoint import load_model, save_model  # noqa: E402
from paddle_pose.errors import CheckpointError, UserError  # noqa: E402
from paddle_pose.zoo.index import INDEX, Bundled, find  # noqa: E402


def bundle(arguments: argparse.Namespace) -> int:
    """Writes the weights, then the entry."""
    name, source = arguments.name, Path(arguments.checkpoint)
    entry = find(name)
    if not isinstance(entry, Bundled):
        raise UserError(f"{name}: is not one of the bundled models; choose another NAME")
    weights, facts = load_model(source)
    if not facts.get("values"):
        raise CheckpointError(f"{source}: does not say what it scored; take the best model of a run")
    values = {key: value for key, value in facts["values"].items() if value is not None and math.isfinite(value)}
    facts["values"] = {key: values.get(key) for key in facts["values"]}  # JSON knows no NaN
    facts["config"]["dataset"]["root"] = _written_root(entry)
    parts = build(check_config(facts["config"], str(source)))
    use_weights(parts, weights, facts, source)
    save_model(entry.path, weights, facts)
    INDEX.write_text(updated(INDEX.read_text(encoding="utf-8"), name, sha256_of(entry.path), values), encoding="utf-8")
    print(f"{entry.path}: {entry.path.stat().st_size} bytes, epoch {facts.get('epoch')}, {values}")
    return 0


def updated(text: str, name: str, sha256: str, values: dict[str, float]) -> str:
    """The index with another hash and other numbers of one bundled model; comments and order stay."""
    start = text.index(f"\n  {name}:\n")
    after = re.search(r"\n(  )?\S", text[start + 1 :])
    end = len(text) if after is None else start + 1 + after.start()
    block = text[start:end]
    numbers = ", ".join(f"{key!r}: {value!r}".replace("'", '"') for key, value in values.items())
    block = re.sub(r"(?m)^    sha256: .*$", f"    sha256: {sha256}", block)
    block = re.sub(r"(?m)^    values: .*$", f"    values: {{{numbers}}}", block)
    return text[:start] + block + text[end:]


def _written_root(entry: Bundled) -> str:
    return load_config(str(Path(configs_folder()) / entry.config)).dataset.arguments["root"]


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description="Make a bundled model of the zoo from a checkpoint.")
    flags.add_argument("name", metavar="NAME", help="of a bundled model in paddle_pose/zoo/index.yaml")
    flags.add_argument("checkpoint", metavar="CHECKPOINT", help="model.pdparams of a run")
    sys.exit(run_command(bundle, flags.parse_args()))
