"""Prometheus metrics, liveness and readiness, over HTTP where an address is configured."""

from .collector import DaemonCollector
from .http import MetricsServer
from .list import METRICS
from .metric import Metric

__all__ = ["METRICS", "DaemonCollector", "Metric", "MetricsServer"]
