# Somebody who gets every notification mail of the account, silenced and heard again:
EMAIL=$(api POST /notifications/public/v1/api/custom-emails '{"email_address": "ops@acme.example"}' | jq .id)
api PUT "/notifications/public/v1/api/custom-emails/$EMAIL" '{"disabled_at": "2031-03-01T00:00:00Z"}'
api PUT "/notifications/public/v1/api/custom-emails/$EMAIL" '{"disabled_at": null}'

# A call after every load. `secret` signs the calls and is in this answer only.
api POST /notifications/public/v1/api/hooks "{\"type\": \"post_load\", \"destination_id\": $DESTINATION,
  \"config\": {\"url\": \"https://hooks.acme.example/loaded\"}}" | jq '{id, secret}'
