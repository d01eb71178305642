# A source that is pushed to has nothing to configure.
export PUSHED=$(api POST /v4/sources '{"type": "import_api", "display_name": "Pushed Events"}' | jq .id)

# Its tokens are made apart from the account's. Two may be active, so that one can replace the other.
api POST "/v4/sources/$PUSHED/tokens" > import-token.json
api GET "/v4/sources/$PUSHED/tokens"
api DELETE "/v4/sources/$PUSHED/tokens/$(jq .id import-token.json)" | jq .updated_at
