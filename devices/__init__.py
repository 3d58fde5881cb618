"""Crossbars, noise, converters and the chips that are built of them."""

import os

# MKL otherwise sums some products in an order that depends on the number of threads. It reads this
# at its first product, so that it must be set before. A product of 1000×1024×1024 takes no longer.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
