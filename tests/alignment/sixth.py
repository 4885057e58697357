"""The example of docs/alignment.md, as it stands there, and ways to get it wrong."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "alignment.md"
RECORDING = Path(__file__).parent / "recording"  # made by the command in the docs, with --source
TORCH, PADDLE = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
PRINTED = re.search(r"```text\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)[1]
WRONG = {  # what -> (text of the right network, what is there instead, rungs that fail)
    "epsilon": ("momentum=0.9", "momentum=0.9, epsilon=1e-3", ["forward", "loss", "backward"]),
    "momentum": ("momentum=0.9", "momentum=0.1", ["training"]),
    "joints": ("[self.to_maps(self.stem(images))]", "[self.to_maps(self.stem(images)).flip(1)]", None),
    "padding": ("padding=1, bias_attr", "padding=1, padding_mode='reflect', bias_attr", None),
    "detached": (
        "self.to_maps(self.stem(images))",
        "self.to_maps(self.stem(images).detach())",
        ["backward", "training"],
    ),
    "frozen statistics": ("momentum=0.9", "momentum=0.9, use_global_stats=True", ["backward", "training"]),
}


def write(folder: Path, right: str = "", wrong: str = "") -> str:
    """Writes both networks into a folder, ours with a change; returns what --network is to be."""
    assert right in PADDLE
    (folder / "sixth_torch.py").write_text(TORCH)
    (folder / "sixth_paddle.py").write_text(PADDLE.replace(right, wrong) if right else PADDLE)
    (folder / "losses.py").write_text(
        "def half(outputs, targets):\n    return 0.5 * sum(((o - t) ** 2).mean() for o, t in zip(outputs, targets))\n"
    )
    return f"{folder / 'sixth_paddle.py'}:Sixth"
