"""The node type `words`, in Python."""

import json

import wit_world
from componentize_py_types import Err
from wit_world.imports import log
from wit_world.imports.types import Emission, NodeError, RetryHint_Never


class WitWorld(wit_world.WitWorld):
    def execute(self, node_type: str, config: bytes) -> Emission:
        text = json.loads(config).get("text")
        if not isinstance(text, str) or not text.strip():
            raise Err(NodeError("no_text", "`text` is empty: write what is to be counted", RetryHint_Never(), None))
        words = text.split()
        log.log(log.Level.INFO, f"{len(words)} words")
        value = {"words": len(words), "longest": max(words, key=len)}
        return Emission("out", json.dumps(value).encode())
