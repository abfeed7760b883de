"""Answers of the department written by hand from its manual, signed with its own code."""

import hmac
import zlib
from base64 import b64encode
from collections.abc import Sequence

from adapters.kinds.tax.envelope import Head

KEY = b"demo-sign-key-0001"
ACK = "402420844aa9fb510b8313cda40919a84c80404647696abf9b2231972edb27bf"
"""The manual's signature of the acknowledgement of its example."""


def signature(texts: Sequence[str], parts: Sequence[tuple[str, bytes]]) -> str:
    """Sign as section 4 says."""
    signed = "".join(f"{text}\n" for text in texts).encode()
    for number, content in parts:
        signed += f"{number}\n{len(content)}\n".encode() + content + b"\n"
    return hmac.new(KEY, signed, "sha256").hexdigest()


def reply(
    head: Head,
    *,
    code: str = "00000000",
    parts: Sequence[tuple[str, bytes]] = (),
    blank: bool = False,
) -> bytes:
    """Return an acknowledgement, a refusal or a result; `blank` repeats the number alone."""
    session, service, client = ("", "", "") if blank else (
        head.session_id, head.service_id, head.client_no)  # fmt: skip
    flag, asked_at = ("", "") if blank else ("Y" if head.repeat else "N", head.requested_at)
    signed = signature((session, service, client, head.tran_seq, code), parts)
    content = "".join(
        f"<subPackage><id>{number}</id><content>{b64encode(zlib.compress(octets)).decode()}"
        "</content></subPackage>"
        for number, octets in parts
    )
    business = f"<businessContent>{content}</businessContent>" if parts else "<businessContent/>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<tiripPackage xmlns="http://www.chinatax.gov.cn/dataspec/">'
        f"<sessionId>{session}</sessionId>"
        f"<service><serviceId>{service}</serviceId><clientNo>{client}</clientNo>"
        f"<tranSeq>{head.tran_seq}</tranSeq><repeatFlag>{flag}</repeatFlag>"
        f"<tranReqDate>{asked_at}</tranReqDate></service>"
        "<signData><signType>HMAC-SHA256</signType><signSource>CONTENT</signSource>"
        f"<signValue>{signed}</signValue></signData>"
        "<contentControl><control><id>1</id><type>zip</type><impl>Zlib</impl></control>"
        "<control><id>2</id><type>code</type><impl>Base64</impl></control></contentControl>"
        f"{business}"
        f"<returnState><returnCode>{code}</returnCode><returnMessage>ok</returnMessage>"
        "</returnState></tiripPackage>"
    ).encode()
