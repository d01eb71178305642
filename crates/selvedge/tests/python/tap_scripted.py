"""A Singer tap that does what the files in a directory say, and notes there what it was given.

config.directory holds catalog.json and messages.jsonl, and may hold:
  stderr      printed to stderr before anything else; {token} stands for the token
  rotate      the refresh token to be written into the configuration file
  exit        the exit status
  endless     how many MiB of one line without an end follow the messages
  hold        while it is there, the tap waits behind its messages
  batch.jsonl records for a BATCH message: {batch} in the messages stands for the tap's own copy of it
It writes given.jsonl: a line for each run, with its arguments and the contents of their files.
"""

import gzip
import json
import os
import sys
import time


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


config_path = argument("--config")
config = json.loads(read(config_path))
directory = config["directory"]


def beside(name):
    path = os.path.join(directory, name)
    return read(path) if os.path.exists(path) else None


given = {"config": config, "discover": "--discover" in sys.argv}
for name in ("--state", "--catalog", "--properties"):
    path = argument(name)
    if path:
        given[name[2:]] = json.loads(read(path))
with open(os.path.join(directory, "given.jsonl"), "a", encoding="utf-8") as file:
    file.write(json.dumps(given) + "\n")

if "--discover" in sys.argv:
    print(beside("catalog.json"))
    sys.exit(0)

said = beside("stderr")
if said:
    print(said.replace("{token}", config["refresh_token"]), file=sys.stderr, flush=True)
rotated = beside("rotate")
if rotated:
    config["refresh_token"] = rotated
    with open(config_path, "w", encoding="utf-8") as file:
        json.dump(config, file)
messages = beside("messages.jsonl")
batch = beside("batch.jsonl")
if batch:
    own = os.path.join(os.environ["TMPDIR"], "batch.jsonl.gz")
    with gzip.open(own, "wt", encoding="utf-8") as file:
        file.write(batch)
    messages = messages.replace("{batch}", own)
sys.stdout.write(messages)
sys.stdout.flush()
for _ in range(int(beside("endless") or 0)):
    sys.stdout.buffer.write(b"x" * (1 << 20))
while beside("hold") is not None:
    time.sleep(0.02)
sys.exit(int(beside("exit") or 0))
