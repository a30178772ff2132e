"""What was asked and answered, for stacks that record it: as text in the metadata of a request. Pure.

Envoy's JSON filters read numbers and words, no lists of messages; hence the few lines of Lua.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from components.gateway.pieces import Json, lua

LONGEST_BYTES: Final = 32 * 2**10
"""Of either; what is longer is cut off. A span should stay far below what Langfuse takes in one event."""
ASKED: Final = "asked"
ANSWERED: Final = "answered"

_CODE: Final = f"""
local limit = {LONGEST_BYTES}

-- The beginning of a text, of whole characters only.
local function cut(text)
  if #text <= limit then return text end
  local last = limit
  while last > 0 and text:byte(last + 1) >= 128 and text:byte(last + 1) < 192 do last = last - 1 end
  return text:sub(1, last)
end

local function note(handle, key, text)
  if os.time() >= over then return end
  handle:streamInfo():dynamicMetadata():set("llm", key, cut(text))
end

function envoy_on_request(handle)
  local body = handle:body()
  if body and body:length() > 0 then
    note(handle, "{ASKED}", body:getBytes(0, math.min(body:length(), limit + 4)))
  end
end

-- The text of an answer, of its pieces where it is streamed; as JSON has it, so that it stays JSON.
local function words(line, kept)
  line = line:gsub("\\\\\\\\", "\\1"):gsub('\\\\"', "\\2")
  for _, name in ipairs({{"content", "text"}}) do
    for value in line:gmatch('"' .. name .. '":%s*"([^"]*)"') do
      if kept.size < limit then
        kept.size = kept.size + #value
        kept[#kept + 1] = value
      end
    end
  end
end

function envoy_on_response(handle)
  local kept, rest = {{size = 0}}, ""
  for chunk in handle:bodyChunks() do
    if chunk:length() > 0 then rest = rest .. chunk:getBytes(0, chunk:length()) end
    local last = rest:find("\\n[^\\n]*$")
    if last then
      words(rest:sub(1, last), kept)
      rest = rest:sub(last + 1)
    end
  end
  words(rest, kept)
  local said = table.concat(kept):gsub("\\2", '\\\\"'):gsub("\\1", "\\\\\\\\")
  if #said > 0 then note(handle, "{ANSWERED}", '"' .. said .. '"') end
end
"""


def recorder(until: date) -> Json:
    """Return the filter that notes the text of request and answer; streams go on as they come.

    It stops by itself when the day `until` is over in UTC, however long the gateway runs.
    """
    return lua(f"local over = {over_s(until)}\n{_CODE}")


def over_s(day: date) -> int:
    """Return when a day is over in UTC, in seconds since 1970."""
    following = day + timedelta(days=1)
    return int(datetime(following.year, following.month, following.day, tzinfo=UTC).timestamp())
