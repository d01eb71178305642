# What was found, and what of it is selected:
api GET "/v4/sources/$SOURCE/streams" | jq -r '.[] | [.stream_id, .tap_stream_id, .selected] | @tsv'

# One stream in detail: its fields, their types, which of them are replicated anyway (inclusion "automatic").
STREAM=$(api GET "/v4/sources/$SOURCE/streams" | jq '.[] | select(.stream_name == "orders") | .stream_id')
api GET "/v4/sources/$SOURCE/streams/$STREAM" | jq '.metadata[] | select(.breadcrumb != []) | {field: .breadcrumb[1], inclusion: .metadata.inclusion}'

# Select the stream, choose how it is replicated, and leave one field out.
TAP_STREAM=$(api GET "/v4/sources/$SOURCE/streams" | jq -r '.[] | select(.stream_name == "orders") | .tap_stream_id')
api PUT "/v4/sources/$SOURCE/streams/metadata" "{\"streams\": [{\"tap_stream_id\": \"$TAP_STREAM\", \"metadata\": [
  {\"breadcrumb\": [], \"metadata\": {\"selected\": true, \"replication-method\": \"INCREMENTAL\", \"replication-key\": \"updated_at\"}},
  {\"breadcrumb\": [\"properties\", \"note\"], \"metadata\": {\"selected\": false}}
]}]}"
