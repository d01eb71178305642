//! What a run finds of the commit before.

use selvedge_connector::LoadMode;

use crate::support::{Warehouse, checkpoint, int};

#[tokio::test]
async fn the_position_of_the_last_commit_is_given_back_to_the_same_life_of_the_stream() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&[], LoadMode::Merge);
    let opened = async |target| {
        let writer = warehouse.open(target, 9).await.unwrap();
        writer.committed_position().map(str::to_owned)
    };
    assert_eq!(opened(target.clone()).await, None);
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    writer
        .write(warehouse.batch(vec![int("n", &[Some(1)])]))
        .await
        .unwrap();
    writer.commit(checkpoint(5)).await.unwrap();
    // A row that no commit covers takes no position along.
    writer
        .write(warehouse.batch(vec![int("n", &[Some(2)])]))
        .await
        .unwrap();
    drop(writer);
    let last = Some("p5".to_owned());
    assert_eq!(opened(target.clone()).await, last);
    let mut next_life = target.clone();
    next_life.identity.epoch += 1;
    assert_eq!(opened(next_life).await, None);
    let mut another = target.clone();
    another.identity.source_id += 1;
    assert_eq!(opened(another).await, None);
    warehouse.execute(&["drop table shop.orders"]).await;
    assert_eq!(opened(target).await, None, "its rows are gone");
}
