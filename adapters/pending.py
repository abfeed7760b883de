"""Under which key a question that is answered later is remembered, in every dialect.

INVARIANT: no personal data stands here; a key is a digest bound to request, asker, matter, case and
question, so that an answer is given only to the system and for the purpose it was asked for.
"""

import hashlib

from adapters.port import Query
from signing.encoding import encode_canonical_json


def pending_key(query: Query, request_id: bytes) -> bytes:
    """Return the key of a question under the id of this request or of the one it goes on with.

    The item is left out, for GetResult asks for one at a time.
    """
    subject = query.subject
    question = encode_canonical_json(
        [
            *(query.audience, query.dataset.name, query.matter, query.case_number),
            *(subject.type.value, subject.identifier, subject.full_name),
            [[name, value] for name, value in sorted(query.claims.items())],
        ]
    )
    # The request id is random and so the salt of what could otherwise be tried out.
    return hashlib.sha256(request_id + question).digest()
