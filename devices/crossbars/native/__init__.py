"""The native crossbar, in plain torch: one file for each piece of physics.

It repeats bitwise under a seed, and runs wherever its tensors are.
"""
