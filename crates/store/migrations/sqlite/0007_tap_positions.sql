-- How far the Singer tap of a source is: the state that it goes on from, and what is known of its tables.
create table tap_positions (
    source_id integer not null primary key references sources (id),
    account_id integer not null references accounts (id),
    position text not null,
    fence integer not null,
    saved_at integer not null
) strict;
