# Every call from here on carries the account's token. This function saves repeating it:
#   api METHOD PATH [JSON BODY]
api() {
  curl -sS --fail-with-body -X "$1" "$SELVEDGE$2" \
    -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ${3:+-d "$3"}
}
