"""Where things are if nothing else is said."""

DEFAULT_SOCKET = "/run/bgpreflector/control.sock"
"""The control socket."""
