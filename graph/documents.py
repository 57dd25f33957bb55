"""Documents by their ids: those that clients have shown once, or those that the operator trusts and no others."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from graph.operation import Operation
from metrics.errors import BadRequest, Forbidden, PersistedQueryNotFound

# What shown documents may take together, in characters, each with what it takes to be remembered at all.
KEPT_CHARACTERS = 8 * 1024 * 1024
OVERHEAD = 512


class Documents(Protocol):
    """How the text of an operation's document is found."""

    def text(self, operation: Operation) -> str:
        """The document's text. Raises PersistedQueryNotFound for an id that stands for none, or a BadRequest."""
        ...

    def shown(self, operation: Operation) -> None:
        """The operation's document was executed: it may be kept."""
        ...


class Shown:
    """Automatic persisted queries: a client names a document by its SHA-256, and shows it where that is not known.

    Only what has that hash and could be executed is kept, and what was not used for longest is forgotten: nobody can
    put a text under another one's hash, or fill the memory.
    """

    def __init__(self, characters: int = KEPT_CHARACTERS) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._left = characters

    def __len__(self) -> int:
        return len(self._texts)

    def text(self, operation: Operation) -> str:
        """The text that was sent, or the one shown before."""
        id = operation.document_id
        if operation.query is not None:
            if id is not None and hash_of(operation.query) != id:
                raise BadRequest("the hash is not the SHA-256 of `query`.", "extensions.persistedQuery.sha256Hash")
            return operation.query
        found = self._texts.get(id or "")
        if found is None:
            raise PersistedQueryNotFound
        self._texts.move_to_end(id or "")
        return found

    def shown(self, operation: Operation) -> None:
        """Keep what was sent with its hash."""
        id, query = operation.document_id, operation.query
        if id is None or query is None or id in self._texts:
            return
        self._texts[id] = query
        self._left -= len(query) + OVERHEAD
        while self._left < 0:
            _, forgotten = self._texts.popitem(last=False)
            self._left += len(forgotten) + OVERHEAD


class Trusted:
    """Trusted documents: only those that the operator lists are executed, named by their ids."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, operation: Operation) -> str:
        """The trusted text of the operation's id."""
        if operation.document_id is None:
            raise Forbidden(
                "only trusted documents are executed here: send the `documentId` of one instead of a `query`."
            )
        found = self._texts.get(operation.document_id)
        if found is None:
            raise PersistedQueryNotFound
        if operation.query is not None and operation.query != found:
            raise Forbidden("`query` is not the trusted document of this id: send the id alone.")
        return found

    def shown(self, operation: Operation) -> None:
        """Nothing: what is trusted is not for clients to say."""

    @classmethod
    def load(cls, path: Path) -> "Trusted":
        """The documents at a path: a manifest (.json) or a document (.graphql, .gql), or a directory of such.

        A manifest is an object of ids and texts, as relay-compiler and graphql-codegen write it, or Apollo's. The id of
        a document is the SHA-256 of its file. Raises BadRequest for a path that lists none.
        """
        try:
            files = sorted(path.iterdir()) if path.is_dir() else [path]
            texts = {id: text for file in files for id, text in _listed(file)}
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(path, f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
        if not texts:
            raise _wrong(path, "lists no document")
        return cls(texts)


def hash_of(text: str) -> str:
    """The SHA-256 that stands for a document, in hexadecimal digits."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _listed(file: Path) -> Iterator[tuple[str, str]]:
    if file.suffix in (".graphql", ".gql"):
        # The bytes as they are: a client hashes those.
        text = file.read_bytes().decode()
        yield hash_of(text), text
    elif file.suffix == ".json":
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise _wrong(file, f"is not JSON: {error}") from None
        yield from _of_manifest(file, found)


def _of_manifest(file: Path, found: Any) -> Iterator[tuple[str, str]]:
    if isinstance(found, dict) and found.get("format") == "apollo-persisted-query-manifest":
        listed = found.get("operations")
        operations = listed if isinstance(listed, list) else [None]
        pairs = [(one.get("id"), one.get("body")) if isinstance(one, dict) else (None, None) for one in operations]
    else:
        pairs = [*found.items()] if isinstance(found, dict) else [(None, None)]
    for id, text in pairs:
        if not isinstance(id, str) or not isinstance(text, str):
            raise _wrong(file, "must be an object of ids and texts of documents, or Apollo's manifest")
        yield id.removeprefix("sha256:"), text


def _wrong(path: Path, what: str) -> BadRequest:
    return BadRequest(f"NAAP_TRUSTED_DOCUMENTS: {path} {what}.", "NAAP_TRUSTED_DOCUMENTS")
