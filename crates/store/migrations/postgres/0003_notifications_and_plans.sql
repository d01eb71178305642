-- Who else gets notification mails, who is called after loads, and which plan an account is on.

create table custom_emails (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    email_address text not null,
    email_key text not null,
    created_at bigint not null,
    disabled_at bigint
);

create unique index custom_emails_address on custom_emails (account_id, email_key);

create table hooks (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    destination_id bigint not null references destinations (id),
    type text not null,
    url text not null,
    secret bytea,
    created_at bigint not null,
    modified_at bigint not null,
    disabled_at bigint
);

create index hooks_account on hooks (account_id);
create index hooks_destination on hooks (destination_id);

-- A name of the operator's configuration; null for accounts without a plan, which may do everything.
alter table accounts add column plan text;

create index accounts_plan on accounts (plan) where plan is not null;
