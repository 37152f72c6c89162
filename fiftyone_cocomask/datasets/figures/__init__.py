"""What the masks and labels of a dataset say: places, classes together, counts, sizes.

Each module makes one figure of samples and the fields that an evaluation has written.
"""
