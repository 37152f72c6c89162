"""A COCO export on disk -> typed records and issues.

msgspec, numpy and Pillow: nothing here knows FiftyOne, and nothing is written.
"""
