package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Postgres is the engine for several nodes on one database: each has one writer and readers of its own.
//
// Changes of all nodes take turns: a transaction that writes first changes the row of munjigi_turn, and so keeps it
// until it ends. That makes them serializable, in the order of their commits, without a conflict that would have to be
// tried again; a batch of renewals keeps the others waiting for milliseconds. A node that stops in the middle of one
// loses its turn after idleLimit.
type Postgres struct {
	// URL is postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE?OPTIONS, as libpq has it, and pool_size.
	URL string
}

// The limits of a connection where the URL says nothing. idleLimit is for a transaction whose node says nothing more,
// lockLimit for waiting for the others' turns, statementLimit for a statement, and silence for an answer of any kind.
const (
	connectLimit   = 5 * time.Second
	idleLimit      = "3s"
	lockLimit      = "8s"
	statementLimit = 10 * time.Second
	silence        = 2 * time.Second // beyond the limit of a statement
)

// oldest is the first version that this was tried with.
const oldest = 15

const turnTable = `CREATE TABLE IF NOT EXISTS munjigi_turn (one INTEGER PRIMARY KEY CHECK (one = 1), n BIGINT NOT NULL) WITH (fillfactor = 10)`

// Open implements Engine. It connects, so that what is wrong is told at once, and to a person.
func (e Postgres) Open(ctx context.Context) (writing, reading *sql.DB, err error) {
	config, pool, err := e.config()
	if err != nil {
		return nil, nil, err
	}
	writing, reading = stdlib.OpenDB(*config), stdlib.OpenDB(*config)
	writing.SetMaxOpenConns(1)
	writing.SetMaxIdleConns(1)
	reading.SetMaxOpenConns(pool)
	reading.SetMaxIdleConns(pool)
	if err := e.greet(ctx, writing); err != nil {
		return nil, nil, errors.Join(explain(err, config), writing.Close(), reading.Close())
	}
	return writing, reading, nil
}

var errURL = errors.New("the address of the database cannot be read: want postgres://USER:PASSWORD@HOST:PORT/DATABASE; " +
	"characters of a password that mean something in an address (/ ? # %% @ :) are written as %% and two digits")

// config reads the URL. What the library says of a wrong one is not passed on: it quotes what it could not read.
func (e Postgres) config() (*pgx.ConnConfig, int, error) {
	config, err := pgx.ParseConfig(e.URL)
	if err != nil {
		return nil, 0, errURL
	}
	pool := max(8, 2*runtime.GOMAXPROCS(0))
	if text, ok := config.RuntimeParams["pool_size"]; ok {
		delete(config.RuntimeParams, "pool_size")
		if pool, err = strconv.Atoi(text); err != nil || pool < 1 {
			return nil, 0, fmt.Errorf("the address of the database: pool_size is %q; want a number of connections, 1 or more", text)
		}
	}
	statement := statementLimit
	if text, ok := config.RuntimeParams["statement_timeout"]; ok {
		if statement, err = time.ParseDuration(text); err != nil || statement <= 0 {
			return nil, 0, fmt.Errorf("the address of the database: statement_timeout is %q; want a duration such as 30s", text)
		}
	}
	config.RuntimeParams["statement_timeout"] = strconv.FormatInt(statement.Milliseconds(), 10)
	for name, value := range map[string]string{
		"application_name": "munjigi", "lock_timeout": lockLimit, "idle_in_transaction_session_timeout": idleLimit,
	} {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 || config.ConnectTimeout > time.Minute {
		config.ConnectTimeout = connectLimit
	}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &listening{Conn: conn, limit: statement + silence}, nil
	}
	return config, pool, nil
}

