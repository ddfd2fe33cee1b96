-- The last good document of each service, so that its screens are there while it is not.
CREATE TABLE documents (
    service    TEXT COLLATE "C" NOT NULL,
    language   TEXT COLLATE "C" NOT NULL, -- ko, en
    etag       TEXT COLLATE "C" NOT NULL,
    fetched_at BIGINT NOT NULL,
    body       BYTEA NOT NULL,
    PRIMARY KEY (service, language)
);
-- What was granted of each: an operation, and what it asked for then.
CREATE TABLE operations (
    service   TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL, -- "POST /shops/{id}"; '' = the service has had its first document
    terms     TEXT COLLATE "C" NOT NULL, -- JSON
    PRIMARY KEY (service, operation)
);
-- Calls that were recorded and whose end was not yet.
CREATE TABLE calls (
    id    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event TEXT COLLATE "C" NOT NULL, -- JSON of the event that began it
    at    BIGINT NOT NULL
);
