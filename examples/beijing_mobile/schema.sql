CREATE SCHEMA IF NOT EXISTS mobile;

CREATE TABLE IF NOT EXISTS mobile.voice (
    customer_id bigint NOT NULL,
    overall integer NOT NULL CHECK (overall BETWEEN 1 AND 10),
    coverage integer NOT NULL,
    clarity integer NOT NULL,
    stability integer NOT NULL,
    met_problem boolean NOT NULL,
    no_signal boolean NOT NULL,
    cannot_dial boolean NOT NULL,
    cut_off boolean NOT NULL,
    noise boolean NOT NULL,
    crossed_lines boolean NOT NULL,
    one_way boolean NOT NULL,
    failed_calls integer NOT NULL,
    complained boolean NOT NULL,
    generation text NOT NULL,
    arpu double precision NOT NULL,
    PRIMARY KEY (customer_id)
);

COMMENT ON TABLE mobile.voice IS 'Customers of a mobile network: what they say of voice calls, and what the network knows of them';
COMMENT ON COLUMN mobile.voice.overall IS 'Overall satisfaction with voice calls, 1 to 10';
COMMENT ON COLUMN mobile.voice.met_problem IS 'Whether they say that they met a problem; the kinds of it follow';
COMMENT ON COLUMN mobile.voice.failed_calls IS 'Calls not put through or dropped, as the network counted them';
COMMENT ON COLUMN mobile.voice.complained IS 'Whether there was a complaint on broadband or price';
COMMENT ON COLUMN mobile.voice.arpu IS 'Revenue of the month';
