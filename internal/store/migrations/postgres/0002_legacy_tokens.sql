-- Tokens of services' old sign-ins, each exchanged for one session. Only keyed hashes are here; see legacy.go.
CREATE TABLE legacy_secret (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    sealed BYTEA NOT NULL
);
CREATE TABLE legacy_tokens (
    realm   TEXT COLLATE "C" NOT NULL,
    hash    BYTEA NOT NULL,
    session BYTEA NOT NULL, -- id of the session that it was exchanged for
    at      BIGINT NOT NULL,
    PRIMARY KEY (realm, hash)
);
