package keys

import (
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
)

// schedule is what decides when; its members are those of Config, with the defaults filled in.
type schedule struct {
	rotateEvery, publishAhead            time.Duration
	keepPrivate, keepPublic, keepSecrets time.Duration
}

// lag is how long a node may go on with a key after another one retired it: it polls every second, and a rotation of a
// session that began before may still be on its way to the disk. Nothing is erased or dropped earlier than this.
const lag = time.Minute

// historyRotations is for how many rotations the public half of a retired key is remembered, so that it can still be
// withdrawn: a service that was handed a key as a file trusts it until then.
const historyRotations = 12

// Retired keys and secrets go in steps; a zero time has not come yet.
func (s schedule) privateUntil(r Record) time.Time { return r.RetiredAt.Add(s.keepPrivate + lag) }
func (s schedule) publicUntil(r Record) time.Time  { return r.RetiredAt.Add(s.keepPublic + lag) }
func (s schedule) historyUntil(r Record) time.Time {
	return r.RetiredAt.Add(max(s.keepPublic+lag, s.keepPrivate+lag, historyRotations*s.rotateEvery))
}
func (s schedule) secretUntil(x Secret) time.Time { return x.RetiredAt.Add(s.keepSecrets + lag) }

// The three states of a key that is not retired; a withdrawn one is always retired too.
func (r Record) active() bool    { return !r.ActiveAt.IsZero() && r.RetiredAt.IsZero() }
func (r Record) next() bool      { return r.ActiveAt.IsZero() && r.RetiredAt.IsZero() }
func (r Record) withdrawn() bool { return !r.WithdrawnAt.IsZero() }

// State is next (published, not used yet), active (it signs), retired (it verifies what it signed) or withdrawn (stolen).
func (r Record) State() string {
	switch {
	case r.withdrawn():
		return "withdrawn"
	case r.active():
		return "active"
	case r.next():
		return "next"
	}
	return "retired"
}

// published tells whether the key belongs in the JWKS.
func (s schedule) published(r Record, now time.Time) bool {
	return !r.withdrawn() && (r.RetiredAt.IsZero() || now.Before(s.publicUntil(r)))
}

// canSign tells whether the private half may still be used: for new tokens while active, and to repeat the answer of an
// earlier rotation byte for byte. The next key can, because another node may have made it the active one already.
func (s schedule) canSign(r Record, now time.Time) bool {
	return len(r.Private) > 0 && !r.withdrawn() && (r.RetiredAt.IsZero() || now.Before(s.privateUntil(r)))
}

// makesTokens is the secret that new refresh tokens are made with: the oldest that has not handed over yet.
func (s Set) makesTokens(now time.Time) (Secret, bool) {
	for _, secret := range s.Secrets {
		if secret.RetiredAt.IsZero() || now.Before(secret.RetiredAt) {
			return secret, true
		}
	}
	return Secret{}, false
}

// decision builds one Change on a copy of the Set that it is for.
type decision struct {
	schedule
	set    Set
	now    time.Time
	actor  audit.Actor
	fresh  *maker
	change Change
}

func (s schedule) decide(set Set, now time.Time, actor audit.Actor, m *maker) *decision {
	m.rewind()
	set.Keys, set.Secrets = slices.Clone(set.Keys), slices.Clone(set.Secrets)
	return &decision{schedule: s, set: set, now: now, actor: actor, fresh: m, change: Change{At: now}}
}

// keep does what is due by now: first keys, rotation, erasing. Doing it twice does nothing the second time.
func (d *decision) keep() error {
	if active := d.find(Record.active); active != nil {
		next := d.find(Record.next)
		if next != nil && !d.now.Before(active.ActiveAt.Add(d.rotateEvery)) && !d.now.Before(d.ripe(*next)) {
			d.rotate(active, next)
		}
	}
	if err := d.fill(); err != nil {
		return err
	}
	d.erase()
	return d.keepSecrets()
}

// ripe is when a next key has been published for long enough that every verifier has had time to fetch it.
func (d *decision) ripe(next Record) time.Time { return next.CreatedAt.Add(d.publishAhead) }

// handAhead is how long a next key has to be published before a command may use it. A verifier fetches the keys at once
// when it meets one that it does not know, but not twice within this time: an attacker can think of new ones.
const handAhead = 30 * time.Second

