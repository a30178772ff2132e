"""Errors in the shape that OpenAI's clients read, whoever in the gateway makes them. Pure."""

import json
from typing import Final

from components.gateway.pieces import Json, header

TRY_AGAIN_S: Final = 5
"""Retry-After where nobody knows better: a replica that is busy now, or a request of one's own that ends."""
MINUTE_S: Final = 60


def body(message: str, code: str, kind: str = "invalid_request_error") -> str:
    """Return the body of an error."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": error})


UNAVAILABLE: Final = body(
    "no replica can take the request; try again", "service_unavailable", "server_error"
)
FULL: Final = body("the model is busy; try again", "model_busy", "server_error")
BROKEN: Final = body("the model could not be reached", "bad_gateway", "server_error")
LATE: Final = body("the model did not answer in time", "timeout", "server_error")
LIMITED: Final = body("the key's requests or tokens are used up", "rate_limit_exceeded", "requests")
BUSY: Final = body("too many requests of the key at once", "concurrency_exceeded", "requests")


def answer(status: int, text: str, match: Json, **more: object) -> Json:
    """Return a route that answers by itself."""
    return {
        "match": match,
        "direct_response": {"status": status, "body": {"inline_string": text}},
        **more,
    }


def local_replies() -> Json:
    """Return how Envoy's own errors read; answers of `answer` pass as they are."""
    return {
        "mappers": [
            _flagged("UO", 429, BUSY, TRY_AGAIN_S),
            _flagged("RL", 429, LIMITED, MINUTE_S),
            _coded(408, body("the request did not arrive in time", "timeout")),
            _coded(413, body("the request is too large", "request_too_large")),
            _coded(431, body("the headers are too large", "headers_too_large")),
            _coded(500, BROKEN),
            _coded(502, BROKEN),
            _coded(503, UNAVAILABLE, TRY_AGAIN_S),
            _coded(504, LATE),
        ],
        "body_format": _format("%LOCAL_REPLY_BODY%"),
    }


def _format(text: str) -> Json:
    return {"text_format_source": {"inline_string": text}, "content_type": "application/json"}


def _flagged(flag: str, status: int, text: str, retry_after_s: int) -> Json:
    return {
        "filter": {"response_flag_filter": {"flags": [flag]}},
        "status_code": status,
        **_reply(text, retry_after_s),
    }


def _coded(status: int, text: str, retry_after_s: int | None = None) -> Json:
    value = {"default_value": status, "runtime_key": "none"}
    comparison = {"op": "EQ", "value": value}
    return {
        "filter": {"status_code_filter": {"comparison": comparison}},
        **_reply(text, retry_after_s),
    }


def _reply(text: str, retry_after_s: int | None) -> Json:
    more = {"headers_to_add": [header("retry-after", str(retry_after_s))]} if retry_after_s else {}
    return {"body_format_override": _format(text), **more}


def uniform() -> str:
    """Return the Lua that gives a router's or a provider's failure the same shape.

    Their own texts name pods, upstreams and accounts; and clients wait as Retry-After says. What is
    wrong with our own key (401, 403) is no answer for the client, whose key was right.
    """
    return f"""
local texts = {{["429"] = '{FULL}', ["500"] = '{BROKEN}', ["502"] = '{BROKEN}', ["503"] = '{UNAVAILABLE}', ["504"] = '{LATE}'}}
function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get(":status")
  if status == "401" or status == "403" then
    status = "502"
    headers:replace(":status", status)
  end
  local text = texts[status]
  if not text then return end
  headers:replace("content-type", "application/json")
  if (status == "429" or status == "503") and not headers:get("retry-after") then
    headers:replace("retry-after", "{TRY_AGAIN_S}")
  end
  handle:body(true):setBytes(text)
end
"""
