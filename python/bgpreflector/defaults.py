"""Defaults that several packages use."""

DEFAULT_SOCKET = "/run/bgpreflector/control.sock"
"""The control socket."""
