"""Sets as files, right unless they are changed, and archives of them."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

Files = dict[str, bytes]


def lines(*prompts: str) -> bytes:
    """A file of prompts."""
    return "".join(f"{json.dumps({'prompt': one})}\n" for one in prompts).encode()


def made(stem: str = "small", /, content: bytes | None = None, **changed: Any) -> Files:
    """The two files of a set; metadata may be changed, and a field given as None is left out."""
    content = lines("a red fox", "an old lighthouse") if content is None else content
    metadata = {
        "name": stem,
        "version": "1.0.0",
        "workflow": "sdxl",
        "type": "random",
        "description": "Small.",
        "license": "CC0-1.0",
        "prompt_count": content.count(b"\n"),
        "sha256": sha256(content).hexdigest(),
        "updated_at": "2026-01-09T13:00:00Z",
        **changed,
    }
    kept = {key: value for key, value in metadata.items() if value is not None}
    return {f"{stem}.json": json.dumps(kept).encode(), f"{stem}.ndjson": content}


def tarred(files: Mapping[str, bytes], *extra: tarfile.TarInfo) -> bytes:
    """A .tar.gz of files, and of members of other kinds."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in extra:
            archive.addfile(member)
    return gzip.compress(packed.getvalue(), mtime=0)


def zipped(files: Mapping[str, bytes] | Sequence[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    """A .zip of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, content)
    return packed.getvalue()
