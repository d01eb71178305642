# A source that is pushed to has nothing to configure.
export PUSHED=$(api POST /v4/sources '{"type": "import_api", "display_name": "Pushed Events"}' | jq .id)

# Its tokens are made apart from the account's. Two may be active, so that one can replace the other.
api POST "/v4/sources/$PUSHED/tokens" > import-token.json
api GET "/v4/sources/$PUSHED/tokens"

# Records for one table, with a JSON Schema. With the answer they are durable; a minute later, or sooner when many wait, they are
# rows of "pushed_events"."visits". A greater sequence replaces the row of the same key.
curl -sS --fail-with-body -X POST "$SELVEDGE/v2/import/batch" \
    -H "Authorization: Bearer $(jq -r .access_token import-token.json)" -H 'Content-Type: application/json' -d '{
    "table_name": "visits",
    "schema": {"properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}},
    "key_names": ["id"],
    "messages": [{"action": "upsert", "sequence": 1, "data": {"id": 7, "at": "2031-02-03T04:05:06Z"}}]
}' | jq .message

# A token that is revoked is refused from then on.
api DELETE "/v4/sources/$PUSHED/tokens/$(jq .id import-token.json)" | jq .updated_at
