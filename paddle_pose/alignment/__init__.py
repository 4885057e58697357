"""The ladder of Paddle's reproduction guide: is a network here the PyTorch network that it claims to be?

`recording.py` runs where PyTorch is and imports no Paddle, `climbing.py` runs the same things where Paddle is, and
`rungs.py` compares what both wrote. docs/alignment.md explains the ladder.
"""
