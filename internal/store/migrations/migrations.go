// Package migrations holds the scripts that make the tables, for each engine, under the same numbers; and it tells from
// the configuration which engine is meant.
package migrations

import (
	"embed"
	"errors"
	"io/fs"
	"strings"

	"github.com/munjigi/munjigi/internal/store/engine"
)

//go:embed sqlite/*.sql postgres/*.sql
var scripts embed.FS

// SQLite are the scripts for SQLite.
func SQLite() (fs.FS, error) { return fs.Sub(scripts, "sqlite") }

// Postgres are those for PostgreSQL.
func Postgres() (fs.FS, error) { return fs.Sub(scripts, "postgres") }

var errDatabase = errors.New("database: want sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")

// Of is the engine that the configuration's database names, and its scripts.
func Of(database string) (engine.Engine, fs.FS, error) {
	kind, rest, _ := strings.Cut(database, ":")
	switch {
	case kind == "sqlite" && rest != "":
		files, err := SQLite()
		return engine.SQLite{Path: rest}, files, err
	case kind == "postgres" || kind == "postgresql":
		files, err := Postgres()
		return engine.Postgres{URL: database}, files, err
	}
	return nil, nil, errDatabase
}
