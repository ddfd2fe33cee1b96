package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// SQLite is the engine for one node: one file, one writer, readers beside it.
type SQLite struct{ Path string }

// Open implements Engine. Nothing is read yet.
func (e SQLite) Open(context.Context) (writing, reading *sql.DB, err error) {
	if err := createPrivate(e.Path); err != nil {
		return nil, nil, err
	}
	if writing, err = sql.Open("sqlite", e.DSN()); err != nil {
		return nil, nil, fmt.Errorf("sqlite: %w", err)
	}
	if reading, err = sql.Open("sqlite", e.DSN("query_only(1)", "cache_size(-4000)")); err != nil {
		return nil, nil, fmt.Errorf("sqlite: %w", err)
	}
	writing.SetMaxOpenConns(1)
	connections := max(8, 2*runtime.GOMAXPROCS(0)) // a long listing must not keep renewals from reading
	reading.SetMaxOpenConns(connections)
	reading.SetMaxIdleConns(connections)
	return writing, reading, nil
}

// createPrivate makes an empty file that only its owner may read; SQLite gives its companions (-wal, -shm) the same
// mode. One that is there is left as it is.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return file.Close()
}

// DSN sets, on every connection: WAL; FULL, because NORMAL loses acknowledged commits at a power cut; and patience with
// the command line, which writes to the same file. The WAL may grow to 16 MB before it is folded in: the same pages are
// written again and again, so fewer, larger checkpoints cost less.
func (e SQLite) DSN(pragmas ...string) string {
	query := url.Values{"_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "cache_size(-16000)", "temp_store(MEMORY)",
	}, pragmas...), "_txlock": {"immediate"}}
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(e.Path))
	return "file:" + name + "?" + query.Encode()
}

// Begin implements Engine.
func (e SQLite) Begin() []string { return []string{"BEGIN IMMEDIATE"} }

// Local implements Engine: a violated constraint undoes its statement. After any other error (disk full, I/O, no memory, interrupt)
// SQLite may have rolled the whole transaction back on its own.
func (e SQLite) Local(err error) bool {
	trouble, ok := errors.AsType[*driver.Error](err)
	return ok && trouble.Code()&0xff == codes.SQLITE_CONSTRAINT
}

// Aborts implements Engine.
func (e SQLite) Aborts() bool { return false }

// Again implements Engine. The driver has waited for its turn already, and nothing else passes by itself.
func (e SQLite) Again(error) bool { return false }
