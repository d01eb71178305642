//! The two source tables, the same on every machine: each value follows from the row's number.

use std::fmt::Write as _;

/// A source table and how to fill it.
pub(crate) struct Dataset {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<Column>,
}

/// A column: its type, and its value in row `i` as an expression.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) sql_type: &'static str,
    expression: String,
}

impl Dataset {
    /// Five columns, some 50 bytes a row.
    pub(crate) fn narrow(rows: u64) -> Self {
        let columns = [
            ("id", "bigint", "i"),
            ("customer_id", "integer", "(i * 7919 % 100003)::integer"),
            (
                "amount",
                "numeric(12,2)",
                "(i * 104729 % 99999989)::numeric / 100",
            ),
            (
                "status",
                "text",
                "(array['new', 'paid', 'sent', null, 'returned'])[1 + i % 5]",
            ),
            (
                "created_at",
                "timestamptz",
                "timestamptz '2021-01-01 00:00:00+00' + i * interval '17.123457 seconds'",
            ),
        ];
        Self {
            name: "narrow",
            rows,
            columns: columns
                .into_iter()
                .map(|(name, sql_type, expression)| Column {
                    name: name.to_owned(),
                    sql_type,
                    expression: expression.to_owned(),
                })
                .collect(),
        }
    }

    /// Forty columns of all common types, every third with NULLs, some 650 bytes a row.
    pub(crate) fn wide(rows: u64) -> Self {
        // `{k}` is the column's number, so that no two columns are alike.
        let families: [(&str, usize, &str, &str); 13] = [
            (
                "int",
                6,
                "integer",
                "(i * (7919 + {k}) % 2000000011 - 1000000000)::integer",
            ),
            (
                "small",
                2,
                "smallint",
                "(i * (31 + {k}) % 65521 - 32760)::smallint",
            ),
            (
                "big",
                4,
                "bigint",
                "i * 1000000007 * (1 + {k}) - 4000000000000000000",
            ),
            (
                "num",
                5,
                "numeric(18,4)",
                "(i * (99991 + {k}) % 10000000000037 - 5000000000000)::numeric / 10000",
            ),
            (
                "double",
                4,
                "double precision",
                "sqrt(i::double precision) * ({k} - 19.5)",
            ),
            ("flag", 4, "boolean", "(i / {k}) % 2 = 0"),
            ("code", 3, "text", "substr(md5((i * {k})::text), 1, 8)"),
            ("hash", 3, "text", "md5((i + {k})::text)"),
            (
                "note",
                1,
                "text",
                "repeat(md5((i * 3 + {k})::text), 1 + (i % 11)::integer)",
            ),
            (
                "at",
                2,
                "timestamp",
                "timestamp '2015-01-01 00:00:00' + i * interval '{k}.000123 seconds'",
            ),
            (
                "instant",
                2,
                "timestamptz",
                "timestamptz '2018-01-01 00:00:00+00' + i * interval '{k}.654321 seconds'",
            ),
            (
                "day",
                2,
                "date",
                "date '1990-01-01' + (i * {k} % 20000)::integer",
            ),
            ("uid", 1, "uuid", "md5((i * {k} + 1)::text)::uuid"),
        ];
        let mut columns = vec![Column {
            name: "id".to_owned(),
            sql_type: "bigint",
            expression: "i".to_owned(),
        }];
        for (family, count, sql_type, template) in families {
            for number in 1..=count {
                let k = columns.len();
                let value = template.replace("{k}", &k.to_string());
                columns.push(Column {
                    name: format!("{family}_{number}"),
                    sql_type,
                    expression: if k % 3 == 0 {
                        format!("case when (i + {k}) % 7 <> 0 then {value} end")
                    } else {
                        value
                    },
                });
            }
        }
        Self {
            name: "wide",
            rows,
            columns,
        }
    }

    /// Creates, fills and analyses the table.
    pub(crate) fn statements(&self) -> String {
        let name = self.name;
        let mut text = format!("create table {name} (");
        for (index, column) in self.columns.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(text, "{comma}{} {}", column.name, column.sql_type)
                .expect("a String takes text");
        }
        let expressions: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.expression.as_str())
            .collect();
        let expressions = expressions.join(", ");
        let rows = self.rows;
        write!(
            text,
            "); insert into {name} select {expressions} from generate_series(1::bigint, {rows}) as i; \
             alter table {name} add primary key (id); analyze {name};"
        )
        .expect("a String takes text");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Dataset;

    #[test]
    fn the_wide_table_has_forty_columns_with_names_of_their_own() {
        let wide = Dataset::wide(1);
        let mut names: Vec<_> = wide.columns.iter().map(|column| &column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 40);
    }
}
