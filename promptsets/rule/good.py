"""Good prompts: what a guide to a model would recommend. A case is a form; forms differ in style and length."""

from collections.abc import Callable, Mapping

from promptsets.rule import words
from promptsets.rule.chance import Chance

Form = Callable[[Chance], str]


def short(chance: Chance) -> str:
    """A subject and a style."""
    return f"{_subject(chance)}, {chance.one(words.STYLES)}"


def tags(chance: Chance) -> str:
    """Words between commas, the most important first."""
    kinds = (words.PLACES, words.LIGHTS, words.STYLES, words.PALETTES, words.MOODS, words.LENSES, words.DETAILS)
    chosen = [chance.one(kind) for kind in chance.some(kinds, chance.between(3, 6))]
    return ", ".join([_subject(chance), *chosen])


def weighted(chance: Chance) -> str:
    """Tags, some of them with a weight between well-formed parentheses."""
    weight = f"{1 + chance.between(1, 5) / 10:.1f}"
    return (
        f"{_subject(chance)} {chance.one(words.PLACES)}, ({chance.one(words.STYLES)}:{weight}), "
        f"{chance.one(words.LIGHTS)}, ({chance.one(words.DETAILS)}:0.{chance.between(6, 9)})"
    )


def sentence(chance: Chance) -> str:
    """One sentence."""
    return _capital(f"{_scene(chance)}, {chance.one(words.LIGHTS)}, {chance.one(words.STYLES)}.")


def style_first(chance: Chance) -> str:
    """The style, then what is in it."""
    return _capital(f"{chance.one(words.STYLES)} of {_scene(chance)}, {chance.one(words.PALETTES)}")


def photograph(chance: Chance) -> str:
    """As a photographer would say it."""
    parts = [chance.one(words.LENSES), chance.one(words.LIGHTS), *chance.some(words.DETAILS, chance.between(1, 2))]
    return f"photograph of {_scene(chance)}, {', '.join(parts)}"


def paragraph(chance: Chance) -> str:
    """Several sentences that describe everything."""
    first, second = chance.some(words.DETAILS, 2)
    texts = [
        f"{_scene(chance)}, {chance.one(words.LIGHTS)}.",
        f"the mood is {chance.one(words.MOODS)}, with {chance.one(words.PALETTES)} throughout.",
        f"rendered as {chance.one(words.STYLES)}, with {first} and {second}.",
        f"in the distance there is {chance.one(words.THINGS)}.",
        f"camera: {chance.one(words.LENSES)}.",
    ]
    return " ".join(map(_capital, texts[: chance.between(3, 5)]))


def restyle(chance: Chance) -> str:
    """What is said over a live picture: how all of it shall look."""
    return _capital(
        f"transform the whole scene: {chance.one(words.STYLES)}, {chance.one(words.PALETTES)}, "
        f"{chance.one(words.MOODS)}, {chance.one(words.DETAILS)}"
    )


def portrait_short(chance: Chance) -> str:
    """A role and a style."""
    return f"portrait as {chance.one(words.ROLES)}, {chance.one(words.STYLES)}"


def portrait_tags(chance: Chance) -> str:
    """Words between commas about a person."""
    kinds = (words.COSTUMES, words.POSES, words.LIGHTS, words.PALETTES, words.MOODS, words.DETAILS)
    chosen = [chance.one(kind) for kind in chance.some(kinds, chance.between(2, 5))]
    return ", ".join([f"portrait of {chance.one(words.ROLES)}", *chosen, chance.one(words.STYLES)])


def portrait_sentence(chance: Chance) -> str:
    """One sentence about the person in the picture."""
    return (
        f"The person as {chance.one(words.ROLES)} {chance.one(words.COSTUMES)}, {chance.one(words.POSES)}, "
        f"{chance.one(words.LIGHTS)}, {chance.one(words.STYLES)}, {chance.one(words.LIKENESS)}."
    )


def portrait_photograph(chance: Chance) -> str:
    """A studio portrait."""
    return (
        f"studio portrait of {chance.one(words.ROLES)} {chance.one(words.COSTUMES)}, {chance.one(words.LENSES)}, "
        f"{chance.one(words.LIGHTS)}, {chance.one(words.LIKENESS)}"
    )


def portrait_paragraph(chance: Chance) -> str:
    """Several sentences about a person."""
    texts = [
        f"show the person as {chance.one(words.ROLES)}, {chance.one(words.COSTUMES)}, {chance.one(words.POSES)}.",
        f"{chance.one(words.LIKENESS)}; the mood is {chance.one(words.MOODS)}.",
        f"style: {chance.one(words.STYLES)} in {chance.one(words.PALETTES)}, with {chance.one(words.DETAILS)}.",
        f"the background is {chance.one(words.THINGS)} in {chance.one(words.LIGHTS)}.",
    ]
    return " ".join(map(_capital, texts[: chance.between(3, 4)]))


# A model of the first generation reads tags, its successor sentences, and one that keeps a face is asked about persons.
FORMS: Mapping[str, Mapping[Form, int]] = {
    "streamdiffusion": {short: 3, tags: 8, weighted: 5, style_first: 3, photograph: 3, restyle: 3},
    "streamdiffusion-sdxl": {short: 2, tags: 3, sentence: 6, style_first: 4, photograph: 4, paragraph: 5, restyle: 4},
    "streamdiffusion-sdxl-faceid": {
        portrait_short: 3, portrait_tags: 6, portrait_sentence: 6, portrait_photograph: 4, portrait_paragraph: 4,
        restyle: 2,
    },
}  # fmt: skip


def make(workflow: str, chance: Chance) -> tuple[str, str]:
    """The case and the text of one good prompt."""
    form = chance.weighted(FORMS[workflow])
    return form.__name__.replace("_", "-"), form(chance)


def _subject(chance: Chance) -> str:
    return chance.one(words.BEINGS if chance.happens(0.5) else words.THINGS)


def _scene(chance: Chance) -> str:
    """A subject somewhere, doing something where it can."""
    if chance.happens(0.6):
        return f"{chance.one(words.BEINGS)} {chance.one(words.DOINGS)} {chance.one(words.PLACES)}"
    return f"{chance.one(words.THINGS)} {chance.one(words.PLACES)}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
