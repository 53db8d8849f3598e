"""Measuring networks: arrays and records in, arrays and records out."""

from cnnlib.analysis.summary import Cost, summary, table

__all__ = ["Cost", "summary", "table"]
