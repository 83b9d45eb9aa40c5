"""The running daemon: its parts, its status, its health."""
