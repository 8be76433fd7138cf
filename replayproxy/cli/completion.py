"""`replayproxy completion`: the script with which a shell completes our commands."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

__all__ = ["completion"]

_NAME, _VARIABLE = "replayproxy", "_REPLAYPROXY_COMPLETE"
#: No blank after `outcome:`, since a value follows.
_BASH_END = "    return 0\n"
_BASH_NO_BLANK = "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:~] ]] && compopt -o nospace\n\n    return 0\n"


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands, options, files, interactions and filters.

    \b
    bash: add this line to ~/.bashrc
      eval "$(replayproxy completion bash)"
    zsh: add this line to ~/.zshrc, after compinit
      eval "$(replayproxy completion zsh)"
    fish: run this once
      replayproxy completion fish > ~/.config/fish/completions/replayproxy.fish

    \b
    Examples:
      replayproxy completion fish > ~/.config/fish/completions/replayproxy.fish
    and then, TAB being the key:
      replayproxy playback --val TAB
      replayproxy cassette show cassettes/default.yaml TAB
      replayproxy tail outcome: TAB
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101 -- click knows each of the choices
    # What bash's class does before this is to run a bash, to see how old it is.
    script = ShellComplete.source(kind(context.find_root().command, {}, _NAME, _VARIABLE))
    click.echo(script.replace(_BASH_END, _BASH_NO_BLANK) if shell == "bash" else script)
