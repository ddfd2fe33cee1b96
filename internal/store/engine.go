package store

import (
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
)

// engine is all that differs between databases beside the migrations; the SQL text is the same.
type engine interface {
	// open opens the database twice: one connection that writes, several that read. Nothing is read yet.
	open() (writing, reading *sql.DB, err error)
	// migrations are the numbered files of this engine.
	migrations() fs.FS
	// begin is the statement that starts a serializable transaction which may write.
	begin() string
	// local tells whether an error undid its own statement only, so that the transaction around it can go on.
	local(err error) bool
}

// engineOf chooses by the part before the colon.
func engineOf(database string) (engine, error) {
	kind, rest, _ := strings.Cut(database, ":")
	if kind != "sqlite" || rest == "" {
		return nil, fmt.Errorf("open store: database: want sqlite:PATH, got %q", kind+":…")
	}
	return sqlite{path: rest}, nil
}
