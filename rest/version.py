"""Versions as they are shown."""

import re

# What a node adds to its version: the commit it was built from, and that there were changes.
BUILD = re.compile(r"-[0-9a-f]{7,40}(-dirty)?$")


def release(version: str | None) -> str | None:
    """The release of a version as nodes state it: `0.8.8-3a5678ec-dirty` is 0.8.8."""
    return version and BUILD.sub("", version)