// greet looks whether this is a database that can be used, and makes the row for which writers take turns.
func (e Postgres) greet(ctx context.Context, db *sql.DB) error {
	var version int
	var flush string
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit')`).Scan(&version, &flush)
	switch {
	case err != nil:
		return err
	case version/10000 < oldest:
		return fmt.Errorf("the database server is PostgreSQL %d; this program needs %d or newer: update the server", version/10000, oldest)
	case flush == "off":
		return errors.New("the database has synchronous_commit = off, and so would forget ends of sessions in a crash: set it to on for this database")
	}
	for range readTries { // several nodes may start at once, and IF NOT EXISTS does not wait for the others
		if _, err = db.ExecContext(ctx, turnTable); err == nil {
			_, err = db.ExecContext(ctx, `INSERT INTO munjigi_turn (one, n) VALUES (1, 0) ON CONFLICT (one) DO NOTHING`)
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// Begin implements Engine.
func (e Postgres) Begin() []string {
	return []string{`BEGIN ISOLATION LEVEL READ COMMITTED`, `UPDATE munjigi_turn SET n = n + 1 WHERE one = 1`}
}

// Aborts implements Engine.
func (e Postgres) Aborts() bool { return true }

// Local implements Engine: what the server says of one statement, and values that do not fit where they should go.
func (e Postgres) Local(err error) bool {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.SeverityUnlocalized == "ERROR" && !e.Again(err)
	}
	return !lost(err)
}

// Again implements Engine. 25006 is a server that only reads: another has taken its place.
func (e Postgres) Again(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return lost(err)
	}
	switch refusal.Code {
	case "40001", "40P01", "55P03", "25P03", "25006", "57P01", "57P02", "57P03", "57P05", "53300":
		return true
	}
	return refusal.Code[:min(2, len(refusal.Code))] == "08"
}

// lost tells of an error that is not the server's whether the connection is the trouble.
func lost(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone} {
		if errors.Is(err, end) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}

// explain says what a person has to do about a database that cannot be used. It never quotes the address.
func explain(err error, config *pgx.ConnConfig) error {
	where := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if lost(err) {
			return fmt.Errorf("cannot connect to the database server at %s: see that it runs, that it listens there, and that nothing between stops it: %w", where, err)
		}
		return err
	}
	switch refusal.Code {
	case "28P01", "28000":
		return fmt.Errorf("the database server at %s does not let user %q in (%s): correct user and password in the address, or pg_hba.conf: %s", where, config.User, refusal.Code, refusal.Message)
	case "3D000":
		return fmt.Errorf("the database server at %s has no database %q (%s): make it with CREATE DATABASE, owned by user %q", where, config.Database, refusal.Code, config.User)
	case "42501":
		return fmt.Errorf("user %q may not make tables in database %q (%s): give it the database, or CREATE on its schema: %s", config.User, config.Database, refusal.Code, refusal.Message)
	case "53300":
		return fmt.Errorf("the database server at %s has no connection left (%s): raise max_connections there, or lower pool_size in the address", where, refusal.Code)
	case "57P03":
		return fmt.Errorf("the database server at %s is starting or stopping (%s): try again in a moment", where, refusal.Code)
	}
	return err
}

// listening is a connection on which silence has an end. The driver gets no context that can end: it would start a
// goroutine for each statement. So a server that is cut off in the middle of one would be waited for for ever.
type listening struct {
	net.Conn
	limit   time.Duration
	limited atomic.Bool // the driver has set a deadline of its own
}

// Read waits no longer than the limit.
func (l *listening) Read(p []byte) (int, error) {
	if !l.limited.Load() {
		if err := l.Conn.SetReadDeadline(time.Now().Add(l.limit)); err != nil {
			return 0, err
		}
		if l.limited.Load() { // it was set meanwhile, and has just been overwritten: it is only ever set to now
			return 0, errors.Join(net.ErrClosed, l.Conn.SetReadDeadline(time.Now()))
		}
	}
	return l.Conn.Read(p)
}

// SetDeadline is how the driver interrupts, with a time that has passed, and takes that back, with none.
func (l *listening) SetDeadline(at time.Time) error {
	l.limited.Store(!at.IsZero())
	return l.Conn.SetDeadline(at)
}
