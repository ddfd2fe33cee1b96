-- SHA-256 of the hash that a member was imported with, so that it is known again when a sign-in has replaced it.
ALTER TABLE members ADD COLUMN origin BYTEA;
