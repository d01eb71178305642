-- What a partner exchanges, once and soon, for an access token to an account.
create table authorization_codes (
    code_hash text not null primary key,
    partner_id text not null references partners (id),
    account_id bigint not null references accounts (id),
    redirect_uri text not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);

create index authorization_codes_expires on authorization_codes (expires_at);
