-- What is known of products that have not come yet: lanes are read each at its own pace, and the one of a stock item or of an order
-- can be ahead of its product's. It is moved into the product's row when that comes, so that the rows end the same in any order.
CREATE TABLE stock_ahead (
    sku       text    PRIMARY KEY,
    available bigint  NOT NULL,
    version   integer NOT NULL
);
CREATE TABLE bought_ahead (
    product_id uuid   PRIMARY KEY,
    orders     bigint NOT NULL
);
