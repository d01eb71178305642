-- How far the pushed records of a table are loaded. A lane is a table of a source on its way to a destination, or to whichever
-- the source has (destination_id 0); positions mean nothing but in the log that they come from.
create table intake_lanes (
    account_id integer not null references accounts (id),
    source_id integer not null references sources (id),
    destination_id integer not null,
    table_name text not null,
    log_id text not null,
    fence integer not null,
    loaded_upto integer not null,
    loaded_through integer not null,
    table_version integer,
    updated_at integer not null,
    primary key (source_id, destination_id, table_name, log_id)
) strict;

-- Sequence numbers that a source may have given to what it received: after a restart it goes on behind them.
create table intake_clocks (
    source_id integer not null primary key references sources (id),
    account_id integer not null references accounts (id),
    reserved_upto integer not null
) strict;
