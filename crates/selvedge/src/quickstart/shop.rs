//! A small shop: customers, orders, items and events, the same on every machine.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio_postgres::{Client, NoTls};

/// Tables of the shop, with the key by which a change is noticed (`None`: read in full).
pub(crate) const TABLES: [(&str, Option<&str>); 4] = [
    ("customers", None),
    ("orders", Some("updated_at")),
    ("items", None),
    ("events", None),
];

/// A database that can hold a shop, and later its copy.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(Client),
}

/// What two copies of a table must agree on: the number of rows and two sums over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) row_count: i64,
    ids: i64,
    content: i64,
}

impl Database {
    /// Connects to a PostgreSQL database given as a URL.
    pub(crate) async fn postgres(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .context("the database could not be reached")?;
        // The task ends with the client; a broken connection shows up in the client's next call.
        tokio::spawn(connection);
        Ok(Database::Postgres(client))
    }

    /// Makes the tables and fills them.
    pub(crate) async fn generate(&self, customers: u32) -> anyhow::Result<()> {
        self.execute(&schema(self)).await?;
        self.execute(&rows(self, customers)).await
    }

    /// Changes some rows, as a day of business would: statuses move on, some customers earn credit, some orders are new.
    pub(crate) async fn change(&self) -> anyhow::Result<()> {
        let (at, prefix) = (self.literal_time("'2026-03-01 08:00:00'"), self.prefix());
        self.execute(&format!(
            "update {prefix}orders set status = 'returned', updated_at = {at} where id % 50 = 0;
             update {prefix}customers set credit = credit + 5, updated_at = {at} where id % 100 = 0;
             insert into {prefix}orders (id, customer_id, status, total, placed_at, updated_at)
               select id + 10000000, customer_id, 'new', total, {at}, {at} from {prefix}orders where id <= 500;
             delete from {prefix}items where order_id % 1000 = 0;"
        ))
        .await
    }

    /// Rows that [`Database::change`] touched or added, as the replica should show them.
    pub(crate) async fn returned_orders(&self, table: &str) -> anyhow::Result<i64> {
        self.number(&format!(
            "select count(*) from {table} where status = 'returned'"
        ))
        .await
    }

    /// Reads what copies are compared by; `table` as this database names it.
    pub(crate) async fn fingerprint(
        &self,
        table: &str,
        stream: &str,
    ) -> anyhow::Result<Fingerprint> {
        let (ids, content) = match stream {
            "customers" => ("id", "length(name) + length(email)"),
            "orders" => ("id", "length(status) + customer_id"),
            "items" => ("order_id * 8 + line", "quantity + length(sku)"),
            _ => ("id", "customer_id + length(kind)"),
        };
        Ok(Fingerprint {
            row_count: self
                .number(&format!("select count(*) from {table}"))
                .await?,
            ids: self
                .number(&format!(
                    "select cast(coalesce(sum({ids}), 0) as bigint) from {table}"
                ))
                .await?,
            content: self
                .number(&format!(
                    "select cast(coalesce(sum({content}), 0) as bigint) from {table}"
                ))
                .await?,
        })
    }

    /// `shop.` where there are schemas.
    pub(crate) fn prefix(&self) -> &'static str {
        match self {
            Database::Sqlite(_) => "",
            Database::Postgres(_) => "shop.",
        }
    }

    fn literal_time(&self, text: &str) -> String {
        match self {
            Database::Sqlite(_) => text.to_owned(),
            Database::Postgres(_) => format!("timestamp {text}"),
        }
    }

    async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Database::Postgres(client) => client
                .batch_execute(sql)
                .await
                .context("the shop could not be written"),
            Database::Sqlite(path) => {
                let sql = format!("begin; {sql} commit;");
                blocking(path, move |connection| connection.execute_batch(&sql)).await
            }
        }
    }

    async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        match self {
            Database::Postgres(client) => Ok(client
                .query_one(sql, &[])
                .await
                .context("a check failed to run")?
                .get(0)),
            Database::Sqlite(path) => {
                let sql = sql.to_owned();
                blocking(path, move |connection| {
                    connection.query_row(&sql, [], |row| row.get(0))
                })
                .await
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let connection = rusqlite::Connection::open(&path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        work(&connection)
    })
    .await
    .context("a database task crashed")?
    .context("the SQLite file could not be used")
}

