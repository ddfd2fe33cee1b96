-- One-time links to set a password. Their secrets are nowhere.
CREATE TABLE links (
    hash    BYTEA NOT NULL PRIMARY KEY, -- SHA-256 of the secret, which is 256 random bits
    realm   TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL, -- whose password it sets; '' = it makes an account
    changes BIGINT NOT NULL, -- members.secret when it was made
    login   TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL, -- of the account to be
    made_at BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    used_at BIGINT NOT NULL  -- 0 = not yet
);
CREATE INDEX links_by_login ON links (realm, login, made_at);
CREATE INDEX links_until ON links (until);
