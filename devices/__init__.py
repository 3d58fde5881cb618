"""Crossbars, noise, converters and the chips that are built of them."""

import os

# MKL otherwise sums a product in an order that depends on the number of threads. It reads this at
# its first product, so that it must stand before; measured to cost nothing (docs/devices.md).
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
