"""The public Python client of the Connect API, every operation of it, against a server.

Reads one JSON object from standard input: "base", "token", "account", and for the databases "source" and "destination",
properties as the API takes them. Ends with status 1 and a traceback at the first value that is not as expected.

Where the client itself is limited, what does happen is asserted: then a change on either side is noticed.
"""

import asyncio
import inspect
import json
import sys
from contextlib import asynccontextmanager

from stitch_connect_client import ApiClient, Configuration, UpdateSourceBody, StreamsUpdateList, StreamUpdate
from stitch_connect_client import CreateDestinationBody, CreateSourceBody, Metadata
from stitch_connect_client.api import DestinationsApi, SourcesApi, StreamsApi
from stitch_connect_client.exceptions import ApiException

GIVEN = json.load(sys.stdin)
APIS = (DestinationsApi, SourcesApi, StreamsApi)
CALLED = set()


def recorded(api):
    """The same API, noting which of its operations are called."""
    for name in operations(api):
        async def call(*arguments, _operation=getattr(api, name), _name=name, **named):
            CALLED.add(f"{type(api).__name__}.{_name}")
            return await _operation(*arguments, **named)
        setattr(api, name, call)
    return api


def operations(api):
    return [name for name, _ in inspect.getmembers(api, callable)
            if not name.startswith("_") and not name.endswith("_with_http_info") and name != "api_client"]


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, not {expected!r}")


async def refused(status, body, call, *arguments):
    """The call is refused with this status and this JSON body."""
    try:
        answer = await call(*arguments)
    except ApiException as error:
        equal((error.status, json.loads(error.body)), (status, body), "the refusal")
    else:
        raise AssertionError(f"not refused: {answer}")


async def eventually(what, poll):
    """Polls until there is something to return; a check takes a second, on a busy machine some more."""
    try:
        async with asyncio.timeout(90):
            while (found := await poll()) is None:
                await asyncio.sleep(0.1)
            return found
    except TimeoutError:
        raise AssertionError(f"{what} did not come") from None


def step(card):
    """The step that a connection has reached; the client has no field for it."""
    return card.steps[card.current_step - 1].type


async def last_check(source):
    check = await sources.get_last_connection_check(source)
    return check if check.status != "running" else None


async def types():
    listed = await destinations.get_destination_types()
    names = [card.type for card in listed]
    equal("postgres" in names and "sqlite" in names, True, "destination types")
    card = listed[names.index("postgres")]
    equal((card.current_step, step(card)), (1, "form"), "the card of a type")
    equal([step.type for step in card.steps], ["form", "fully_configured"], "its steps")
    equal((card.details.access, card.details.pipeline_state, card.details.pricing_tier),
          (True, "released", "standard"), "its details")
    port = next(prop for prop in card.steps[0].properties if prop.name == "port")
    equal((port.is_required, port.is_credential, port.property_type, port.provided),
          (True, False, "user_provided", False), "the port")
    # The client takes a schema for a list of schemas: of the object only the number of its keys is left.
    equal(isinstance(port.json_schema, list), True, "the client's reading of a schema")


async def destination_made():
    body = CreateDestinationBody(type="postgres", properties=GIVEN["destination"])
    made = await destinations.create_destination(body)
    equal((made.type, made.stitch_client_id, made.deleted_at), ("postgres", GIVEN["account"], None), "the destination")
    equal(step(made.report_card), "fully_configured", "its step")
    listed = await destinations.get_destinations()
    equal([each.id for each in listed], [made.id], "the list of destinations")
    # Ids of destinations go through str() in this client.
    equal(isinstance(made.id, str) and made.id.isdigit(), True, "the destination's id")
    # It sends the bare properties; the server takes them.
    changed = await destinations.update_destination(made.id, {"port": GIVEN["destination"]["port"]})
    equal(changed.id, made.id, "the changed destination")
    await refused(400, {
        "error": "InvalidProperties", "data": {
            "message": "properties do not match schema", "bad_properties": ["nonsense"],
            "report_card": await card_of("/v4/destinations"),
        }}, destinations.update_destination, made.id, {"nonsense": "x"})
    await refused(400, "invalid connection id", destinations.update_destination, "1", {"port": "5432"})
    try:
        CreateDestinationBody(type="sqlite", properties={})
    except ValueError as error:
        equal("must be one of" in str(error), True, "the client's own list of types")
    else:
        raise AssertionError("the client knows five types of destinations")
    return made.id


async def card_of(path):
    """The report card of the first of a list, as it is on the wire."""
    answer, _, _ = await client.call_api(path, "GET", auth_settings=["bearerAuth"], response_type="object")
    return answer[0]["report_card"]


