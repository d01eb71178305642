# All loads, page by page: `links.next` is missing on the last page.
page="/v4/$ACCOUNT/loads"
while [ -n "$page" ]; do
  api GET "$page" > page.json
  jq -r '.data[] | [.source_name, .stream_name, .last_batch_loaded_at] | @tsv' page.json
  page=$(jq -r '.links.next // ""' page.json)
done
