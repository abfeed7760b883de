"""What the collector leaves out: what lives as long as the process, and nothing made later."""

import json
import subprocess
import sys

from gateway.collector import YOUNG

# In a process of its own: what is kept apart here would stay so for every test that follows.
PROGRAM = """
import gc, json, weakref
from gateway.collector import keep_apart_what_lives_on

class Node:
    pass

def cycle():
    node = Node()
    node.itself = node
    return weakref.ref(node)

before = cycle()
kept = keep_apart_what_lives_on()
after = cycle()
alive = after() is not None
gc.collect()
print(json.dumps({
    "kept": kept, "before": before() is None, "alive": alive, "after": after() is None,
    "threshold": gc.get_threshold(), "enabled": gc.isenabled(), "walked": len(gc.get_objects()),
}))
"""


def test_only_what_is_made_later_is_walked() -> None:
    """Cycles from before the call and from after it are both freed; the collector stays on."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    )

    told = json.loads(ran.stdout)
    assert told["kept"] > 1_000
    assert told["walked"] < 1_000
    assert (told["before"], told["alive"], told["after"]) == (True, True, True)
    assert told["threshold"] == [YOUNG, 10, 10]
    assert told["enabled"]
