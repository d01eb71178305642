-- What hooks are still to be told.
create table hook_messages (
    id text not null primary key,
    account_id bigint not null references accounts (id),
    hook_id bigint not null references hooks (id) on delete cascade,
    body bytea not null,
    attempts bigint not null default 0,
    next_attempt_at bigint not null,
    claimed_until bigint,
    last_error text,
    created_at bigint not null
);

create index hook_messages_due on hook_messages (next_attempt_at);
create index hook_messages_hook on hook_messages (hook_id);
