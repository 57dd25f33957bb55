"""The words that prompts are made of. Nobody's name, nobody's brand, nothing that hurts."""

BEINGS = (
    "a red fox", "a lighthouse keeper", "a tin robot", "an old fisherman", "a paper crane", "a snow leopard",
    "a street violinist", "a deep-sea diver", "a barn owl", "a ballet dancer", "a beekeeper", "a clay golem",
    "a sea turtle", "a night-shift baker", "a grey heron", "a glass-blower", "a sleepy bear", "a kite maker",
    "an astronaut", "a marching brass band", "a border collie", "a jellyfish", "a mountain goat", "a clockwork beetle",
    "a tailor", "a humpback whale", "a skateboarder", "a koi carp", "a puppet king", "a moss-covered giant",
)  # fmt: skip
DOINGS = (
    "crossing a bridge", "waiting for the last train", "dancing slowly", "looking up at the sky", "asleep on a bench",
    "carrying a lantern", "reading a map", "mid-leap", "turning to the camera", "emerging from fog", "drifting past",
    "playing cards", "sheltering from rain", "chasing falling leaves", "balancing on a wire", "writing a letter",
)  # fmt: skip
THINGS = (
    "a lighthouse", "a tea house", "an abandoned greenhouse", "a floating market", "a steam locomotive", "a paper boat",
    "a desert observatory", "a stack of books", "a bowl of lemons", "a neon diner", "a cathedral of ice",
    "a rusted bicycle", "a terraced rice field", "a harbour crane", "a hot-air balloon", "a bonsai tree",
    "a typewriter", "a stone bridge", "a coral reef", "a wind farm", "a vinyl record shop", "a glass chess set",
    "a volcano", "a canal boat", "a wooden clock", "a rope bridge", "a subway station", "a sunflower field",
)  # fmt: skip
PLACES = (
    "on a frozen lake", "in a flooded library", "above the clouds", "in a night market", "on a cliff by the sea",
    "in a birch forest", "at the edge of a desert", "in a quiet kitchen", "under a motorway bridge", "on the moon",
    "in a narrow alley", "in a botanical garden", "on a rooftop", "in an empty theatre", "beside a mountain lake",
    "in a field of wheat", "inside a snow globe", "at a petrol station", "in a tidal pool", "on a tram",
    "in a walled garden", "in an old observatory", "on a salt flat", "in a bamboo grove",
)  # fmt: skip
LIGHTS = (
    "golden hour", "soft window light", "neon reflections", "overcast light", "candlelight", "hard noon sun",
    "moonlight", "rim light", "studio softbox", "volumetric fog", "first light of dawn", "backlit", "firelight",
    "northern lights", "street lamps in rain", "low winter sun",
)  # fmt: skip
STYLES = (
    "watercolour", "linocut", "oil painting", "charcoal sketch", "paper cut-out", "stained glass", "pixel art",
    "low-poly render", "claymation", "ink wash", "Art Nouveau poster", "ukiyo-e print", "risograph", "isometric render",
    "mosaic", "children's book illustration", "blueprint drawing", "cross-stitch", "gouache", "film photograph",
    "pencil drawing", "fresco", "cyanotype", "comic book panel", "Bauhaus poster", "woodblock print", "pastel drawing",
    "papier-mâché model", "anime background", "embroidered tapestry",
)  # fmt: skip
PALETTES = (
    "muted earth tones", "teal and orange", "black and white", "pastel pink and mint", "deep indigo and gold", "sepia",
    "primary colours", "forest greens", "rust and bone", "monochrome blue", "warm greys", "candy colours",
    "copper and verdigris", "lavender and cream",
)  # fmt: skip
MOODS = (
    "calm", "playful", "melancholy", "mysterious", "festive", "lonely", "triumphant", "dreamlike", "cosy", "tense",
    "nostalgic", "solemn",
)  # fmt: skip
LENSES = (
    "35mm lens", "85mm portrait lens", "macro", "wide angle", "tilt-shift", "shallow depth of field", "long exposure",
    "aerial view", "fisheye", "medium format", "worm's-eye view", "close-up",
)  # fmt: skip
DETAILS = (
    "intricate detail", "visible brush strokes", "film grain", "dust in the air", "wet reflections", "clean lines",
    "rough paper texture", "gold leaf accents", "cracked varnish", "drifting petals", "frost on the glass",
    "thick outlines", "halftone dots", "gentle bokeh", "negative space", "symmetrical composition",
)  # fmt: skip
ROLES = (
    "a marble statue", "a deep-sea diver", "an astronaut", "a medieval monk", "a forest spirit", "a jazz singer",
    "a tin robot", "a porcelain doll", "an arctic explorer", "a silent-film star", "a botanist", "a lighthouse keeper",
    "a clay puppet", "a court painter", "a bronze bust", "a steam-engine driver", "a tarot card figure", "a beekeeper",
    "a space pilot", "a mosaic saint", "an opera singer", "a carved chess queen", "a mountain guide", "a paper collage",
    "a stained glass figure", "a snow sculpture", "a desert nomad", "a postage stamp portrait", "a circus acrobat",
    "an old sea captain",
)  # fmt: skip
COSTUMES = (
    "wearing a velvet coat", "with a crown of leaves", "in a quilted jacket", "with brass goggles", "in a linen shirt",
    "with silver face paint", "in a raincoat", "with braided hair", "in ceremonial robes", "with round glasses",
    "in a striped sweater", "with a feathered hat", "in polished armour", "with freckles of gold",
)  # fmt: skip
POSES = (
    "facing the camera", "three-quarter view", "in profile", "head tilted", "looking over the shoulder", "eyes closed",
    "laughing", "chin resting on one hand",
)  # fmt: skip
LIKENESS = (
    "same face", "keep the facial features", "identity preserved", "recognisable likeness", "natural expression",
    "keep the eyes and the smile",
)  # fmt: skip
EMOJI = (
    "🦊",
    "🌊",
    "🔥",
    "🌸",
    "🤖",
    "🎨",
    "❄️",
    "🌙",
    "⭐",
    "🍄",
    "🐙",
    "🚀",
    "🌈",
    "🧚‍♀️",
    "👩‍🚀",
    "🐈‍⬛",
    "🎉",
    "😂",
    "🙏🏽",
    "💀",
)
