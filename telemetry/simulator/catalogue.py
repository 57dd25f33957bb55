"""What exists in the simulated network: GPU models, workflows, prompts, and the texts that gateways write."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A card as the driver reports it, with its speed relative to an RTX 4090 and how common it is."""

    name: str
    major: int
    minor: int
    memory_mib: int
    speed: float
    weight: float


@dataclass(frozen=True, slots=True)
class Workflow:
    """A model that streams run through: its rate and delays on an RTX 4090, its price and how often it is wanted."""

    name: str
    fps: float
    first_frame_ms: int
    cold_start_ms: int
    price_wei: int
    weight: float
    min_memory_mib: int


GPU_MODELS = (
    GpuModel("NVIDIA GeForce RTX 4090", 8, 9, 24564, 1.0, 34),
    GpuModel("NVIDIA GeForce RTX 5090", 12, 0, 32607, 1.32, 22),
    GpuModel("NVIDIA GeForce RTX 3090", 8, 6, 24576, 0.66, 12),
    GpuModel("NVIDIA RTX A5000", 8, 6, 24564, 0.58, 7),
    GpuModel("NVIDIA L4", 8, 9, 23034, 0.42, 6),
    GpuModel("NVIDIA L40S", 8, 9, 46068, 0.98, 7),
    GpuModel("NVIDIA A100-SXM4-80GB", 8, 0, 81920, 0.9, 6),
    GpuModel("NVIDIA H100 80GB HBM3", 9, 0, 81559, 1.45, 6),
)

WORKFLOWS = (
    Workflow("streamdiffusion", 26.0, 620, 7_000, 1210, 28, 16_000),
    Workflow("streamdiffusion-sdxl", 19.5, 900, 11_000, 1640, 30, 22_000),
    Workflow("streamdiffusion-sdxl-faceid", 17.5, 1050, 13_000, 1710, 18, 22_000),
    Workflow("streamdiffusion-sdv15", 29.0, 540, 6_000, 1080, 12, 12_000),
    Workflow("comfyui", 14.0, 1400, 16_000, 1480, 8, 20_000),
    Workflow("noop", 30.0, 240, 1_500, 300, 4, 4_000),
)

PROMPTS = (
    "a lighthouse in a paper storm, cut-out style",
    "tin robot waltzing through wheat, morning fog",
    "café at night, rain on glass, neon reflections",
    "portrait as a marble statue with moss",
    'octopus conductor, engraved, "golden hour"',
    "low-poly fox crossing a frozen lake",
    "watercolour harbour, gulls, soft light",
    "stained glass dancer, backlit",
    "city of folded maps, isometric",
    "clay puppet astronaut, studio light",
)

# Texts by the reason that they stand for; "unknown" are texts that no table can place.
SWAP_MESSAGES: dict[str, tuple[str, ...]] = {
    "timeout": ("timeout waiting for first segment", "context deadline exceeded (timeout)"),
    "model_error": ("model error: CUDA out of memory", "model_error: pipeline raised an exception"),
    "runner_disconnect": ("runner disconnected", "runner disconnect: lost connection to container"),
    "capacity": ("insufficient capacity", "no capacity left on orchestrator"),
    "gateway_reset": ("gateway reset", "gateway_reset: stream restarted by gateway"),
    "orchestrator_reset": ("orchestrator reset", "orchestrator_reset: session refresh refused"),
    "unknown": ("", "orchestrator is no longer preferred"),
}

USER_ERRORS = ("ice connection state failed", "missing video", "mediamtx ingest disconnected")
STARTUP_ERRORS = (
    "timed out waiting for the first processed segment",
    "model load failed: CUDA out of memory",
    "trickle publish failed: connection refused",
)
LATE_ERRORS = (
    "trickle subscribe: connection reset by peer",
    "inference process exited with code 137",
    "payment processing failed: ticket params expired",
)
RESTART_LOGS = (
    "pipeline produced no output for 30s, restarting",
    "torch.cuda.OutOfMemoryError: tried to allocate 1.20 GiB",
    "restarting inference process",
)
WORDS = ("amber", "birch", "cobalt", "dune", "ember", "fjord", "gale", "hazel", "iris", "juniper", "krill", "lumen")
