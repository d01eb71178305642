-- Who else gets notification mails, who is called after loads, and which plan an account is on.

create table custom_emails (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    email_address text not null,
    email_key text not null,
    created_at integer not null,
    disabled_at integer
) strict;

create unique index custom_emails_address on custom_emails (account_id, email_key);

create table hooks (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    destination_id integer not null references destinations (id),
    type text not null,
    url text not null,
    secret blob,
    created_at integer not null,
    modified_at integer not null,
    disabled_at integer
) strict;

create index hooks_account on hooks (account_id);
create index hooks_destination on hooks (destination_id);

-- A name of the operator's configuration; null for accounts without a plan, which may do everything.
alter table accounts add column plan text;

create index accounts_plan on accounts (plan) where plan is not null;

-- Ids have six digits from the first one on.
insert into sqlite_sequence (name, seq)
values
    ('custom_emails', 99999),
    ('hooks', 99999);
