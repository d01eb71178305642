-- Tokens that start a web session: each lives for an hour and ends with the access token that made it.
create table ephemeral_tokens (
    token_hash text not null primary key,
    access_token_id bigint not null references access_tokens (id),
    created_at bigint not null,
    expires_at bigint not null,
    exchanged_at bigint
);

create index ephemeral_tokens_expires on ephemeral_tokens (expires_at);

-- Tokens that push records to one source.
create table import_tokens (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    source_id bigint not null references sources (id),
    token_hash text not null unique,
    created_at bigint not null,
    revoked_at bigint
);

create index import_tokens_active on import_tokens (source_id) where revoked_at is null;
