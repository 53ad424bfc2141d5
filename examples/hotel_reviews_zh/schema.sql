-- What the hotel list says beside the reviews.

CREATE SCHEMA IF NOT EXISTS hotels;
COMMENT ON SCHEMA hotels IS 'Homestays around Wulong: price and place beside the canonical tables';

CREATE TABLE IF NOT EXISTS hotels.hotels (
    name           text NOT NULL,
    address        text,
    district       text,
    listed_score   double precision,
    listed_reviews bigint,
    price          numeric(18,2)
);
COMMENT ON TABLE hotels.hotels IS 'One row a hotel of the list';
COMMENT ON COLUMN hotels.hotels.listed_score IS 'Mean score the site shows, 0 to 5';
COMMENT ON COLUMN hotels.hotels.listed_reviews IS 'Number of reviews the site shows';
COMMENT ON COLUMN hotels.hotels.price IS 'Lowest price a night, in CNY';
