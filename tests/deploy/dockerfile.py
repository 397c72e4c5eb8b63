"""Executes the steps of a Dockerfile in folders, where no image can be pulled or built.

    python -m tests.deploy.dockerfile <folder with a fresh Debian> <folder for the stages>

as root: each stage is a copy of the Debian, and the instructions are executed in it with chroot.
The fresh Debian is made by `debootstrap --variant=minbase trixie <folder>`. Only the instructions
and forms that deploy/Dockerfile has are supported.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy/Dockerfile"
CERTIFICATES = "etc/pip-certificates.crt"

ENTER = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec /usr/sbin/chroot "$@"'
"""Needs a mount namespace of its own."""


@dataclass
class Stage:
    """A stage of a build.

    Attributes:
        root: its root directory.
        environment: set by ENV and ARG.
        folder: set by WORKDIR.
        user: set by USER.
        entrypoint: set by ENTRYPOINT.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)

    def run(self, *command: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as a container would, without its isolation."""
        root, cd = str(self.root), f"cd {shlex.quote(self.folder)}"
        chroot = [root, f"--userspec={self.user}", root, "/bin/sh", "-c", f'{cd} && exec "$@"']
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", ENTER, *chroot, "sh", *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **network(), **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )


def network() -> dict[str, str]:
    """What this machine needs to reach a package index."""
    found = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    if "PIP_CERT" in os.environ:
        found["PIP_CERT"] = f"/{CERTIFICATES}"
    return found


def instructions(path: Path = DOCKERFILE) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile and their arguments."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE))
    for line in filter(str.strip, text.splitlines()):
        name, _, rest = line.partition(" ")
        yield name, rest.strip()


def build(debian: Path, folder: Path) -> Stage:
    """Execute all instructions, and return the last stage.

    Raises:
        RuntimeError: one failed, with its output.
    """
    stages: dict[str, Stage] = {}
    stage = Stage(debian)
    for name, rest in instructions():
        print(name, rest, file=sys.stderr)
        if name == "FROM":
            title = rest.partition(" AS ")[2] or str(len(stages))
            stage = stages[title] = Stage(folder / title)
            subprocess.run(["cp", "-a", str(debian), str(stage.root)], check=True)
            shutil.copy("/etc/resolv.conf", stage.root / "etc/resolv.conf")
            if "PIP_CERT" in os.environ:
                shutil.copy(os.environ["PIP_CERT"], stage.root / CERTIFICATES)
        elif name == "RUN":
            ran = stage.run("sh", "-c", rest)
            if ran.returncode:
                raise RuntimeError(f"{rest}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        elif name == "COPY":
            words = shlex.split(rest)
            source = ROOT
            if words[0].startswith("--from="):
                source = stages[words.pop(0).removeprefix("--from=")].root
            *files, to = words
            target = stage.root / to.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if to.endswith("/"):
                target.mkdir(exist_ok=True)
            for file in files:
                subprocess.run(
                    ["cp", "-a", str(source / file.lstrip("/")), str(target)], check=True
                )
        elif name in ("ENV", "ARG"):
            stage.environment |= dict(word.split("=", 1) for word in shlex.split(rest))
        elif name == "WORKDIR":
            stage.folder = rest
        elif name == "USER":
            stage.user = rest
        elif name == "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        elif name != "CMD":
            raise RuntimeError(f"unknown instruction {name}")
    return stage


if __name__ == "__main__":
    final = build(Path(sys.argv[1]), Path(sys.argv[2]))
    done = final.run(*final.entrypoint, "--version")
    print(done.stdout, done.stderr)
