"""Progressive delivery as plain manifests: ``render(package, position) -> package``."""

__version__ = "0.1.0"
