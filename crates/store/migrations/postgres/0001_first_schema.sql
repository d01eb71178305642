-- The first schema. Instants are microseconds since 1970 in UTC, booleans 0 or 1, JSON is text.

-- Facts about this database: the check value of the master key, and the id of this installation.
create table meta (
    key text not null primary key,
    text_value text,
    blob_value bytea
);

-- Companies that create accounts through the API.
create table partners (
    id text not null primary key,
    name text not null,
    secret_hash text not null unique,
    redirect_uris text not null,
    created_at bigint not null,
    disabled_at bigint
);

create table accounts (
    id bigint generated always as identity (start with 100000) primary key,
    company text not null,
    region text not null,
    first_name text not null,
    last_name text not null,
    email text not null,
    email_key text not null,
    partner_id text references partners (id),
    created_at bigint not null,
    deleted_at bigint
);

create unique index accounts_email on accounts (email_key) where deleted_at is null;

create table access_tokens (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    token_hash text not null unique,
    partner_id text references partners (id),
    created_at bigint not null,
    last_used_at bigint,
    revoked_at bigint
);

create index access_tokens_account on access_tokens (account_id);

create table destinations (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    type text not null,
    name text not null,
    description text,
    properties text not null,
    credentials bytea,
    check_job_name text,
    verified_at bigint,
    paused_at bigint,
    system_paused_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);

create index destinations_account on destinations (account_id);

create table sources (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    type text not null,
    display_name text not null,
    name text not null,
    name_key text not null,
    properties text not null,
    credentials bytea,
    destination_id bigint references destinations (id),
    check_job_name text,
    discovered_at bigint,
    paused_at text,
    system_paused_at bigint,
    ready_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);

create index sources_account on sources (account_id);
create index sources_destination on sources (destination_id);
create unique index sources_name on sources (account_id, name_key) where deleted_at is null;

create table streams (
    id bigint generated always as identity (start with 100000) primary key,
    account_id bigint not null references accounts (id),
    source_id bigint not null references sources (id),
    tap_stream_id text not null,
    stream_name text not null,
    schema text not null,
    metadata text not null,
    field_metadata text not null,
    fingerprint text not null,
    choices text not null,
    position text,
    position_fence bigint,
    epoch bigint not null,
    discovered_at bigint not null,
    removed_at bigint,
    unique (source_id, tap_stream_id)
);

-- The last fencing number handed out per connection; kind 'account' rows only serialise claims.
create table fences (
    kind text not null,
    id bigint not null,
    fence bigint not null,
    primary key (kind, id)
);

create table jobs (
    id bigint generated always as identity (start with 100000) primary key,
    job_name text not null unique,
    account_id bigint not null references accounts (id),
    connection_kind text not null,
    connection_id bigint not null,
    mode text not null,
    state text not null,
    created_at bigint not null,
    started_at bigint,
    completed_at bigint,
    stop_requested_at bigint,
    lease_owner text,
    lease_expires_at bigint,
    fence bigint not null,
    attempts bigint not null,
    discovery_exit_status bigint,
    discovery_description text,
    tap_exit_status bigint,
    tap_description text,
    target_exit_status bigint,
    target_description text,
    check_exit_status bigint,
    check_description text,
    row_count bigint not null,
    size_bytes bigint not null,
    streams_done bigint not null,
    streams_total bigint not null
);

create unique index jobs_active on jobs (connection_kind, connection_id, mode) where state in ('pending', 'running');
create index jobs_queue on jobs (mode, id) where state in ('pending', 'running');
create index jobs_account_running on jobs (account_id) where state = 'running';
create index jobs_history on jobs (connection_kind, connection_id, mode, id);
create index jobs_completed on jobs (completed_at);

-- The newest load attempt per stream.
create table loads (
    account_id bigint not null references accounts (id),
    source_id bigint not null references sources (id),
    source_name text collate "C" not null,
    stream_name text collate "C" not null,
    last_batch_loaded_at bigint,
    error_state text,
    row_count bigint not null,
    updated_at bigint not null,
    primary key (source_id, stream_name)
);

create index loads_account on loads (account_id, stream_name, source_name);

-- Answers kept for repeats of a request with the same idempotency key.
create table idempotency_keys (
    scope text not null,
    key_hash text not null,
    body_hash text not null,
    status bigint,
    answer bytea,
    created_at bigint not null,
    primary key (scope, key_hash)
);

create index idempotency_keys_created on idempotency_keys (created_at);
