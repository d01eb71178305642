//! Nested values of native sources, from the source's column to the rows of subtables.

use crate::pipeline::Pipeline;

#[tokio::test]
async fn json_and_arrays_of_a_table_become_columns_and_subtables() {
    let pipeline = Pipeline::start(
        "create extension if not exists hstore;
         create table orders (id integer primary key, doc jsonb, tags text[], totals numeric(8,2)[], extra hstore);
         insert into orders values
           (1, '{\"size\": {\"w\": 30}, \"items\": [{\"sku\": \"a\", \"scans\": [1, 2]}, {\"sku\": \"b\"}]}', '{gift,blue}',
            '{12.50,NULL}', 'colour=>red'),
           (2, '[true]', '{}', null, null),
           (3, null, null, null, null)",
    )
    .await;
    pipeline.select_incremental("orders", "id").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select id, doc__size__w, extra__colour from shop.orders order by id")
            .await,
        ["1|30|red", "2|∅|∅", "3|∅|∅"]
    );
    assert_eq!(
        pipeline
            .arrived("select _sdc_source_key_id, _sdc_level_0_id, sku from shop.orders__doc__items order by 1, 2")
            .await,
        ["1|0|a", "1|1|b"]
    );
    assert_eq!(
        pipeline
            .arrived(
                "select _sdc_source_key_id, _sdc_level_0_id, _sdc_level_1_id, value
                 from shop.orders__doc__items__scans order by 1, 2, 3"
            )
            .await,
        ["1|0|0|1", "1|0|1|2"]
    );
    assert_eq!(
        pipeline
            .arrived("select _sdc_source_key_id, value from shop.orders__doc")
            .await,
        ["2|t"]
    );
    assert_eq!(
        pipeline
            .arrived("select value::text from shop.orders__totals order by _sdc_level_0_id")
            .await,
        ["12.50", "∅"]
    );
    pipeline
        .change(
            "delete from orders; insert into orders values
               (3, '{\"items\": [{\"sku\": \"late\"}]}', '{new}', null, null)",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select _sdc_source_key_id, sku from shop.orders__doc__items order by 1, 2")
            .await,
        ["1|a", "1|b", "3|late"]
    );
    assert_eq!(
        pipeline
            .arrived("select _sdc_source_key_id, value from shop.orders__tags order by 1, _sdc_level_0_id")
            .await,
        ["1|gift", "1|blue", "3|new"]
    );
}
