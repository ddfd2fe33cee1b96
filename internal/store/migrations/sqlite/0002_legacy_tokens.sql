-- Tokens of services' old sign-ins, each exchanged for one session. Only keyed hashes are here; see legacy.go.
CREATE TABLE legacy_secret (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
);
CREATE TABLE legacy_tokens (
    realm   TEXT   NOT NULL,
    hash    BLOB   NOT NULL,
    session BLOB   NOT NULL, -- id of the session that it was exchanged for
    at      BIGINT NOT NULL,
    PRIMARY KEY (realm, hash)
);
