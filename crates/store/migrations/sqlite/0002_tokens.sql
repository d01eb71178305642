-- Tokens that start a web session: each lives for an hour and ends with the access token that made it.
create table ephemeral_tokens (
    token_hash text not null primary key,
    access_token_id integer not null references access_tokens (id),
    created_at integer not null,
    expires_at integer not null,
    exchanged_at integer
) strict;

create index ephemeral_tokens_expires on ephemeral_tokens (expires_at);

-- Tokens that push records to one source.
create table import_tokens (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    source_id integer not null references sources (id),
    token_hash text not null unique,
    created_at integer not null,
    revoked_at integer
) strict;

create index import_tokens_active on import_tokens (source_id) where revoked_at is null;

insert into sqlite_sequence (name, seq)
values ('import_tokens', 99999);
