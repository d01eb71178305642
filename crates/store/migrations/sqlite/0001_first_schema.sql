-- The first schema. Instants are microseconds since 1970 in UTC, booleans 0 or 1, JSON is text.

-- Facts about this database: the check value of the master key, and the id of this installation.
create table meta (
    key text not null primary key,
    text_value text,
    blob_value blob
) strict;

-- Companies that create accounts through the API.
create table partners (
    id text not null primary key,
    name text not null,
    secret_hash text not null unique,
    redirect_uris text not null,
    created_at integer not null,
    disabled_at integer
) strict;

create table accounts (
    id integer primary key autoincrement,
    company text not null,
    region text not null,
    first_name text not null,
    last_name text not null,
    email text not null,
    email_key text not null,
    partner_id text references partners (id),
    created_at integer not null,
    deleted_at integer
) strict;

create unique index accounts_email on accounts (email_key) where deleted_at is null;

create table access_tokens (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    token_hash text not null unique,
    partner_id text references partners (id),
    created_at integer not null,
    last_used_at integer,
    revoked_at integer
) strict;

create index access_tokens_account on access_tokens (account_id);

create table destinations (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    type text not null,
    name text not null,
    description text,
    properties text not null,
    credentials blob,
    check_job_name text,
    verified_at integer,
    paused_at integer,
    system_paused_at integer,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;

create index destinations_account on destinations (account_id);

create table sources (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    type text not null,
    display_name text not null,
    name text not null,
    name_key text not null,
    properties text not null,
    credentials blob,
    destination_id integer references destinations (id),
    check_job_name text,
    discovered_at integer,
    paused_at text,
    system_paused_at integer,
    ready_at integer,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;

create index sources_account on sources (account_id);
create index sources_destination on sources (destination_id);
create unique index sources_name on sources (account_id, name_key) where deleted_at is null;

create table streams (
    id integer primary key autoincrement,
    account_id integer not null references accounts (id),
    source_id integer not null references sources (id),
    tap_stream_id text not null,
    stream_name text not null,
    schema text not null,
    metadata text not null,
    field_metadata text not null,
    fingerprint text not null,
    choices text not null,
    position text,
    position_fence integer,
    epoch integer not null,
    discovered_at integer not null,
    removed_at integer,
    unique (source_id, tap_stream_id)
) strict;

-- The last fencing number handed out per connection; kind 'account' rows only serialise claims.
create table fences (
    kind text not null,
    id integer not null,
    fence integer not null,
    primary key (kind, id)
) strict;

create table jobs (
    id integer primary key autoincrement,
    job_name text not null unique,
    account_id integer not null references accounts (id),
    connection_kind text not null,
    connection_id integer not null,
    mode text not null,
    state text not null,
    created_at integer not null,
    started_at integer,
    completed_at integer,
    stop_requested_at integer,
    lease_owner text,
    lease_expires_at integer,
    fence integer not null,
    attempts integer not null,
    discovery_exit_status integer,
    discovery_description text,
    tap_exit_status integer,
    tap_description text,
    target_exit_status integer,
    target_description text,
    check_exit_status integer,
    check_description text,
    row_count integer not null,
    size_bytes integer not null,
    streams_done integer not null,
    streams_total integer not null
) strict;

create unique index jobs_active on jobs (connection_kind, connection_id, mode) where state in ('pending', 'running');
create index jobs_queue on jobs (mode, id) where state in ('pending', 'running');
create index jobs_account_running on jobs (account_id) where state = 'running';
create index jobs_history on jobs (connection_kind, connection_id, mode, id);
create index jobs_completed on jobs (completed_at);

-- The newest load attempt per stream.
create table loads (
    account_id integer not null references accounts (id),
    source_id integer not null references sources (id),
    source_name text not null,
    stream_name text not null,
    last_batch_loaded_at integer,
    error_state text,
    row_count integer not null,
    updated_at integer not null,
    primary key (source_id, stream_name)
) strict;

create index loads_account on loads (account_id, stream_name, source_name);

-- Answers kept for repeats of a request with the same idempotency key.
create table idempotency_keys (
    scope text not null,
    key_hash text not null,
    body_hash text not null,
    status integer,
    answer blob,
    created_at integer not null,
    primary key (scope, key_hash)
) strict;

create index idempotency_keys_created on idempotency_keys (created_at);

-- Ids have six digits from the first one on.
insert into sqlite_sequence (name, seq)
values
    ('accounts', 99999),
    ('access_tokens', 99999),
    ('destinations', 99999),
    ('sources', 99999),
    ('streams', 99999),
    ('jobs', 99999);
