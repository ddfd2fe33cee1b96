// Package renew sets the renewal of a session beside a bare prototype of the same work: a JSON POST, a MAC, one durable
// compare-and-swap in group commit, one deterministic ES256 signature. What ours costs more than that is ours to explain.
package renew

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the same engine as ours
)

// Prototype is the yardstick: no realms, no repeats, no reasons, no cookies.
type Prototype struct {
	db      *sql.DB
	key     *ecdsa.PrivateKey
	mac     []byte
	waiting chan swap
}

type swap struct {
	session int64
	from    int64
	done    chan error
}

// NewPrototype makes one with n sessions in an SQLite file at path.
func NewPrototype(path string, n int) (*Prototype, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	p := &Prototype{db: db, key: key, mac: []byte("0123456789abcdef0123456789abcdef"), waiting: make(chan swap, 1024)}
	if _, err := db.Exec(`CREATE TABLE session (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, at INTEGER NOT NULL)`); err != nil {
		return nil, err
	}
	for i := range n {
		if _, err := db.Exec(`INSERT INTO session VALUES ($1, 0, 0)`, i); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// StartPrototype serves a prototype, with its file in dir.
func StartPrototype(dir string) (*Side, error) {
	p, err := NewPrototype(filepath.Join(dir, "bare.db"), callers)
	if err != nil {
		return nil, err
	}
	s := &Side{Target: Bare(p)}
	s.running(p.Run)
	for i := range callers {
		s.tokens = append(s.tokens, p.Token(int64(i), 0))
	}
	return s, s.serve()
}

// Run commits whatever waits, batch by batch, until ctx ends.
func (p *Prototype) Run(ctx context.Context) error {
	for {
		var batch []swap
		select {
		case <-ctx.Done():
			return p.db.Close()
		case first := <-p.waiting:
			batch = append(batch, first)
		}
		for more := true; more; {
			select {
			case next := <-p.waiting:
				batch = append(batch, next)
			default:
				more = false
			}
		}
		err := p.commit(batch)
		for _, s := range batch {
			s.done <- err
		}
	}
}

func (p *Prototype) commit(batch []swap) error {
	tx, err := p.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	statement, err := tx.Prepare(`UPDATE session SET generation = $1, at = $2 WHERE id = $3 AND generation = $4`)
	if err != nil {
		return err
	}
	for _, s := range batch {
		result, err := statement.Exec(s.from+1, time.Now().UnixMicro(), s.session, s.from)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("session %d is not at generation %d (%v)", s.session, s.from, err)
		}
	}
	return tx.Commit()
}

// Token is a session's refresh token of a generation.
func (p *Prototype) Token(session, generation int64) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(session))
	text = binary.BigEndian.AppendUint64(text, uint64(generation))
	return base64.RawURLEncoding.EncodeToString(append(text, p.sum(text)...))
}

func (p *Prototype) sum(text []byte) []byte {
	mac := hmac.New(sha256.New, p.mac)
	mac.Write(text)
	return mac.Sum(nil)
}

func (p *Prototype) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(asked.RefreshToken)
	if err != nil || len(raw) != 48 || !hmac.Equal(raw[16:], p.sum(raw[:16])) {
		http.Error(w, "forged", http.StatusUnauthorized)
		return
	}
	session, generation := int64(binary.BigEndian.Uint64(raw)), int64(binary.BigEndian.Uint64(raw[8:]))
	s := swap{session: session, from: generation, done: make(chan error, 1)}
	p.waiting <- s
	if err := <-s.done; err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	access, err := p.sign(session, generation+1)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"access_token": access, "refresh_token": p.Token(session, generation+1)})
}

func (p *Prototype) sign(session, generation int64) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": "https://office.example.com", "sub": session, "aud": []string{"wishlist", "market"},
		"iat": time.Now().Unix(), "exp": time.Now().Unix() + 300, "jti": generation, "roles": []string{"viewer"},
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"at+jwt","kid":"k"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(text))
	der, err := p.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return "", err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	rs.R.FillBytes(signature[:32])
	rs.S.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
