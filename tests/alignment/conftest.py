import numpy.random  # noqa: F401  before paddle: Paddle 2.6.2 crashes where numpy 2.4 loads it later
