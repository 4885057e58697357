"""Speed and memory, each beside what it is compared with; run one by `python -m benchmarks.<name>`."""
