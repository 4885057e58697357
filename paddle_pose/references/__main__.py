"""`python -m paddle_pose.references`: the table of all published rows, as in docs/references.md."""

import argparse
import os
import sys

from paddle_pose.references.table import references_table

argparse.ArgumentParser(
    prog="paddle_pose.references", description="Print the table of docs/references.md."
).parse_args()
try:
    print(references_table(), flush=True)
except BrokenPipeError:  # `head` has had enough
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
