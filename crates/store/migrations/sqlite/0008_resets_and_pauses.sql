-- When streams of a source last started over at the user's wish: the job that reads them again is due at once.
alter table sources add column reset_at integer;

-- 1 where the system's pause ends by the user's hand only. One that was for the want of a destination left the source without.
alter table sources add column waits_for_user integer not null default 0;
update sources set waits_for_user = 1 where system_paused_at is not null and destination_id is not null;
