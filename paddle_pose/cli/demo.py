"""paddle-pose demo: a page in the browser where a photo goes in and the pose comes out."""

import argparse
import importlib.util
import signal
import sys
import threading

from paddle_pose.cli.options import positive, run_command
from paddle_pose.errors import UserError

INSTALL = (
    "the demo needs Gradio: pip install 'paddle_pose[demo]', in a checkout pip install -e '.[demo]' (docs/demo.md)"
)
MEGA = 10**6


def parser() -> argparse.ArgumentParser:
    """The flags of the command."""
    flags = argparse.ArgumentParser(description="A page in the browser: a photo goes in, the pose comes out.")
    flags.add_argument("--model", metavar="FILE|NAME", help="a model file, or a name of the zoo, to choose from first")
    flags.add_argument("--model_dir", metavar="DIR", help="an exported model to choose from")
    flags.add_argument("--device", default="auto", help="auto, cpu, gpu or gpu:i (default: auto)")
    flags.add_argument("--threads", type=positive, metavar="N", help="of the CPU (default: all cores)")
    flags.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine only)"
    )
    flags.add_argument("--port", type=int, metavar="N", help="default: the first free one from 7860 on")
    flags.add_argument("--share", action="store_true", help="ask gradio.live for a public address of this page")
    flags.add_argument("--upload_megabytes", type=float, default=10, metavar="N", help="largest file (default: 10)")
    flags.add_argument("--megapixels", type=float, default=25, metavar="N", help="largest photo (default: 25)")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_demo, parser().parse_args(argv))


def _demo(arguments: argparse.Namespace) -> int:
    page, launch_arguments = _page(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # ends in order: the folder of uploads is deleted
    try:
        page.launch(
            server_name=arguments.host,
            server_port=arguments.port,
            prevent_thread_lock=True,
            **{**launch_arguments, "share": arguments.share},
        )
    except (OSError, OverflowError, ValueError) as error:  # a port that is taken or none, an address that is not ours
        raise UserError(f"--host {arguments.host} --port {arguments.port}: {error}") from None
    try:
        print(f"=> {page.local_url}", flush=True)
        if arguments.share:
            print(f"=> {page.share_url or 'no public address could be had'}", flush=True)
        threading.Event().wait()
    finally:
        page.close(verbose=False)
    return 0


def _page(arguments: argparse.Namespace):
    """The page and how to launch it; the network that it shows first is opened, so that a wrong one is said here."""
    if importlib.util.find_spec("gradio") is None:
        raise UserError(INSTALL)
    for flag in ("upload_megabytes", "megapixels"):
        if not 0 < getattr(arguments, flag) < 1000:
            raise UserError(f"--{flag} {getattr(arguments, flag):g}: must be above 0 and below 1000")
    from paddle_pose.web.limits import Limits
    from paddle_pose.web.models import Models, choices
    from paddle_pose.web.server import guarded_page

    models = Models(choices(arguments.model, arguments.model_dir, arguments.device, arguments.threads))
    models[models.names[0]]
    limits = Limits(round(arguments.upload_megabytes * MEGA), round(arguments.megapixels * MEGA))
    return guarded_page(models, limits)