fn schema(database: &Database) -> String {
    let (start, timestamp) = match database {
        Database::Sqlite(_) => ("", "datetime"),
        Database::Postgres(_) => (
            "drop schema if exists shop cascade; create schema shop;",
            "timestamp",
        ),
    };
    let prefix = database.prefix();
    format!(
        "{start}
         create table {prefix}customers (id bigint primary key, name text not null, email text, country text,
           credit decimal(12,2), active boolean, created_at {timestamp}, updated_at {timestamp});
         create table {prefix}orders (id bigint primary key, customer_id bigint not null, status text,
           total decimal(12,2), placed_at {timestamp}, updated_at {timestamp});
         create table {prefix}items (order_id bigint not null, line integer not null, sku text, quantity integer,
           price decimal(10,2), primary key (order_id, line));
         create table {prefix}events (id bigint, customer_id bigint, kind text, at {timestamp}, page text);"
    )
}

/// The same expressions in both databases; only how a time is made differs.
fn rows(database: &Database, customers: u32) -> String {
    let prefix = database.prefix();
    let (orders, items, events) = (customers * 5, customers * 10, customers * 5);
    let minutes = |count: &str| match database {
        Database::Sqlite(_) => {
            format!("datetime('2025-01-01 00:00:00', '+' || ({count}) || ' minutes')")
        }
        Database::Postgres(_) => {
            format!("timestamp '2025-01-01 00:00:00' + ({count}) * interval '1 minute'")
        }
    };
    // A decimal is built from its digits, so that no database goes through a float.
    let money = |cents: &str, precision: u8| {
        let text = format!(
            "cast(({cents}) / 100 as text) || '.' || substr(cast(100 + ({cents}) % 100 as text), 2)"
        );
        match database {
            Database::Sqlite(_) => text,
            Database::Postgres(_) => format!("cast({text} as decimal({precision},2))"),
        }
    };
    let boolean = match database {
        Database::Sqlite(_) => "i % 7 <> 0".to_owned(),
        Database::Postgres(_) => "(i % 7 <> 0)".to_owned(),
    };
    let numbers = |count: u32| {
        format!(
            "with recursive n(i) as (select cast(1 as bigint) union all select i + 1 from n where i < {count})"
        )
    };
    format!(
        "insert into {prefix}customers {customer_numbers}
           select i, 'Customer ' || i, case when i % 11 = 0 then null else 'c' || i || '@shop.example' end,
             case i % 4 when 0 then 'SE' when 1 then 'PT' when 2 then 'KE' else 'NZ' end, {credit}, {boolean},
             {created}, {created} from n;
         insert into {prefix}orders {order_numbers}
           select i, 1 + (i * 7919) % {customers}, case i % 3 when 0 then 'paid' when 1 then 'shipped' else 'new' end,
             {total}, {placed}, {placed} from n;
         insert into {prefix}items {item_numbers}
           select 1 + (i - 1) / 2, 1 + (i - 1) % 2, 'SKU-' || (i * 31 % 997), 1 + i % 5, {price} from n;
         insert into {prefix}events {event_numbers}
           select i, 1 + (i * 104729) % {customers}, case i % 2 when 0 then 'view' else 'click' end, {at},
             '/products/' || (i % 500) from n;",
        customer_numbers = numbers(customers),
        order_numbers = numbers(orders),
        item_numbers = numbers(items),
        event_numbers = numbers(events),
        credit = money("i * 37 % 100000", 12),
        created = minutes("i % 500000"),
        total = money("100 + i * 53 % 200000", 12),
        placed = minutes("i % 500000"),
        price = money("99 + i * 17 % 9000", 10),
        at = minutes("i % 600000"),
    )
}
