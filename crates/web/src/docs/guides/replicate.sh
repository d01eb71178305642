# A fully configured source runs on its schedule; this starts a job now.
export JOB=$(api POST "/v4/sources/$SOURCE/sync" | jq -r .job_name)

# How far it has come; null when it has ended.
until api GET "/v4/sources/$SOURCE/sync" | jq -e '. == null' > /dev/null; do sleep 1; done

# How it ended (three phases, 0 is success), and its log: the answer is a redirect to an address that expires.
api GET "/v4/$ACCOUNT/extractions" | jq --arg job "$JOB" '.data[] | select(.job_name == $job)'
curl -sS --fail-with-body -L "$SELVEDGE/v4/$ACCOUNT/extractions/$JOB" -H "Authorization: Bearer $TOKEN"

# What was loaded last, stream by stream.
api GET "/v4/$ACCOUNT/loads" | jq '.data[] | {stream_name, last_batch_loaded_at, error_state}'
