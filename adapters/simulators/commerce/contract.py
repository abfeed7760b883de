"""The published OpenAPI document, and what becomes of it when the department changes its mind."""

import copy
from importlib.resources import files
from typing import Final

import yaml

from adapters.simulators.commerce.refusals import Members

DRIFTED: Final = "jbrdw"
"""The member that is suddenly required under the fault `schema_drift`."""

_QUESTIONS: Final = (
    "QyxxcxQuestion",
    "QyxxyzQuestion",
    "SoleTraderQuestion",
    "PositionsQuestion",
)


def load_document() -> Members:
    """Read the document beside this module."""
    text = files("adapters.simulators.commerce").joinpath("openapi.yaml").read_text("utf-8")
    document: Members = yaml.safe_load(text)
    return document


def drift(document: Members) -> Members:
    """Require one member more of every question about data, under a new version."""
    # YAML anchors made shared objects of repeated parts: a deep copy keeps the original whole.
    drifted = copy.deepcopy(document)
    match drifted:
        case {"info": dict(info), "components": {"schemas": dict(schemas)}}:
            info["version"] = "1.1.0"
            for name in _QUESTIONS:
                _require_member(schemas[name])
        case _:
            raise LookupError("the document has another shape")
    return drifted


def _require_member(schema: object) -> None:
    match schema:
        case {"required": list(required), "properties": dict(properties)}:
            required.append(DRIFTED)
            properties[DRIFTED] = {"$ref": "#/components/schemas/Code64"}
            # A verification counts its members: at least one is a check.
            if isinstance(schema, dict) and "minProperties" in schema:
                schema["minProperties"] += 1
        case _:
            raise LookupError("a question has another shape")
