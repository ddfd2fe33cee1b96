package signin

import (
	"context"
	"fmt"
	"time"
)

// DeviceLife is how long a device stays known after the last right password there.
const DeviceLife = 180 * 24 * time.Hour

// device says that the right password for a login was once presented here. It is kept nowhere but in a cookie, sealed,
// and lets nobody in: it only sets guesses from here apart from those of strangers, who then cannot use them up.
type device struct {
	Realm  string    `json:"realm"`
	Login  string    `json:"login"`
	Secret int64     `json:"secret"` // the password that it was: after a change the device is a stranger's
	Until  time.Time `json:"until"`
}

var deviceBox = box{label: "known device", version: 1, longest: 2048}

// changing is a Checker of passwords that change here.
type changing interface {
	// Secret is account.Member's for a login; 0 for one that is unknown.
	Secret(ctx context.Context, login string) (int64, error)
}

// known tells whether the cookie makes the device a known one for the login.
func (f *Flow) known(ctx context.Context, realm Realm, c Credentials) (bool, error) {
	var d device
	if c.Device == "" || c.Login == "" || !deviceBox.open(f.Keys, c.Device, &d) {
		return false, nil
	}
	if d.Realm != c.Realm || d.Login != c.Login || !f.Now().Before(d.Until) {
		return false, nil
	}
	checker, ok := realm.Checker.(changing)
	if !ok {
		return true, nil
	}
	secret, err := checker.Secret(ctx, c.Login)
	if err != nil {
		return false, fmt.Errorf("is the device known: %w", err)
	}
	return secret == d.Secret, nil
}

// Know is the cookie of a device where the right password was presented, or set by a link: guesses of others do not lock
// it out.
func (f *Flow) Know(realm, login string, secret int64) (string, error) {
	if login == "" {
		return "", nil
	}
	sealed, err := deviceBox.seal(f.Keys, device{realm, login, secret, f.Now().Add(DeviceLife)})
	if err != nil {
		return "", fmt.Errorf("seal known device: %w", err)
	}
	return sealed, nil
}
