package main

import (
	"context"
	"log/slog"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/mail"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store"
)

// openLinks makes what one-time links need: with a mail server the queue of letters, too.
func (p *program) openLinks(flow *signin.Flow) (err error) {
	c := links.Config{
		Realms: linkRealms(&p.config), Store: p.store, Hasher: p.hasher, Woken: p.feed.Wake, Know: flow.Know, Log: p.log,
	}
	if p.config.Mail != nil {
		sender, err := newSender(&p.config)
		if err != nil {
			return err
		}
		p.letters = mail.NewQueue(mail.QueueConfig{Out: sender, Registerer: p.Metrics, Log: p.log})
		c.Post = p.letters
	}
	p.links, err = links.New(c)
	return err
}

// linkRealms are the realms with passwords. Links are made of what is configured, never of a request's Host.
func linkRealms(c *config.Config) map[string]links.Realm {
	realms := map[string]links.Realm{}
	for name, realm := range c.Realms {
		if realm.Password == nil {
			continue
		}
		realms[name] = links.Realm{URL: c.RealmURL(name), SignUp: realm.Password.SignUp, Rules: passwordRules(c, name)}
	}
	return realms
}

// handLink prints a link for a member, on the command line.
func handLink(ctx context.Context, t *terminal, c *config.Config, st *store.Store, m account.Member) error {
	manager, err := links.New(links.Config{
		Realms: linkRealms(c), Store: st, Hasher: account.NewHasher(account.HasherConfig{}), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	url, until, err := manager.Hand(ctx, m, operator())
	if err == nil {
		t.printf("hand this link to %s; it works once, until %s:\n%s\n", plain(m.Login), when(until), url)
	}
	return err
}
