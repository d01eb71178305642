"""Pushes with stitchclient, which writes Transit: the settings come as JSON on standard input."""

import collections
import collections.abc
import datetime
import json
import sys

# The Transit library is older than the Python that has these in one place only.
for name in ("Mapping", "MutableMapping", "Hashable", "Sequence", "Iterable"):
    setattr(collections, name, getattr(collections.abc, name))

from stitchclient.client import Client  # noqa: E402

given = json.load(sys.stdin)
told = []
with Client(
    given["account"],
    given["token"],
    table_name="visits",
    key_names=["id"],
    callback_function=told.extend,
    override_stitch_url=given["base"] + "/v2/import/push",
    max_batch_size_bytes=20_000,
) as client:
    for number in range(1_000):
        at = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(hours=number)
        client.push(
            {
                "action": "upsert",
                "sequence": number + 1,
                "data": {"id": number, "name": f"~visitor {number % 7}", "at": at, "pages": ["start", "end"]},
            },
            number,
        )
assert sorted(told) == list(range(1_000)), "every record is told of once"
print("pushed 1000 records")
