"""The pluggy hooks that a plugin can implement.

Each is called at most once per run, never per frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:  # so that `import vidan` stays light
    from ..types import Image, Result
    from .commands import Check, Commands
    from .components import Registrar
    from .run import Run


hookspec = pluggy.HookspecMarker("vidan")
hookimpl = pluggy.HookimplMarker("vidan")


@hookspec
def vidan_components(registry: Registrar) -> None:
    """Register components: `registry.add("detector", "foo", "my_package.foo:Foo")`."""


@hookspec
def vidan_config() -> str:  # type: ignore[empty-body]
    """Return where the plugin's config groups are, such as `pkg://my_package.conf`."""


@hookspec
def vidan_commands(commands: Commands) -> None:
    """Add subcommands: `commands.add("train", "my_package.train:main", "Train a detector.")`.

    A name of two words, such as `eval speed`, is listed with the other commands that have the same
    first word, whichever plugin they come from.
    """


@hookspec
def vidan_run_started(run: Run) -> None:
    """Called before the first frame of a run."""


@hookspec
def vidan_run_finished(summary: dict[str, Any], error: BaseException | None) -> None:
    """Called after a run, whether or not it failed; `summary` is the content of `summary.json`."""


@hookspec
def vidan_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Return the lines of `vidan doctor` about what the plugin needs on this machine."""


@hookspec(firstresult=True)
def vidan_draw(result: Result, options: Mapping[str, Any]) -> Image | None:
    """Draw a result for `vidan.draw`, on a copy of its frame's image (H,W,3) uint8 RGB.

    None leaves it to the next plugin; the last one is vidan's own, with the options of
    `conf/drawing`.
    """
