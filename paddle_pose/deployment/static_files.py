"""The files of a static model, found and read through before Paddle loads them: Paddle dies of some that are damaged.

A program is `NAME.json` (Paddle 3.x) or `NAME.pdmodel` (2.6, and 3.x on request); its weights are `NAME.pdiparams`.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Union

from paddle_pose.deployment.protobuf import Value, gather, signed
from paddle_pose.deployment.static_weights import Shape, check_weights
from paddle_pose.errors import CheckpointError

USUAL_NAMES = ("model", "inference", "__model__")
_BLOCK_OPS, _BLOCK_VARIABLES = 4, 3
_DTYPES = {0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32", 6: "float64", 20: "uint8"}
_JSON_DTYPES = {"t_bool": "bool", "t_ui8": "uint8", "t_i32": "int32", "t_i64": "int64", "t_f32": "float32"}
_JSON_DTYPES.update({"t_i16": "int16", "t_i8": "int8", "t_f16": "float16", "t_f64": "float64"})


@dataclass(frozen=True)
class StaticInput:
    """What one input takes: numpy's name of its type (None: one that numpy does not have), its shape, -1 is any."""

    name: str
    dtype: Optional[str]
    shape: Shape


@dataclass(frozen=True)
class StaticFiles:
    """A static model on disk, whole."""

    program: Path
    weights: Path
    inputs: tuple[StaticInput, ...]

    @property
    def is_json(self) -> bool:
        """Whether it is in the format of Paddle 3."""
        return self.program.suffix == ".json"


def find_static_files(path: Union[str, Path], reads_json: bool = True) -> StaticFiles:
    """The model that a folder, a prefix (`folder/model`) or a program file names; `.json` before `.pdmodel`.

    Args:
        path: of a folder with one model in it, or with one that has a usual name.
        reads_json: whether the Paddle that is here can; 2.6 dies of one.

    Raises:
        CheckpointError: there is no model, it is damaged, or this Paddle cannot read it.
    """
    program = _program(Path(path), reads_json)
    weights = program.with_suffix(".pdiparams")
    try:
        data = program.read_bytes()
        inputs, shapes = _read_json(data) if program.suffix == ".json" else _read_protobuf(data)
    except OSError as error:
        raise CheckpointError(f"{program}: cannot be read ({error.strerror}); check the folder of the model") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "an unknown layout"
        raise CheckpointError(f"{program}: damaged or not a program of Paddle ({reason:.80}); export again") from None
    check_weights(weights, shapes)
    return StaticFiles(program, weights, inputs)


@contextmanager
def cut_to_output(files: StaticFiles, output: int) -> Iterator[StaticFiles]:
    """For a while, the same with this output alone: it alone is fetched, and Paddle drops what does not lead to it.

    Raises:
        CheckpointError: the program is of another format, or has no such output.
    """
    if not files.is_json:
        raise CheckpointError(f"{files.program}: one output alone comes of a .json only; export again with Paddle 3")
    document = json.loads(files.program.read_bytes())
    block = document["program"]["regions"][0]["blocks"][0]
    fetched = [operation for operation in block["ops"] if operation["#"].split(".")[-1] == "fetch"]
    others = [operation for operation in fetched if _attribute(operation, "col") != output]
    if len(others) == len(fetched):
        raise CheckpointError(f"{files.program}: has {len(fetched)} outputs, not {output + 1}; export again")
    block["ops"] = [operation for operation in block["ops"] if operation not in others]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / files.program.name
        program.write_text(json.dumps(document))
        yield replace(files, program=program)


def _program(path: Path, reads_json: bool) -> Path:
    """The program file."""
    candidates = _candidates(path)
    readable = [file for file in candidates if reads_json or file.suffix != ".json"]
    if readable:
        return readable[0]
    if candidates:
        raise CheckpointError(
            f"{candidates[0]}: in the format of Paddle 3, which the Paddle 2.6 here cannot read; export with this "
            "Paddle (it writes .pdmodel), or install paddlepaddle 3"
        )
    raise CheckpointError(f"{path}: no model of Paddle there (.json or .pdmodel, and .pdiparams); name its folder")


def _candidates(path: Path) -> list[Path]:
    """Program files that `path` can mean, best first."""
    if path.suffix in (".json", ".pdmodel") and path.is_file():
        return [path]
    if not path.is_dir():
        named = [path.with_name(path.name + suffix) for suffix in (".json", ".pdmodel")]
        return [file for file in named if file.is_file()]
    weights = sorted(path.glob("*.pdiparams"))
    stems = [file.stem for file in weights]
    usual = [name for name in USUAL_NAMES if name in stems]
    if len(stems) > 1 and not usual:
        raise CheckpointError(f"{path}: several models ({', '.join(stems)}); name one, as in {path / stems[0]}")
    # Without any weights the program alone is found, so that the message says which file is missing.
    stem = (usual or stems or list(USUAL_NAMES))[0]
    return _candidates(path / stem)


def _read_json(data: bytes) -> tuple[tuple[StaticInput, ...], list[Shape]]:
    """Inputs and the shapes of the weights of a program of Paddle 3 (PIR)."""
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("base_code", {}).get("magic") != "pir":
        raise ValueError("it does not say that it is one")
    operations = document["program"]["regions"][0]["blocks"][0]["ops"]
    inputs, shapes = [], []
    for operation in operations:
        if operation["#"] == "p":
            shapes.append(tuple(operation["O"]["TT"]["D"][1]))
        elif operation["#"].split(".")[-1] in ("data", "feed"):
            kind, shape = operation["O"][0]["TT"]["D"][:2]
            name = _attribute(operation, "name")
            inputs.append(StaticInput(name, _JSON_DTYPES.get(kind["#"].split(".")[-1]), tuple(shape)))
    return tuple(inputs), shapes


def _attribute(operation: dict[str, Any], name: str) -> Any:
    return next(attribute["AT"]["D"] for attribute in operation["A"] if attribute["N"] == name)


def _read_protobuf(data: bytes) -> tuple[tuple[StaticInput, ...], list[Shape]]:
    """The same of a ProgramDesc (`paddle/fluid/framework/framework.proto`, whose field numbers these are)."""
    block = gather(gather(data)[1][0])
    variables = dict(_variable(one) for one in block[_BLOCK_VARIABLES])
    fed = [_fed(gather(one)) for one in block[_BLOCK_OPS]]
    inputs = [StaticInput(name, *variables[name][1:]) for name in fed if name is not None]
    return tuple(inputs), [shape for kept, dtype, shape in variables.values() if kept and shape is not None]


def _variable(message: Value) -> tuple[str, tuple[bool, Optional[str], Optional[Shape]]]:
    """Name -> whether it is kept between runs, type, shape; no shape of what is not a tensor."""
    fields = gather(message)
    name, persistable = bytes(fields[1][0]).decode(), bool(fields.get(3, [0])[0])
    tensors = gather(fields[2][0]).get(3)
    if not tensors:
        return name, (persistable, None, None)
    tensor = gather(gather(tensors[0])[1][0])
    return name, (persistable, _DTYPES.get(tensor[1][0]), tuple(signed(n) for n in tensor.get(2, [])))


def _fed(operation: dict[int, list[Value]]) -> Optional[str]:
    """The variable that a feed operation fills; None of others."""
    if bytes(operation[3][0]) != b"feed":
        return None
    return bytes(gather(operation[2][0])[2][0]).decode()
