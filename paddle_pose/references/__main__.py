"""`python -m paddle_pose.references`: the table of all published rows, as in docs/references.md."""

from paddle_pose.references.table import references_table

print(references_table())
