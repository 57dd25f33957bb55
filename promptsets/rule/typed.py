"""Random prompts: what people really type, in a hurry, on a phone, in their own language, copied from elsewhere."""

from collections.abc import Callable, Mapping

from promptsets.rule import good, words
from promptsets.rule.chance import Chance
from promptsets.rule.languages import LANGUAGES

Form = Callable[[str, Chance], str]

NEIGHBOURS = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o", "k": "l", "l": "k",
    "m": "n", "n": "m", "o": "p", "p": "o", "r": "t", "s": "a", "t": "y", "u": "i", "v": "b", "w": "e", "y": "u",
}  # fmt: skip


def bare(workflow: str, chance: Chance) -> str:
    """One to three words."""
    thing = _noun(workflow, chance)
    return chance.one((thing, f"{thing} {chance.one(words.MOODS)}", chance.one(words.STYLES).lower(), f"{thing} pls"))


def chatty(workflow: str, chance: Chance) -> str:
    """Said as to a friend."""
    begin = chance.one(("make me look like", "i want", "can you do", "pls show", "give me", "what would it be like as"))
    end = chance.one(("", " pls", " thanks", " or something", " idk", " haha", "?", " but cooler", "..."))
    return f"{begin} {_noun(workflow, chance)} {chance.one(words.PLACES)}{end}"


def change(workflow: str, chance: Chance) -> str:
    """A wish about the picture that is running."""
    style, detail = chance.one(words.STYLES).lower(), chance.one(words.DETAILS)
    return chance.one(
        (
            f"more {detail}",
            f"less {detail} more {chance.one(words.MOODS)}",
            f"same but {style}",
            f"background {chance.one(words.PLACES)}",
            f"no {style}, back to {chance.one(words.STYLES).lower()}",
            f"now turn into {_noun(workflow, chance)}",
            f"remove the {_noun(workflow, chance)}",
            f"{chance.one(words.LIGHTS)} instead",
        )
    )


def typos(workflow: str, chance: Chance) -> str:
    """A plain prompt with slips of the finger."""
    text = f"{_noun(workflow, chance)} {chance.one(words.PLACES)} {chance.one(words.STYLES)}".lower()
    for _ in range(chance.between(1, 3)):
        text = _slip(text, chance)
    return text


def other_language(_: str, chance: Chance) -> str:
    """Not English."""
    subjects, places, styles, comma = LANGUAGES[chance.one(list(LANGUAGES))]
    parts = [chance.one(subjects), chance.one(places), *chance.some(styles, chance.between(0, 2))]
    return comma.join(parts)


def mixed_languages(workflow: str, chance: Chance) -> str:
    """English with words of another language in it."""
    subjects, places, _, comma = LANGUAGES[chance.one(list(LANGUAGES))]
    other = chance.one((chance.one(subjects), chance.one(places)))
    return f"{_noun(workflow, chance)}{comma}{other}{comma}{chance.one(words.STYLES)}"


def emoji(workflow: str, chance: Chance) -> str:
    """Pictures among words, or nothing else."""
    signs = "".join(chance.some(words.EMOJI, chance.between(1, 5)))
    return chance.one((signs, f"{_noun(workflow, chance)} {signs}", f"{signs} {chance.one(words.STYLES)} {signs[0]}"))


def weights(workflow: str, chance: Chance) -> str:
    """Parentheses as the user believes that they work."""
    first, second = chance.some(words.DETAILS, 2)
    thing, style = _noun(workflow, chance), chance.one(words.STYLES)
    return chance.one(
        (
            f"((({thing}))), {style}, (({first}))",
            f"({thing}:1.{chance.between(1, 9)}), ({first}:0.{chance.between(1, 9)}), [{second}]",
            f"masterpiece, best quality, ({style}:1.4), {thing}, {first}",
            f"{thing} AND {style} AND {first}",
            f"[{thing}:{chance.one(words.THINGS)}:0.{chance.between(2, 8)}], {style}",
            f"{{{thing}}}, {{{{{style}}}}}, {second}",
        )
    )


def parameters(workflow: str, chance: Chance) -> str:
    """Settings of other tools, written into the prompt."""
    said = chance.one(
        (
            f"--ar {chance.one(('16:9', '1:1', '9:16'))} --seed {chance.between(1, 99_999)}",
            f"steps: {chance.between(4, 50)}, cfg: {chance.between(1, 12)}.5, seed: -1",
            f"negative prompt: blurry, text, {chance.one(words.STYLES).lower()}",
            f"{chance.one((512, 768, 1024))}x{chance.one((512, 768))} 4k 8k hd",
            f"--no {chance.one(words.DETAILS)} --v {chance.between(2, 6)}",
            f"strength={chance.between(1, 9) / 10} guidance={chance.between(10, 75) / 10}",
        )
    )
    return f"{_noun(workflow, chance)}, {chance.one(words.STYLES)} {said}"


def shouting(workflow: str, chance: Chance) -> str:
    """All capitals."""
    return f"{_noun(workflow, chance)} {chance.one(words.PLACES)}".upper() + "!" * chance.between(0, 4)


def pasted(workflow: str, chance: Chance) -> str:
    """Copied from somewhere, with what hung on to it."""
    text = good.make(workflow, chance)[1]
    first, second = chance.some(words.DETAILS, 2)
    return chance.one(
        (
            f"“{text}”",
            f"  {text}  ",
            f"Prompt: {text}",
            f"1. {text}\n2. {first}\n3. {second}",
            f"{text},, {first},,, {second},",
            f"{text}\n\n{chance.one(words.STYLES)}",
            f"> {text}",
            f"{text[: len(text) * 2 // 3]}",
        )
    )


def rambling(workflow: str, chance: Chance) -> str:
    """A thought without an end."""
    links = (" and then ", " and also ", " but with ", " like ", " and maybe ", " kind of ", " or no wait ")
    parts = [_noun(workflow, chance), chance.one(words.PLACES)]
    for _ in range(chance.between(3, 9)):
        kind = chance.one((words.DETAILS, words.MOODS, words.LIGHTS, words.PALETTES, words.THINGS, words.DOINGS))
        parts += [chance.one(links).strip(), chance.one(kind)]
    return " ".join(parts)


def copied_good(workflow: str, chance: Chance) -> str:
    """Some people do write good prompts."""
    return good.make(workflow, chance)[1]


FORMS: Mapping[Form, int] = {
    bare: 6, chatty: 6, change: 6, typos: 6, other_language: 7, mixed_languages: 2, emoji: 4, weights: 5, parameters: 4,
    shouting: 2, pasted: 4, rambling: 4, copied_good: 4,
}  # fmt: skip


def make(workflow: str, chance: Chance) -> tuple[str, str]:
    """The case and the text of one prompt as people type them."""
    form = chance.weighted(FORMS)
    return form.__name__.replace("_", "-"), form(workflow, chance)


def _noun(workflow: str, chance: Chance) -> str:
    """A thing without its article: few people type one."""
    kinds = (words.ROLES,) if workflow.endswith("faceid") and chance.happens(0.7) else (words.BEINGS, words.THINGS)
    return chance.one(chance.one(kinds)).partition(" ")[2]


def _slip(text: str, chance: Chance) -> str:
    """The text with one letter swapped, left out, doubled or missed."""
    at = chance.between(1, len(text) - 2)
    here, after = text[at], text[at + 1]
    changed = chance.one((after + here, after, here + here + after, NEIGHBOURS.get(here, here) + after))
    return text[:at] + changed + text[at + 2 :]
