-- The last good document of each service, so that its screens are there while it is not.
CREATE TABLE documents (
    service    TEXT   NOT NULL,
    language   TEXT   NOT NULL, -- ko, en
    etag       TEXT   NOT NULL,
    fetched_at BIGINT NOT NULL,
    body       BLOB   NOT NULL,
    PRIMARY KEY (service, language)
);
-- What was granted of each: an operation, and what it asked for then.
CREATE TABLE operations (
    service   TEXT NOT NULL,
    operation TEXT NOT NULL, -- "POST /shops/{id}"; '' = the service has had its first document
    terms     TEXT NOT NULL, -- JSON
    PRIMARY KEY (service, operation)
);
-- Calls that were recorded and whose end was not yet.
CREATE TABLE calls (
    id    TEXT   NOT NULL PRIMARY KEY,
    event TEXT   NOT NULL, -- JSON of the event that began it
    at    BIGINT NOT NULL
);
