//! Reads by replication key: order, boundaries, positions.

use selvedge_connector::{ErrorKind, KeyBound, ReadContext, ReadMethod};

use crate::support::{Events, Fixture, Native, Stitch, context, incremental, read, request};

impl Fixture {
    async fn read_after(&self, table: &str, key: &str, after: Option<&str>) -> Events {
        let stream = self.stream(table, Stitch).await;
        let method = incremental(key, after);
        read(&self.source(), context(Stitch), request(&stream, method))
            .await
            .unwrap()
    }
}

fn ids(events: &Events) -> Vec<String> {
    events
        .rows()
        .into_iter()
        .map(|row| row[0].clone())
        .collect()
}

#[tokio::test]
async fn every_key_type_resumes_at_its_own_position() {
    for (kind, low, high, position) in [
        ("smallint", "-7", "32767", "32767"),
        ("integer", "-7", "2147483647", "2147483647"),
        ("bigint", "-7", "9223372036854775807", "9223372036854775807"),
        ("date", "0001-01-01", "2031-02-03", "2031-02-03"),
        (
            "timestamp",
            "1969-12-31 23:59:59",
            "2031-02-03 04:05:06.789012",
            "2031-02-03T04:05:06.789012",
        ),
        (
            "timestamptz",
            "1969-12-31 23:59:59+00",
            "2031-02-03 04:05:06.7+05",
            "2031-02-02T23:05:06.700000+00",
        ),
    ] {
        let fixture = Fixture::new(&format!(
            "create domain k as {kind}; create table t (id int, key {kind}, via k);
             insert into t values (1, '{high}', '{high}'), (2, '{low}', '{low}'), (3, null, null), (4, '{high}', '{high}')"
        ))
        .await;
        for key in ["key", "via"] {
            let first = fixture.read_after("t", key, None).await;
            assert_eq!(ids(&first)[..2], ["3", "2"], "{kind}");
            assert_eq!(first.positions, [(4, position.to_owned())], "{kind}");
            let later = fixture.read_after("t", key, Some(position)).await;
            let mut again = ids(&later);
            again.sort();
            assert_eq!(
                again,
                ["1", "4"],
                "{kind}: the boundary is read again, NULL keys are not"
            );
            assert_eq!(later.positions, [(2, position.to_owned())], "{kind}");
        }
    }
}

#[tokio::test]
async fn a_date_key_has_the_same_position_with_native_fidelity() {
    let fixture =
        Fixture::new("create table t (id int, key date); insert into t values (1, '2031-02-03')")
            .await;
    let stream = fixture.stream("t", Native).await;
    let method = incremental("key", None);
    let events = read(&fixture.source(), context(Native), request(&stream, method))
        .await
        .unwrap();
    assert_eq!(events.positions, [(1, "2031-02-03".to_owned())]);
}

#[tokio::test]
async fn each_batch_passes_the_key_before_its_greatest() {
    let fixture = Fixture::new(
        "create table t as select n as id, nullif(greatest(n - 10, 0), 0) as key from generate_series(1, 40) n order by random()",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    let method = incremental("key", None);
    let ctx = ReadContext {
        batch_rows: 8,
        ..context(Stitch)
    };
    let events = read(&fixture.source(), ctx, request(&stream, method))
        .await
        .unwrap();
    // Eight NULL keys fill the first batch: there is no position yet.
    let passed: Vec<_> = events
        .passed
        .iter()
        .map(|(rows, key)| (*rows, key.as_str()))
        .collect();
    assert_eq!(passed, [(15, "5"), (23, "13"), (31, "21"), (39, "29")]);
    assert_eq!(events.positions, [(40, "30".to_owned())]);
}

#[tokio::test]
async fn a_read_behind_a_key_does_not_include_it() {
    let fixture = Fixture::new(
        "create table t (id int, key date);
         insert into t values (1, '2031-02-03'), (2, '2031-02-03'), (3, '2031-02-04')",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    let method = ReadMethod::Incremental {
        key: "key".to_owned(),
        from: Some(KeyBound {
            value: "2031-02-03".to_owned(),
            inclusive: false,
        }),
    };
    let events = read(&fixture.source(), context(Stitch), request(&stream, method))
        .await
        .unwrap();
    assert_eq!(ids(&events), ["3"]);
}

#[tokio::test]
async fn a_key_that_is_null_everywhere_gives_no_position() {
    let fixture = Fixture::new("create table t (id int, key bigint); insert into t select n, null from generate_series(1, 5) n").await;
    let events = fixture.read_after("t", "key", None).await;
    assert_eq!((events.row_count(), events.positions.len()), (5, 0));
}

#[tokio::test]
async fn nothing_new_gives_no_position() {
    let fixture = Fixture::new("create table t (id int); insert into t values (1)").await;
    let events = fixture.read_after("t", "id", Some("2")).await;
    assert_eq!((events.row_count(), events.positions.len()), (0, 0));
}

#[tokio::test]
async fn infinite_keys_do_not_become_positions() {
    let fixture = Fixture::new("create table t (id int, key timestamp); insert into t values (1, 'infinity'), (2, '2031-02-03'), (3, '-infinity')").await;
    let events = fixture.read_after("t", "key", None).await;
    assert_eq!(ids(&events), ["3", "2", "1"]);
    assert_eq!(
        events.positions,
        [(3, "2031-02-03T00:00:00.000000".to_owned())]
    );
}

#[tokio::test]
async fn views_can_be_read_by_key() {
    let fixture = Fixture::new("create table t (id int); insert into t values (1), (2), (3); create view v as select id from t").await;
    let events = fixture.read_after("v", "id", Some("2")).await;
    assert_eq!(ids(&events), ["2", "3"]);
}

#[tokio::test]
async fn unsuitable_keys_are_refused_by_table_and_name() {
    let fixture =
        Fixture::new("create table t (id int, name text, price numeric(10,2), tags int[])").await;
    let stream = fixture.stream("t", Stitch).await;
    assert_eq!(stream.replication_keys, ["id"]);
    for (key, text) in [
        (
            "name",
            "table public.t: replication key name: [text] is not a supported replication key type",
        ),
        (
            "price",
            "table public.t: replication key price: [numeric(10,2)] is not a supported replication key type",
        ),
        (
            "tags",
            "table public.t: replication key tags: [integer[]] is not a supported replication key type",
        ),
        (
            "gone",
            "table public.t: replication key gone: the table has no such column",
        ),
    ] {
        let method = incremental(key, None);
        let error = read(&fixture.source(), context(Stitch), request(&stream, method))
            .await
            .err()
            .unwrap();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Configuration, text)
        );
    }
}

#[tokio::test]
async fn a_position_of_another_type_is_a_configuration_error() {
    let fixture = Fixture::new("create table t (id int); insert into t values (1)").await;
    let stream = fixture.stream("t", Stitch).await;
    for after in ["2031-02-03", "99999999999", "1' or true --"] {
        let method = incremental("id", Some(after));
        let error = read(&fixture.source(), context(Stitch), request(&stream, method))
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Configuration, "{error}");
        assert!(error.message.contains("position"), "{error}");
    }
}
