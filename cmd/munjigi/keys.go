package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/token"
)

type keysCommand struct {
	List   keysListCommand   `cmd:"" help:"List the signing keys."`
	Rotate keysRotateCommand `cmd:"" help:"Have the next key sign from now on."`
	Retire keysRetireCommand `cmd:"" help:"Withdraw a key that was stolen."`
	Export keysExportCommand `cmd:"" help:"Write a public key."`
}

type keysListCommand struct {
	configFlag
	jsonFlag
}

func (keysListCommand) Help() string {
	return `States: the active key signs; the next one is published already, so that every service knows it before its use;
retired ones verify what they signed; a withdrawn one was stolen, and is refused everywhere.

Example:

    munjigi keys list --json | jq -r '.keys[] | select(.state == "active") | .kid'`
}

type keyRow struct {
	KID         string `json:"kid"`
	Algorithm   string `json:"algorithm"`
	State       string `json:"state"`
	CreatedAt   string `json:"created_at"`
	ActiveAt    string `json:"active_at,omitempty"`
	RetiredAt   string `json:"retired_at,omitempty"`
	WithdrawnAt string `json:"withdrawn_at,omitempty"`
}

func (c keysListCommand) Run(ctx context.Context, t *terminal) error {
	_, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	set, err := st.Keys(ctx)
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	list := make([]keyRow, len(set.Keys))
	rows := [][]string{{"KID", "ALGORITHM", "STATE", "CREATED", "ACTIVE SINCE", "RETIRED"}}
	for i, key := range set.Keys {
		list[i] = keyRow{key.ID, key.Algorithm, key.State(), when(key.CreatedAt), when(key.ActiveAt), when(key.RetiredAt), when(key.WithdrawnAt)}
		rows = append(rows, []string{key.ID, key.Algorithm, key.State(), when(key.CreatedAt), when(key.ActiveAt), when(key.RetiredAt)})
	}
	if c.JSON {
		return t.json(map[string]any{"keys": list})
	}
	return t.table(rows)
}

type keysRotateCommand struct{ configFlag }

func (keysRotateCommand) Help() string {
	return `Keys rotate by themselves (keys.rotate in the configuration); this does it now. No request fails by it: the next key
must have been published for keys.publish_ahead. A running server follows within a second.

Example:

    munjigi keys rotate`
}

func (c keysRotateCommand) Run(ctx context.Context, t *terminal) error {
	return c.change(ctx, func(ring *keys.Ring) error {
		if err := ring.Rotate(ctx, operator()); err != nil {
			return err
		}
		kid, _ := ring.Active()
		t.printf("key %s signs from now on\n", kid)
		return nil
	})
}

type keysRetireCommand struct {
	configFlag
	confirmFlag
	KID string `arg:"" name:"kid" help:"The stolen key's id, as keys list shows it."`
}

func (keysRetireCommand) Help() string {
	return `For a key that somebody else may have. Within two seconds every service that follows the revocation feed refuses
everything that the key has signed, or will ever sign; another key is active at once, and people notice nothing: their
front ends renew. Services that were handed the key as a file need the new one.

Example:

    munjigi keys retire 4dcc088c50c82e76a38ba3b97256e547 --yes`
}

func (c keysRetireCommand) Run(ctx context.Context, t *terminal) error {
	if err := c.confirm(t, "Key "+c.KID+" is withdrawn for ever, and every token that it signed refused"); err != nil {
		return err
	}
	return c.change(ctx, func(ring *keys.Ring) error {
		if err := ring.Retire(ctx, c.KID, operator()); err != nil {
			return err
		}
		kid, _ := ring.Active()
		t.printf("key %s is withdrawn; key %s signs\n", c.KID, kid)
		return nil
	})
}

type keysExportCommand struct {
	configFlag
	JWKS bool   `name:"jwks" help:"Write a JSON Web Key Set instead of PEM."`
	KID  string `arg:"" name:"kid" optional:"" help:"Which key; the one that signs, if left out (with --jwks: all that are published)."`
}

func (keysExportCommand) Help() string {
	return `For a service that cannot fetch keys: the public half, PEM (SubjectPublicKeyInfo). Such a service needs the new
one whenever keys rotate; one that can reach this server should fetch /.well-known/jwks.json instead.

Example:

    munjigi keys export > munjigi.pem`
}

func (c keysExportCommand) Run(ctx context.Context, t *terminal) error {
	return c.change(ctx, func(ring *keys.Ring) error {
		if c.JWKS {
			return c.jwks(ring, t)
		}
		kid, _ := ring.Active()
		if c.KID != "" {
			kid = c.KID
		}
		for _, record := range ring.Records() {
			if record.ID == kid {
				return pem.Encode(t.Out, &pem.Block{Type: "PUBLIC KEY", Bytes: record.Public})
			}
		}
		return fmt.Errorf("there is no signing key %q", kid)
	})
}

func (c keysExportCommand) jwks(ring *keys.Ring, t *terminal) error {
	if c.KID == "" {
		t.printf("%s\n", ring.JWKS())
		return nil
	}
	for _, key := range ring.PublicKeys() {
		if key.ID == c.KID {
			text, err := token.MarshalJWKS([]token.PublicKey{key})
			t.printf("%s\n", text)
			return err
		}
	}
	return fmt.Errorf("no published signing key is %q", c.KID)
}

// change gives a command the keys as a server would hold them.
func (f configFlag) change(ctx context.Context, do func(*keys.Ring) error) error {
	config, st, err := f.open(ctx)
	if err != nil {
		return err
	}
	ring, err := openRing(ctx, &config, st)
	if err == nil {
		err = do(ring)
	}
	return errors.Join(err, st.Close())
}

func openRing(ctx context.Context, c *config.Config, st *store.Store) (*keys.Ring, error) {
	return keys.Open(ctx, ringConfig(c, st))
}

// ringConfig derives for how long key material is needed. Public halves are kept for as long as any access token may
// live by the protocol, not just by today's configuration: tokens of yesterday's are still alive.
func ringConfig(c *config.Config, st *store.Store) keys.Config {
	ring := keys.Config{
		Store: st, Algorithm: token.Algorithm(c.Keys.Algorithm),
		RotateEvery: time.Duration(c.Keys.Rotate), PublishAhead: time.Duration(c.Keys.PublishAhead),
		KeepPublic: token.MaxLifetime + token.Skew,
	}
	for _, realm := range c.Realms {
		ring.KeepPrivate = max(ring.KeepPrivate, time.Duration(realm.Session.RenewGrace))
		ring.KeepSecrets = max(ring.KeepSecrets, time.Duration(realm.Session.Max))
	}
	return ring
}
