"""Constants of the kernel's linux/rtnetlink.h."""

from __future__ import annotations

RT_TABLE_DEFAULT = 253
RT_TABLE_MAIN = 254
RT_TABLE_LOCAL = 255
RT_TABLE_MAX = 0xFFFFFFFF
