# What a PostgreSQL warehouse asks for:
api GET /v4/destination-types/postgres | jq -r '.steps[].properties[] | select(.is_required) | .name'

# Its place and its loader's credentials. Values are strings; the password never comes back.
# export WAREHOUSE_HOST=… WAREHOUSE_PORT=5432 WAREHOUSE_DATABASE=… WAREHOUSE_USER=… WAREHOUSE_PASSWORD=…
properties=$(jq -n '{
  host: env.WAREHOUSE_HOST, port: env.WAREHOUSE_PORT, database: env.WAREHOUSE_DATABASE,
  username: env.WAREHOUSE_USER, password: env.WAREHOUSE_PASSWORD, ssl: "false"
}')
api POST /v4/destinations "{\"type\": \"postgres\", \"name\": \"Reporting\", \"properties\": $properties}" > destination.json
export DESTINATION=$(jq .id destination.json)

# The server tries the connection at once. A failed check says why in discovery_error_message.
until api GET "/v4/destinations/$DESTINATION/last-connection-check" | jq -e '.status != "running"' > /dev/null; do sleep 1; done
api GET "/v4/destinations/$DESTINATION/last-connection-check" | jq '{status, discovery_error_message}'
