"""Text as PostgreSQL can keep it: it has no NUL, so that NUL and the character after it are written as two. Pure.

The rule keeps the order of texts by code point, which is that of the collation "C".
"""


def escaped(text: str) -> str:
    """The text without NULs."""
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def unescaped(text: str) -> str:
    """The text that `escaped` was given."""
    return text.replace("\1\1", "\0").replace("\1\2", "\1") if "\1" in text else text
