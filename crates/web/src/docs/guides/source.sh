# A PostgreSQL database to read from. The rows will arrive in the schema `shop`: derived from the display name, once.
# export SHOP_HOST=… SHOP_PORT=5432 SHOP_DATABASE=… SHOP_USER=… SHOP_PASSWORD=…
properties=$(jq -n '{
  host: env.SHOP_HOST, port: env.SHOP_PORT, dbname: env.SHOP_DATABASE,
  user: env.SHOP_USER, password: env.SHOP_PASSWORD, frequency_in_minutes: "60"
}')
api POST /v4/sources "{\"type\": \"platform.hp-postgres\", \"display_name\": \"Shop\", \"properties\": $properties}" > source.json
export SOURCE=$(jq .id source.json)

# The report card says how far the setup has come. `discover_schema` ends by itself when the check has succeeded.
until api GET "/v4/sources/$SOURCE/last-connection-check" | jq -e '.status != "running"' > /dev/null; do sleep 1; done
api GET "/v4/sources/$SOURCE" | jq -r .report_card.current_step_type
