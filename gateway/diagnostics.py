"""Where diagnostics for operators go: standard error, one JSON object per line, or nowhere.

Diagnostics are no evidence: that is the access log. They hold request ids, reasons and codes, never
a value or an identifier of a subject.
"""

import logging
import sys

import structlog


def write_diagnostics() -> None:
    """Write diagnostics as JSON lines to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def silence_diagnostics() -> None:
    """Write no diagnostics: they would stand between tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
