package main

import (
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/mail"
)

// openLinks makes what one-time links need: with a mail server the queue of letters, too.
func (p *program) openLinks() (err error) {
	c := links.Config{
		Realms: linkRealms(&p.config), Store: p.store, Hasher: p.hasher, Woken: p.feed.Wake, Log: p.log,
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
