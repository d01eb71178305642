-- How far the pushed records of a table are loaded. A lane is a table of a source on its way to a destination, or to whichever
-- the source has (destination_id 0); positions mean nothing but in the log that they come from.
create table intake_lanes (
    account_id bigint not null references accounts (id),
    source_id bigint not null references sources (id),
    destination_id bigint not null,
    table_name text not null,
    log_id text not null,
    fence bigint not null,
    loaded_upto bigint not null,
    loaded_through bigint not null,
    table_version bigint,
    updated_at bigint not null,
    primary key (source_id, destination_id, table_name, log_id)
);

-- Sequence numbers that a source may have given to what it received: after a restart it goes on behind them.
create table intake_clocks (
    source_id bigint not null primary key references sources (id),
    account_id bigint not null references accounts (id),
    reserved_upto bigint not null
);