// ripeByHand is ripe for a command. The first two keys of all were published together: whoever has one has the other.
func (d *decision) ripeByHand(next Record) time.Time {
	if len(d.set.Keys) == 2 {
		return next.CreatedAt
	}
	return next.CreatedAt.Add(min(d.publishAhead, handAhead))
}

// fill sees to it that there are an active key and a next one. Without an active key the next one is used whether it
// is ripe or not: that is an emergency, or the very first start.
func (d *decision) fill() error {
	for d.find(Record.active) == nil || d.find(Record.next) == nil {
		if next := d.find(Record.next); next != nil {
			d.activate(next)
			continue
		}
		record, err := d.fresh.record(d.now)
		if err != nil {
			return err
		}
		d.set.Keys = append(d.set.Keys, record)
		d.put(record)
		d.event(audit.KeyCreated, map[string]string{"kid": record.ID, "algorithm": record.Algorithm})
	}
	return nil
}

func (d *decision) rotate(active, next *Record) {
	active.RetiredAt = d.now
	d.put(*active)
	d.activate(next)
}

func (d *decision) activate(next *Record) {
	next.ActiveAt = d.now
	d.put(*next)
	d.event(audit.KeyRotated, map[string]string{"kid": next.ID, "algorithm": next.Algorithm})
}

// withdraw takes a stolen key out of use everywhere and for ever: the feed names it, the private half goes at once.
func (d *decision) withdraw(key *Record, reason string) error {
	key.WithdrawnAt, key.Private = d.now, nil
	if key.RetiredAt.IsZero() {
		key.RetiredAt = d.now
	}
	d.put(*key)
	d.change.Withdraw = append(d.change.Withdraw, key.ID)
	details := map[string]string{"kid": key.ID, "algorithm": key.Algorithm}
	if reason != "" {
		details["reason"] = reason
	}
	d.event(audit.KeyRetired, details)
	return d.fill()
}

// erase forgets what no token can need any more. A withdrawn key's public half stays for good, so that its kid is
// never unknown to an administrator.
func (d *decision) erase() {
	for i := range d.set.Keys {
		key := &d.set.Keys[i]
		switch {
		case key.RetiredAt.IsZero() || key.withdrawn():
		case !d.now.Before(d.historyUntil(*key)):
			d.change.Delete = append(d.change.Delete, key.ID)
		case len(key.Private) > 0 && !d.now.Before(d.privateUntil(*key)):
			key.Private = nil
			d.put(*key)
		}
	}
	d.set.Keys = slices.DeleteFunc(d.set.Keys, func(r Record) bool { return slices.Contains(d.change.Delete, r.ID) })
}

// keepSecrets makes the first secret, and in time its successor, which takes over only after publishAhead: a node that
// did not know it yet would take good refresh tokens for forged ones.
func (d *decision) keepSecrets() error {
	last := len(d.set.Secrets) - 1
	if last < 0 || !d.now.Before(d.set.Secrets[last].CreatedAt.Add(d.rotateEvery)) {
		secret := d.fresh.secret(d.now)
		if last >= 0 {
			secret.ID = d.set.Secrets[last].ID + 1
			d.set.Secrets[last].RetiredAt = d.now.Add(d.publishAhead)
			d.change.PutSecrets = append(d.change.PutSecrets, d.set.Secrets[last])
		}
		d.set.Secrets = append(d.set.Secrets, secret)
		d.change.PutSecrets = append(d.change.PutSecrets, secret)
		d.event(audit.KeyCreated, map[string]string{"secret": secretName(secret.ID)})
	}
	for _, secret := range d.set.Secrets {
		if !secret.RetiredAt.IsZero() && !d.now.Before(d.secretUntil(secret)) {
			d.change.DeleteSecrets = append(d.change.DeleteSecrets, secret.ID)
		}
	}
	return nil
}

// find returns the newest key in that state, for changing.
func (d *decision) find(state func(Record) bool) *Record {
	for i := len(d.set.Keys) - 1; i >= 0; i-- {
		if state(d.set.Keys[i]) {
			return &d.set.Keys[i]
		}
	}
	return nil
}

// put has the store write a key once, as it is in the end.
func (d *decision) put(r Record) {
	if i := slices.IndexFunc(d.change.Put, func(p Record) bool { return p.ID == r.ID }); i >= 0 {
		d.change.Put[i] = r
		return
	}
	d.change.Put = append(d.change.Put, r)
}

func (d *decision) event(action audit.Action, details map[string]string) {
	d.change.Events = append(d.change.Events, audit.Event{At: d.now, Action: action, Actor: d.actor, Details: details})
}
