# What the OAuth step of a type asks for. `system_provided_by_default` values come from this server's operator where
# one has configured them; whatever is missing you send.
api GET /v4/source-types/platform.harvest | jq '.steps[] | select(.type == "oauth") | .properties[] | {name, is_required, property_type}'

# Do the handshake with your own client at the provider, then send what it gave you beside the other properties.
api POST /v4/sources '{"type": "platform.harvest", "display_name": "Harvest", "properties": {
  "start_date": "2030-01-01T00:00:00Z",
  "client_id": "your client", "client_secret": "its secret", "refresh_token": "what the handshake gave"
}}' | jq '.report_card | {current_step_type, provided: [.steps[].properties[] | select(.provided) | .name]}'
