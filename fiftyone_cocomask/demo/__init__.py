"""The demo: an export drawn by the program, and the whole job run on it."""

from .export import write_demo_export

__all__ = ["write_demo_export"]
