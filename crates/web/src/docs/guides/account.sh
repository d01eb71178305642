# The partner's credentials: the operator prints them with `selvedge partner create --name "My platform"`.
# export PARTNER_ID=oc_… PARTNER_SECRET=oc_…

jq -n --arg id "$PARTNER_ID" --arg secret "$PARTNER_SECRET" '{
  partner_id: $id, partner_secret: $secret, region: "us-east-1", company: "Acme",
  first_name: "Ada", last_name: "Quick", email: "ada@acme.example"
}' | curl -sS --fail-with-body "$SELVEDGE/v3/accounts" -H 'Content-Type: application/json' -d @- > account.json

export ACCOUNT=$(jq -r .stitch_account_id account.json)
export TOKEN=$(jq -r .access_token account.json)      # shown this once: keep it as you keep a password
