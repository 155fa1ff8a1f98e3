//! What morphology finds beyond the parts of words. The node of the tests has nori and kuromoji.

use domain::{Event, StreamId};
use projections::products::testing::Stage;
use projections::products::testing::examples::*;

use crate::given::Given;

/// Things of each language.
fn things() -> Vec<(StreamId, Event)> {
    let names: [(u128, &str, &str); 6] = [
        (1, "ko", "무선 청소기를 위한 필터"),
        (2, "ko", "청소 솔"),
        (3, "en", "Children's Running Shoe"),
        (4, "ja", "走りやすい靴"),
        (5, "ko", "책을 읽는 의자"),
        (6, "en", "Shelf for knives"),
    ];
    names
        .into_iter()
        .flat_map(|(number, language, name)| offered(product(number, &[(language, name)])))
        .collect()
}

#[tokio::test]
async fn korean_is_found_without_its_particles_and_endings() {
    let given = Given::open(things()).await;
    for (q, wanted) in
        [("청소기", &[1][..]), ("청소기는", &[1]), ("무선청소기", &[1]), ("의자에", &[5]), ("청소", &[1, 2])]
    {
        assert_eq!(sorted(given.finder(), q).await, wanted, "{q}");
    }
}

#[tokio::test]
async fn other_forms_of_english_and_japanese_words_are_found() {
    let given = Given::open(things()).await;
    for (q, wanted) in [("shoes", &[3][..]), ("runs", &[3]), ("knife", &[]), ("shelves", &[]), ("走る", &[4])]
    {
        assert_eq!(sorted(given.finder(), q).await, wanted, "{q}");
    }
}

#[tokio::test]
async fn what_is_not_a_word_is_taken_as_it_is() {
    let given = Given::open(things()).await;
    assert_eq!(sorted(given.finder(), "shoes%").await, [0; 0]);
}
