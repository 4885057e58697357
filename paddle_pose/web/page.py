"""The page: a photo goes in, the pose, the maps and the JSON come out."""

import functools
import html
import json
import logging
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from paddle_pose.errors import DataError, UserError
from paddle_pose.web.gradio_versions import FEW_LINES, LOOKS_OF_BLOCKS, NOT_SHARED, PRIVATE
from paddle_pose.web.inference import Answer, DrawingOptions, answer
from paddle_pose.web.limits import Limits
from paddle_pose.web.models import Models
from paddle_pose.web.uploads import EVERY_S, KEPT_S, lies_inside

logger = logging.getLogger("paddle_pose.demo")
MOST_WAITING = 16
TITLE = "paddle_pose: human pose in a photo"
INTRODUCTION = """# Human pose in a photo
Five classic networks, reproduced in PaddlePaddle: a photo goes in; the joints of the people in it come out, the maps
that the network drew, and JSON as COCO and OpenPose write it.

**The `synthetic_…` networks that come with the package are a few megabytes and were trained on rendered people only**:
they show how things work; on real photos expect mistakes. A network for one person wants one person, upright, filling
the photo."""
SENT = (
    "Photos of up to {megabytes:g} MB and {megapixels:g} megapixels: JPEG, PNG, WebP, BMP, TIFF. They are computed on "
    "this server, given to nobody, and deleted after {minutes:g} minutes."
)
FAULT = "The server could not compute this; its log says why. Try another photo or network."
COLORS = [("limb by limb", "limb"), ("left and right", "side"), ("person by person", "person")]


def build_page(models: Models, folder: Path, limits: Limits) -> gr.Blocks:
    """The page, not yet served.

    Args:
        models: to choose from.
        folder: of uploads and results, Gradio's GRADIO_TEMP_DIR.
        limits: of photos.
    """
    sent = SENT.format(
        megabytes=limits.upload_bytes / 1e6, megapixels=limits.pixels / 1e6, minutes=(KEPT_S + EVERY_S) // 60
    )
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(EVERY_S, KEPT_S), **LOOKS_OF_BLOCKS) as page:
        gr.Markdown(INTRODUCTION, elem_id="introduction")
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                photo, network, colors, threshold, show_example, run = _inputs(models.names)
                gr.Markdown(sent, elem_id="sent")
            with gr.Column(scale=3, min_width=320):
                outputs = _outputs()
        show_example.click(models.example, network, photo, **PRIVATE, concurrency_id="one")
        # Without `preprocess` Gradio opens nothing: the bytes of an upload are first looked at by `checked_photo`.
        run.click(
            functools.partial(_answered, models, folder, limits),
            [photo, network, colors, threshold],
            outputs,
            preprocess=False,
            **PRIVATE,
            concurrency_id="one",
        )
    return page.queue(default_concurrency_limit=1, max_size=MOST_WAITING, api_open=False)


def _inputs(names: Sequence[str]) -> list:
    photo = gr.Image(
        label="Photo: drop one here",
        type="filepath",
        sources=["upload", "clipboard"],
        height=360,
        elem_id="photo",
        **NOT_SHARED,
    )
    with gr.Row():
        show_example = gr.Button("Take the example", elem_id="example", min_width=100)
        run = gr.Button("Find people", variant="primary", elem_id="run", min_width=100)
    network = gr.Dropdown(list(names), value=names[0], label="Network", elem_id="network")
    colors = gr.Radio(COLORS, value="limb", label="Colours", elem_id="colors")
    threshold = gr.Slider(0, 1, 0.3, step=0.05, label="Draw joints with a score of at least", elem_id="threshold")
    return [photo, network, colors, threshold, show_example, run]


def _outputs() -> list:
    summary = gr.Markdown("The answer comes here.", elem_id="summary")
    with gr.Tabs():
        pictures = [
            _picture("Pose", "People, their joints and limbs", "pose"),
            _picture("Heatmaps", "Bright where the network sees a joint, whichever", "heatmaps"),
            _picture("Affinity fields", "Where it sees limbs, and which way they go (OpenPose only)", "fields"),
        ]
        with gr.Tab("JSON"):
            texts, files = zip(
                _json("COCO: x, y, score of each joint", "Download as a results file of COCO", "coco"),
                _json("OpenPose", "Download as a file of OpenPose", "openpose"),
            )
    return [summary, *pictures, *texts, *files]


def _picture(tab: str, label: str, elem_id: str) -> gr.Image:
    with gr.Tab(tab):
        return gr.Image(label=label, interactive=False, format="png", height=480, elem_id=elem_id, **NOT_SHARED)


def _json(label: str, button: str, elem_id: str) -> tuple[gr.Code, gr.DownloadButton]:
    text = gr.Code(label=label, language="json", interactive=False, elem_id=elem_id, **FEW_LINES)
    return text, gr.DownloadButton(button, size="sm", interactive=False, elem_id=f"{elem_id}_file")


def _answered(models: Models, folder: Path, limits: Limits, *sent: Any) -> list:
    """What the page shows of an upload; gradio.Error, one line without a path, where there is nothing to show."""
    try:
        content, network, options = _asked(folder, limits, *sent)
        return _shown(answer(content, models[network], options, limits), folder)
    except DataError as error:
        raise _said(str(error)) from None
    except Exception as error:
        logger.error("%s", error, exc_info=not isinstance(error, UserError))
        raise _said(FAULT) from None


def _asked(
    folder: Path, limits: Limits, photo: Any, network: Any, colors: Any, threshold: Any
) -> tuple[bytes, str, DrawingOptions]:
    """What a visitor asks for; DataError for what the page cannot have sent."""
    if photo is None:
        raise DataError("there is no photo yet; drop one, or take the example")
    path = photo.get("path") if isinstance(photo, dict) else None
    if not isinstance(path, str) or not lies_inside(path, folder):
        raise DataError("the photo has been deleted in the meantime; send it again")
    if not isinstance(threshold, (int, float)) or colors not in [color for _, color in COLORS]:
        raise DataError("this is no way to draw people; load the page again")
    with open(path, "rb") as file:
        return file.read(limits.upload_bytes + 1), str(network), DrawingOptions(colors, threshold)


def _shown(found: Answer, folder: Path) -> list:
    place = Path(tempfile.mkdtemp(dir=folder))
    files = {"coco_results.json": found.coco, "photo_keypoints.json": found.openpose}
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    downloads = [gr.DownloadButton(value=str(place / name), interactive=True) for name in files]
    texts = [_indented(text) for text in files.values()]
    return [found.summary, found.pose, found.heatmaps, found.fields, *texts, *downloads]


def _indented(text: str) -> str:
    """JSON for reading: x, y and score of a joint on a line."""
    return re.sub(r"\[(\s+)([-\d.,eE+\s]+)\]", _in_triples, json.dumps(json.loads(text), indent=2))


def _in_triples(numbers: re.Match) -> str:
    values = numbers.group(2).replace(",", " ").split()
    rows = [", ".join(values[at : at + 3]) for at in range(0, len(values), 3)]
    return (
        f"[{', '.join(rows)}]" if len(rows) == 1 else "[" + ",".join(f"{numbers.group(1)}{row}" for row in rows) + "]"
    )


def _said(line: str) -> gr.Error:
    """What a visitor sees of an error: one line, taken as text, not as HTML."""
    error = gr.Error(html.escape(" ".join(line.split()), quote=False))
    error.print_exception = False  # Gradio 5 and 6 would log it as a fault of the program
    return error
