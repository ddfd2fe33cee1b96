-- Times are whole microseconds since 1970, 0 = never; yes and no are 1 and 0.

CREATE TABLE canary (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
);

-- Heads: one row each, changed in the transaction that appends to what they number.
CREATE TABLE feed_head (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT   NOT NULL,
    n     BIGINT NOT NULL
);
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    n    BIGINT NOT NULL,
    hash BLOB   NOT NULL
);
CREATE TABLE keys_head (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);
CREATE TABLE lineage (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    rolled_back_at BIGINT NOT NULL,
    recovered_at   BIGINT NOT NULL
);

CREATE TABLE accounts (
    id         TEXT   NOT NULL PRIMARY KEY,
    realm      TEXT   NOT NULL,
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    search     TEXT   NOT NULL, -- e-mail and name in lower case, folded by Go so that every engine finds the same
    roles      TEXT   NOT NULL, -- JSON array
    checked_at BIGINT NOT NULL,
    disabled   BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    UNIQUE (realm, issuer, subject)
);

-- One row changes per renewal, and no index with it: no index holds a column that a rotation changes.
CREATE TABLE sessions (
    seq        INTEGER PRIMARY KEY, -- the order of beginnings
    id         BLOB   NOT NULL UNIQUE,
    account    TEXT   NOT NULL REFERENCES accounts (id),
    ends_at    BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    access_max BIGINT NOT NULL, -- microseconds
    generation BIGINT NOT NULL,
    ended      TEXT   NOT NULL, -- reason, time and device class of the one that replaced it; '' = has not ended
    fixed      BLOB   NOT NULL, -- what never changes; see package pack
    rotation   BLOB   NOT NULL  -- the snapshot of the last rotation; see package pack
);
CREATE INDEX sessions_by_account ON sessions (account) WHERE ended = '';

CREATE TABLE grants (
    account      TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (id),
    provider     TEXT   NOT NULL,
    version      BIGINT NOT NULL, -- never starts again: an erased grant keeps its row
    token        BLOB,            -- sealed; NULL = erased
    rotates      BIGINT NOT NULL,
    intent_at    BIGINT NOT NULL,
    gone_at      BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    failed       BIGINT NOT NULL
);
CREATE INDEX grants_due ON grants (provider, due_at) WHERE gone_at = 0 AND token IS NOT NULL;
CREATE INDEX grants_held ON grants (provider) WHERE gone_at <> 0;

-- Whom a provider declared gone, for the wave's rule only.
CREATE TABLE gone (
    provider TEXT   NOT NULL,
    account  TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (provider, account)
);
CREATE TABLE waves (
    provider TEXT   NOT NULL PRIMARY KEY,
    since    BIGINT NOT NULL,
    people   BIGINT NOT NULL
);

CREATE TABLE revocations (
    n       INTEGER PRIMARY KEY,
    feed_id TEXT   NOT NULL, -- of a session, base64url; '' for a key
    kid     TEXT   NOT NULL, -- of a withdrawn key; '' for a session
    until   BIGINT NOT NULL, -- seconds since 1970
    box     TEXT   NOT NULL
);
CREATE INDEX revocations_until ON revocations (until);

CREATE TABLE audit (
    n          INTEGER PRIMARY KEY,
    at         BIGINT NOT NULL,
    action     TEXT   NOT NULL,
    realm      TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    session    TEXT   NOT NULL,
    actor_kind TEXT   NOT NULL,
    actor_id   TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    from_addr  TEXT   NOT NULL,
    details    TEXT   NOT NULL, -- JSON object, '' = none
    prev       BLOB   NOT NULL,
    hash       BLOB   NOT NULL
);

CREATE TABLE signing_keys (
    kid          TEXT   NOT NULL PRIMARY KEY,
    algorithm    TEXT   NOT NULL,
    public       BLOB   NOT NULL,
    private      BLOB,            -- sealed; NULL = erased
    created_at   BIGINT NOT NULL,
    active_at    BIGINT NOT NULL,
    retired_at   BIGINT NOT NULL,
    withdrawn_at BIGINT NOT NULL
);
CREATE TABLE secrets (
    id         BIGINT NOT NULL PRIMARY KEY,
    value      BLOB   NOT NULL, -- sealed
    created_at BIGINT NOT NULL,
    retired_at BIGINT NOT NULL
);

CREATE TABLE attempts (
    id    BLOB   NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX attempts_until ON attempts (until);
