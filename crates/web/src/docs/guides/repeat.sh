# The answer got lost? Send the same request with the same key: the first answer comes again, nothing is made twice.
key=$(cat /proc/sys/kernel/random/uuid)
for attempt in first second; do
  curl -sS --fail-with-body -X POST "$SELVEDGE/v4/sources" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -H "Idempotency-Key: $key" -d '{"type": "import_api", "display_name": "Only once"}' | jq .id
done
