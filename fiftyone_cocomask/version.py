"""The version, for modules that must not import the package as a whole."""

__version__ = "0.1.0"
