"""A Singer tap with two streams that counts: `numbers` by its bookmark, slowly, and `whole`, which is always read in full.

config.directory holds `upto`, the last number, and may hold `pause`, seconds between two numbers. Each run appends a line to
`began.jsonl`: the state that it began with.
"""

import json
import os
import sys
import time


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


directory = json.loads(read(argument("--config")))["directory"]
INTEGER = {"type": ["null", "integer"]}
SCHEMAS = {
    "numbers": {"type": "object", "properties": {"id": INTEGER, "of_run": INTEGER}},
    "whole": {"type": "object", "properties": {"id": INTEGER, "version": INTEGER}},
}


def write(message):
    sys.stdout.write(json.dumps(message) + "\n")


if "--discover" in sys.argv:
    streams = [
        {"tap_stream_id": name, "stream": name, "schema": schema, "key_properties": ["id"]}
        for name, schema in SCHEMAS.items()
    ]
    write({"streams": streams})
    sys.exit(0)

state = json.loads(read(argument("--state"))) if argument("--state") else {}
with open(os.path.join(directory, "began.jsonl"), "a", encoding="utf-8") as file:
    file.write(json.dumps(state) + "\n")
bookmarks = state.get("bookmarks", {})
number = bookmarks.get("numbers", {}).get("id", 0)
upto = int(read(os.path.join(directory, "upto")))
version = time.time_ns() // 1_000_000

for name, schema in SCHEMAS.items():
    write({"type": "SCHEMA", "stream": name, "schema": schema, "key_properties": ["id"]})
while number < upto:
    number += 1
    write({"type": "RECORD", "stream": "numbers", "record": {"id": number, "of_run": os.getpid()}})
    if number % 2 == 0:
        write({"type": "RECORD", "stream": "whole", "record": {"id": number, "version": version}, "version": version})
    if number % 5 == 0:
        bookmarks["numbers"] = {"id": number}
        write({"type": "STATE", "value": {"bookmarks": bookmarks}})
    sys.stdout.flush()
    pause = os.path.join(directory, "pause")
    if os.path.exists(pause):
        time.sleep(float(read(pause)))
write({"type": "ACTIVATE_VERSION", "stream": "whole", "version": version})
bookmarks["numbers"] = {"id": number}
bookmarks["whole"] = {"version": version}
write({"type": "STATE", "value": {"bookmarks": bookmarks}})
