"""Messages of the health department as tests write them, by hand."""

import base64

from adapters.kinds.health.adapter import OPERATION

NAMESPACE = "http://webservice.health.invalid"


def encoded(octets: bytes) -> str:
    """Return the text of `return`."""
    return base64.b64encode(octets).decode()


def replied(content: str) -> str:
    """Return the reply of the operation around a content."""
    return f'<{OPERATION}Response xmlns="{NAMESPACE}">{content}</{OPERATION}Response>'


def enveloped(content: str) -> bytes:
    """Return a SOAP 1.1 envelope around a body's content."""
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{soap}"><s:Body>{content}</s:Body></s:Envelope>'.encode()
