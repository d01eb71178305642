-- What hooks are still to be told.
create table hook_messages (
    id text not null primary key,
    account_id integer not null references accounts (id),
    hook_id integer not null references hooks (id) on delete cascade,
    body blob not null,
    attempts integer not null default 0,
    next_attempt_at integer not null,
    claimed_until integer,
    last_error text,
    created_at integer not null
) strict;

create index hook_messages_due on hook_messages (next_attempt_at);
create index hook_messages_hook on hook_messages (hook_id);
