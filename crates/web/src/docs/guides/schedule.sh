# Every six hours, counted from the start of the last job:
api PUT "/v4/sources/$SOURCE" '{"properties": {"frequency_in_minutes": "360"}}' | jq .schedule

# Anchored: at 03:30, 09:30, 15:30 and 21:30 UTC.
api PUT "/v4/sources/$SOURCE" '{"properties": {"anchor_time": "2031-01-01T03:30:00Z"}}' | jq .schedule

# By a Quartz cron expression: at 06:15 UTC on working days. It wins over the two above.
api PUT "/v4/sources/$SOURCE" '{"properties": {"cron_expression": "0 15 6 ? * MON-FRI"}}' | jq .schedule

# Back to the plain frequency; then a pause and its end. Paused sources still run when asked by hand.
api PUT "/v4/sources/$SOURCE" '{"properties": {"cron_expression": null, "anchor_time": null}}' | jq .schedule
api PUT "/v4/sources/$SOURCE" '{"paused_at": "2031-02-03T00:00:00Z"}' | jq .schedule
api PUT "/v4/sources/$SOURCE" '{"paused_at": null}' | jq .schedule
