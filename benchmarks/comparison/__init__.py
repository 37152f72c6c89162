"""This plugin beside other ways from a COCO export to masks.

python -m benchmarks.comparison [--images 1000] [--runs 3]

What is lost and which pixels come out is looked at on small exports, each with one
thing that real exports have; time and memory on a large one. Each tool runs in a
process of its own, in the way that its documentation gives. Tools that are not
installed are left out; ``pip install --group comparison`` installs them.
"""
