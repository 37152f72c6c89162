"""Polygons and RLE -> masks, areas and overlap, and mask files.

numpy, OpenCV and pycocotools only: nothing here knows FiftyOne.
"""
