"""What a shell runs to complete the command line, and where it finds it.

The variables have the names that typer gave them: shells have scripts of earlier releases.
"""

from __future__ import annotations

from pathlib import Path

import shellingham

from bgpreflector.errors import ReflectorError

BASH = """\
_bgpreflector_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
        _BGPREFLECTOR_COMPLETE=complete_bash "$1" ) )
    if [[ ${#COMPREPLY[@]} -eq 1 && $COMPREPLY == *= ]]; then
        compopt -o nospace
    fi
}

complete -o default -F _bgpreflector_completion bgpreflector
"""

ZSH = """\
#compdef bgpreflector

_bgpreflector_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
    _BGPREFLECTOR_COMPLETE=complete_zsh bgpreflector)
}

compdef _bgpreflector_completion bgpreflector
"""

_FISH_ASKS = (
    "env _BGPREFLECTOR_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION={action} "
    "_TYPER_COMPLETE_ARGS=(commandline -cp) bgpreflector"
)
FISH = (
    "complete --command bgpreflector --no-files"
    f' --arguments "({_FISH_ASKS.format(action="get-args")})"'
    f' --condition "{_FISH_ASKS.format(action="is-args")}"\n'
)

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""By the shell."""

ZSH_READS = "fpath+=~/.zfunc; autoload -Uz compinit; compinit"


class CompletionError(ReflectorError):
    """There is no completion for this shell."""


def current_shell() -> str:
    """The shell that the program was started from.

    Raises :class:`CompletionError`.
    """
    try:
        name, _ = shellingham.detect_shell()
    except shellingham.ShellDetectionFailure as error:
        raise CompletionError(f"the shell cannot be detected; {_KNOWN}") from error
    if name not in SCRIPTS:
        raise CompletionError(f"there is no completion for {name}; {_KNOWN}")
    return str(name)


_KNOWN = f"there is completion for {', '.join(SCRIPTS)}"


def install(shell: str) -> Path:
    """Put the script where the shell, from the next one on, reads it; returns the file."""
    home = Path.home()
    match shell:
        case "bash":
            file = home / ".bash_completions" / "bgpreflector.sh"
            _append(home / ".bashrc", f"source '{file}'")
        case "zsh":
            file = home / ".zfunc" / "_bgpreflector"
            _append(home / ".zshrc", ZSH_READS)
        case _:
            file = home / ".config" / "fish" / "completions" / "bgpreflector.fish"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SCRIPTS[shell], encoding="utf-8")
    return file


def _append(file: Path, line: str) -> None:
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if line not in text.splitlines():
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")
