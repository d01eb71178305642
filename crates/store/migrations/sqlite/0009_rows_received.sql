-- When rows were last received for a source that others push to.
alter table sources add column rows_received_at integer;
