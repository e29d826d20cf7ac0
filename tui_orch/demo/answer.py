"""How a turn looks on the wire of the Messages API: as one message, or as the events of a stream; pure."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from tui_orch.demo.script import Turn

Event = dict[str, Any]


def message(turn: Turn, model: str) -> dict[str, Any]:
    """The answer as one message, with ids of its own."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text is not None else []
    blocks += [
        {
            "type": "tool_use",
            "id": f"toolu_{secrets.token_hex(12)}",
            "name": call.name,
            "input": dict(call.input),
        }
        for call in turn.tools
    ]
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": "tool_use" if turn.tools else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": turn.usage.input,
            "output_tokens": turn.usage.output,
            "cache_read_input_tokens": turn.usage.cache_read,
            "cache_creation_input_tokens": turn.usage.cache_write,
        },
    }


def events(whole: Mapping[str, Any]) -> list[Event]:
    """The same message as the events that a stream sends."""
    opened = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    stream: list[Event] = [{"type": "message_start", "message": opened}]
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        stream += [
            {"type": "content_block_start", "index": index, "content_block": empty},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    stream.append({"type": "message_delta", "delta": ended, "usage": whole["usage"]})
    stream.append({"type": "message_stop"})
    return stream


def event_bytes(event: Event) -> bytes:
    """One event as server-sent bytes."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def error_body(kind: str, why: str) -> dict[str, Any]:
    """The body of an error answer."""
    return {"type": "error", "error": {"type": kind, "message": why}}
