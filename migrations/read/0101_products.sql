-- One row per product. `prices` is minor units by currency; `sort_names` the beginning of the folded name by language, always
-- with ko, en and ja.
-- available and bought change with every order: no index holds them, so that such a change touches no index.
CREATE TABLE products (
    product_id    uuid        PRIMARY KEY,
    sku           text        NOT NULL UNIQUE,
    version       integer     NOT NULL,
    published     boolean     NOT NULL,
    category      text        NOT NULL COLLATE "C",
    brand         text        COLLATE "C",
    name          jsonb       NOT NULL,
    description   jsonb       NOT NULL,
    sort_names    jsonb       NOT NULL,
    attributes    jsonb       NOT NULL,
    prices        jsonb       NOT NULL,
    images        jsonb       NOT NULL,
    available     bigint      NOT NULL DEFAULT 0,
    stock_version integer     NOT NULL DEFAULT 0,
    bought        bigint      NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX products_newest ON products (created_at, product_id) WHERE published;
CREATE INDEX products_by_category ON products (category) WHERE published;
CREATE INDEX products_by_brand ON products (brand) WHERE published;
CREATE INDEX products_by_name_ko ON products (((sort_names ->> 'ko') COLLATE "C"), product_id) WHERE published;
CREATE INDEX products_by_name_en ON products (((sort_names ->> 'en') COLLATE "C"), product_id) WHERE published;
CREATE INDEX products_by_name_ja ON products (((sort_names ->> 'ja') COLLATE "C"), product_id) WHERE published;
CREATE INDEX products_by_price_krw ON products (((prices -> 'KRW')::bigint), product_id) WHERE published;
CREATE INDEX products_by_price_usd ON products (((prices -> 'USD')::bigint), product_id) WHERE published;
CREATE INDEX products_by_price_jpy ON products (((prices -> 'JPY')::bigint), product_id) WHERE published;
CREATE INDEX products_by_price_sgd ON products (((prices -> 'SGD')::bigint), product_id) WHERE published;

-- What is searched. `names` holds the folded names, `folded` these and all else that is searched, a line each; `parts` all that
-- is one or two characters of a word there, so that any part of a word is found through an index.
CREATE TABLE product_texts (
    product_id uuid     PRIMARY KEY,
    names      text     NOT NULL COLLATE "C",
    folded     text     NOT NULL COLLATE "C",
    parts      tsvector NOT NULL
);
-- No pending list: products change seldom, and a search must not pay for those that did.
CREATE INDEX product_texts_by_part ON product_texts USING gin (parts) WITH (fastupdate = off);

-- How many published products there are of what kinds, in all (scope '') and below each category; once of all of them and once
-- of those that are in stock. Facets are read from here when nothing else narrows them.
CREATE TABLE product_counts (
    scope         text    NOT NULL COLLATE "C",
    only_in_stock boolean NOT NULL,
    facet         text    NOT NULL COLLATE "C",
    name          text    NOT NULL COLLATE "C",
    value         text    NOT NULL COLLATE "C",
    products      bigint  NOT NULL,
    PRIMARY KEY (scope, only_in_stock, facet, name, value)
) WITH (fillfactor = 80);

-- In how many orders two products were bought together; low_id < high_id.
CREATE TABLE product_pairs (
    low_id  uuid   NOT NULL,
    high_id uuid   NOT NULL,
    orders  bigint NOT NULL,
    PRIMARY KEY (low_id, high_id)
) WITH (fillfactor = 80);
CREATE INDEX product_pairs_by_high ON product_pairs (high_id);

-- Orders that are counted in bought and in product_pairs, so that none is counted twice.
CREATE TABLE counted_orders (
    order_id uuid PRIMARY KEY
);
