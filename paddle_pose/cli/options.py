"""Flags that commands share, and how a command ends. Imports nothing heavy: `--help` must be quick."""

import argparse
import errno
import os
import sys
from typing import Callable, Optional

from paddle_pose.errors import ConfigError, UserError

EXIT_USER_ERROR, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 2, 130, 141
OF_A_PATH = (
    *(errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
    *(errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS),
)
DEFAULT_CONFIG = "hourglass/hourglass52_mpii_256x256.yaml"


def common_parser(description: str) -> argparse.ArgumentParser:
    """A parser with the flags of every command."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", help="YAML file; default: Hourglass-52 on MPII")
    parser.add_argument("--image_size", type=int, metavar="N", help="square input of N x N pixels, e.g. 256 or 384")
    parser.add_argument("--dataset_root", metavar="DIR", help="folder of the dataset; overrides dataset.root")
    parser.add_argument("--device", default="auto", help="auto, cpu, gpu or gpu:i (default: auto)")
    parser.add_argument("--batch_size", type=int, metavar="N", help="per process; overrides the configuration")
    parser.add_argument("--num_workers", type=int, metavar="N", help="loader threads; overrides train.workers")
    parser.add_argument(
        "--opts",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="any setting, e.g. optimizer.lr=5e-4 train.epochs=10",
    )
    return parser


def positive(text: str) -> int:
    """The type of a flag that takes a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def share(text: str) -> float:
    """The type of a flag that takes a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def run_command(main: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Runs a command; wrong input becomes one line on stderr and exit code 2, Ctrl-C exit code 130.

    A flag `pretrained_model` that names a model of the zoo becomes the path of its file first.
    """
    try:
        if getattr(arguments, "pretrained_model", None):
            from paddle_pose import zoo  # takes a fifth of a second

            arguments.pretrained_model = zoo.named_model(arguments.pretrained_model)
        return main(arguments)
    except UserError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return EXIT_USER_ERROR
    except BrokenPipeError:  # whoever read the output, `head` for instance, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        print(f"error: {_said(error, arguments)}", file=sys.stderr)
        return EXIT_USER_ERROR
    except MemoryError as error:
        reason = " ".join(str(error).split()) or "none is left"
        print(f"error: not enough memory: {reason}; a smaller batch or input needs less", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _said(error: OSError, arguments: argparse.Namespace) -> str:
    """What to say of a full disk, or of a path that cannot be used; any other error is raised again."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        again = "go on with --resume" if hasattr(arguments, "resume") else "run the command again"
        return f"no space is left on the disk; free some, then {again}"
    if error.errno not in OF_A_PATH or error.filename is None:
        raise error
    return f"{' '.join(str(error.filename).split())}: {error.strerror}; check the path"


def size_override(image_size: Optional[int]) -> dict:
    """What --image_size changes in a configuration: nothing where it was not given."""
    if image_size is None:
        return {}
    if image_size < 1:
        raise ConfigError(f"--image_size {image_size}: must be 1 or more pixels")
    return {"input_wh": [image_size] * 2}


def read_config(arguments: argparse.Namespace, section_of_batch: str, base: Optional[dict] = None):
    """The configuration that the flags describe.

    Args:
        arguments: parsed flags.
        section_of_batch: what --batch_size sets.
        base: a mapping to start from instead of a file: that of --pretrained_model.
    """
    from paddle_pose.config import load_config

    overrides = size_override(arguments.image_size)
    if arguments.dataset_root is not None:
        overrides["dataset"] = {"root": arguments.dataset_root}
    if getattr(arguments, "boxes", None) is not None:  # a flag of val.py
        overrides.setdefault("dataset", {})["boxes"] = arguments.boxes
    if getattr(arguments, "reference", None) is not None:  # a flag of val.py
        overrides["reference"] = arguments.reference
    if arguments.batch_size is not None:
        overrides[section_of_batch] = {"batch_size": arguments.batch_size}
    if arguments.num_workers is not None:
        overrides.setdefault("train", {})["workers"] = arguments.num_workers
    from_file = arguments.config or default_config(arguments.image_size)
    path = from_file if base is None else arguments.pretrained_model
    config = load_config(path, tuple(arguments.opts), overrides, base)
    if min(config.input_wh) <= 0:
        raise ConfigError(f"input size {list(config.input_wh)} must be positive; check input_wh")
    config = _with_known_row(config, "--reference" if "reference" in overrides else f"{path}: reference", base)
    if "skeleton" not in config.dataset.arguments:
        return config
    from paddle_pose.builder_data import resolve_skeleton

    return resolve_skeleton(config)


def _with_known_row(config, where: str, base: Optional[dict]):
    """ConfigError if the published row that is named does not exist; one that a checkpoint names is then left out."""
    if not isinstance(config.reference, str):
        return config
    from paddle_pose.references import find

    try:
        find(config.reference, where)
    except ConfigError as error:
        if base is None or where == "--reference":
            raise
        print(f"{error}; the checkpoint's row is left out", file=sys.stderr)
        return config.model_copy(update={"reference": None})
    return config


def default_config(image_size: Optional[int]) -> str:
    """Hourglass-52 on MPII; the file for this size where there is one."""
    from paddle_pose.config import configs_folder

    own = f"hourglass/hourglass52_mpii_{image_size}x{image_size}.yaml"
    folder = configs_folder()
    return os.path.join(folder, own if os.path.isfile(os.path.join(folder, own)) else DEFAULT_CONFIG)
