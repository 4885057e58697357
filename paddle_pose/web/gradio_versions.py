"""Where Gradio 4.44 (Python 3.9) and 6 (Python 3.10 and later) differ, as far as this page meets it."""

import inspect
from typing import Any

import gradio as gr

CSS = """
.gradio-container {max-width: 1240px !important; margin: 0 auto !important;}
#introduction h1 {margin-bottom: 0.2em;}
#sent p {font-size: 0.85em; opacity: 0.75;}
#coco .cm-editor, #openpose .cm-editor {max-height: 20em; overflow: auto;}
footer {display: none !important;}
"""
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans CJK SC", "sans-serif"]
CODE_FONTS = ["ui-monospace", "SFMono-Regular", "DejaVu Sans Mono", "monospace"]


def _taken(function, **arguments: Any) -> dict[str, Any]:
    """Those of the arguments that a function of this release knows."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in arguments.items() if name in known}


# The visitor's own fonts: Gradio's default theme asks Google for some, which a machine without internet waits for.
_LOOKS = {
    "css": CSS,
    "theme": gr.themes.Soft(primary_hue="blue", font=FONTS, font_mono=CODE_FONTS),
}
_IN_LAUNCH = "theme" in inspect.signature(gr.Blocks.launch).parameters
LOOKS_OF_BLOCKS = {} if _IN_LAUNCH else _LOOKS
PRIVATE = {"api_visibility": "private"} if _IN_LAUNCH else {"api_name": False}  # of an event: not in the API
FEW_LINES = _taken(gr.Code.__init__, max_lines=14)
NOT_SHARED = _taken(gr.Image.__init__, buttons=["download", "fullscreen"], show_share_button=False)  # of a picture


def launch_arguments(**arguments: Any) -> dict[str, Any]:
    """Arguments of `Blocks.launch`, with the looks, and without doors that later releases have added."""
    more = {"ssr_mode": False, "pwa": False, "mcp_server": False, "enable_monitoring": False, "run_history": False}
    more |= {"show_api": False, "footer_links": []} | (_LOOKS if _IN_LAUNCH else {})
    return _taken(gr.Blocks.launch, **more, **arguments)
