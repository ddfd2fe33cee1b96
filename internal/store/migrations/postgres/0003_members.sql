-- Members of realms with passwords: an account each.
CREATE TABLE members (
    account    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES accounts (id),
    realm      TEXT COLLATE "C" NOT NULL,
    login      TEXT COLLATE "C" NOT NULL, -- in the one way in which all its spellings are written
    hash       BYTEA, -- sealed; NULL = no password yet
    secret     BIGINT NOT NULL, -- how many times the password has changed; the hash is sealed to it
    changed_at BIGINT NOT NULL,
    UNIQUE (realm, login)
);

-- Guesses at passwords: those that were wrong, and those that are being checked.
CREATE TABLE guesses (
    id     BYTEA NOT NULL, -- of one guess, which may lie in several buckets
    bucket BYTEA NOT NULL, -- HMAC of what is guessed at, or from where: a login that was typed may be a password
    at     BIGINT NOT NULL,
    open   BIGINT NOT NULL, -- 1 = being checked
    PRIMARY KEY (id, bucket)
);
CREATE INDEX guesses_by_bucket ON guesses (bucket, at);
CREATE INDEX guesses_at ON guesses (at);
CREATE TABLE guess_key (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    sealed BYTEA NOT NULL
);