async def source_made(destination):
    body = CreateSourceBody(display_name="Web Shop", type="platform.hp-postgres", properties=GIVEN["source"])
    made = await sources.create_source(body)
    equal((made.name, made.display_name, made.type), ("web_shop", "Web Shop", "platform.hp-postgres"), "the source")
    equal((made.stitch_client_id, made.paused_at, made.deleted_at), (GIVEN["account"], None, None), "the source")
    await refused(400, {"error": "InvalidName", "data": {
        "message": "non-unique name after deriving it from display_name (Web Shop -> web_shop)"}},
        sources.create_source, body)
    check = await eventually("the end of the check", lambda: last_check(made.id))
    equal((check.status, check.error, check.check_exit_status, check.discovery_exit_status, check.mode),
          ("succeeded", False, 0, 0, "check"), "the check")
    found = await sources.get_source(made.id)
    equal((found.id, step(found.report_card)), (made.id, "field_selection"), "the source after its check")
    equal([step.type for step in found.report_card.steps],
          ["form", "discover_schema", "field_selection", "fully_configured"], "the steps of a source")
    equal([each.id for each in await sources.get_sources()], [made.id], "the list of sources")
    await refused(404, {"error": "InvalidId", "data": {"message": "source not found (1)"}}, sources.get_source, 1)
    await refused(400, {"error": {"type": "generic", "message":
            f"Could not create job for client-id: {GIVEN['account']}; connection-id: {made.id}"}},
            sources.start_replication, made.id)
    return made.id


async def stream_selected(source):
    listed = await streams.get_streams(source)
    equal([(each.stream_name, each.selected) for each in listed], [("orders", None)], "the streams")
    stream = listed[0]
    equal(stream.metadata.table_key_properties, ["id"], "the stream's key")
    schema = await streams.get_stream_schema(source, stream.stream_id)
    equal(sorted(json.loads(schema.schema)["properties"]), ["id", "total"], "the stream's fields")
    equal(schema.non_discoverable_metadata_keys,
          ["selected", "replication-method", "replication-key", "view-key-properties"], "the settable keys")
    fields = {tuple(entry.breadcrumb): entry.metadata for entry in schema.metadata}
    equal(set(fields), {(), ("properties", "id"), ("properties", "total")}, "the breadcrumbs")
    await refused(400, f"invalid stream-id: 1", streams.get_stream_schema, source, 1)

    def update(tap_stream_id):
        metadata = Metadata(breadcrumb=[], metadata={"selected": True, "replication-method": "FULL_TABLE"})
        return StreamsUpdateList(streams=[StreamUpdate(tap_stream_id=tap_stream_id, metadata=[metadata])])

    equal(await streams.update_stream_metadata(source, update(stream.tap_stream_id)), None, "the body, which it ignores")
    equal((await streams.get_streams(source))[0].selected, True, "the selection")
    await refused(400, {"invalid_fields": "invalid tap-stream-ids:  [nowhere]"},
            streams.update_stream_metadata, source, update("nowhere"))
    equal(step((await sources.get_source(source)).report_card), "fully_configured", "the source's step")


async def paused(source):
    instant = "2031-02-03T00:00:00Z"
    equal((await sources.update_source(source, UpdateSourceBody(paused_at=instant))).paused_at, instant, "the pause")
    # It leaves out what is None, so it cannot unpause.
    equal((await sources.update_source(source, UpdateSourceBody(paused_at=None))).paused_at, instant, "the pause that stays")
    renamed = await sources.update_source(source, UpdateSourceBody(display_name="Shop on the Web"))
    equal((renamed.display_name, renamed.name), ("Shop on the Web", "web_shop"), "the label and the name")


async def replicated(source):
    # Its type for the answer is that of an error: the job's name is lost, a refusal can be read.
    equal((await sources.start_replication(source)).error, None, "the start")

    async def refusal():
        error = (await sources.start_replication(source)).error
        return error
    # The job may have ended between the two calls; then the second starts one too.
    error = await eventually("a start while a job runs", refusal)
    equal((error.type, error.message), ("already_running",
          f"Did not create job for client-id: {GIVEN['account']}; connection-id: {source} because one already exists"),
          "the second start")


async def all_gone(source, destination):
    gone = await sources.delete_source(source)
    equal((gone.id, gone.deleted_at is not None), (source, True), "the deleted source")
    equal([each.id for each in await sources.get_sources()], [source], "deleted sources stay listed")
    await refused(400, {"error": "InvalidId", "data": {"message": f"source not found ({source})"}},
            sources.delete_source, source)
    equal(await destinations.delete_destination(destination), None, "the body, which it ignores")
    equal(await destinations.get_destinations(), [], "the list without the deleted destination")
    await refused(400, f"Unable to locate dest ({destination}) for client ({GIVEN['account']}) to delete",
            destinations.delete_destination, destination)


async def without_token():
    async with client_for("") as stranger:
        await refused(401, {"error": "Unauthorized", "data": {"message": "invalid or missing access token"}},
                      DestinationsApi(stranger).get_destinations)


@asynccontextmanager
async def client_for(token):
    configuration = Configuration(host=GIVEN["base"])
    configuration.access_token = token
    client = ApiClient(configuration)
    try:
        yield client
    finally:
        # Its finaliser closes the connections in a task, so the loop must still run.
        client.rest_client = None
        await asyncio.sleep(0)


async def main():
    global client, destinations, sources, streams
    async with client_for(GIVEN["token"]) as client:
        destinations, sources, streams = (recorded(api(client)) for api in APIS)
        await types()
        destination = await destination_made()
        source = await source_made(destination)
        await stream_selected(source)
        await paused(source)
        await replicated(source)
        await all_gone(source, destination)
        await without_token()
        every = {f"{api.__name__}.{name}" for api in APIS for name in operations(api(client))}
    equal(CALLED, every, "the operations called")
    print(f"{len(CALLED)} operations answered as expected")


asyncio.run(main())
