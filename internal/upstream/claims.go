package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	maxSubject = 255 // OpenID Connect Core §2
	maxName    = 200
)

// claims is what an ID token and the userinfo endpoint say, still unjudged.
type claims struct {
	Subject       string          `json:"sub"`
	Nonce         string          `json:"nonce"`
	Authorized    string          `json:"azp"`
	Email         string          `json:"email"`
	EmailVerified json.RawMessage `json:"email_verified"` // a boolean; some providers send the text
	Name          string          `json:"name"`
	HostedDomain  string          `json:"hd"`

	groups    []string
	hasGroups bool
}

func (c claims) verified() bool {
	text := string(c.EmailVerified)
	return text == `true` || text == `"true"`
}

var errSubject = errors.New("the provider speaks of another person, or of nobody")

// claims reads who a token answer speaks of: its ID token, and the userinfo endpoint for what is missing there.
func (p *Provider) claims(ctx context.Context, meta *metadata, token *oauth2.Token) (claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return p.userinfo(ctx, meta, token, claims{})
	}
	idToken, err := meta.verifier.Verify(ctx, raw)
	if err != nil {
		return claims{}, fmt.Errorf("verify id token: %w", brief(err))
	}
	found, err := p.decode(idToken.Claims)
	if err != nil {
		return claims{}, fmt.Errorf("read id token: %w", err)
	}
	if found.Subject == "" {
		return claims{}, fmt.Errorf("read id token: %w", errSubject)
	}
	if err := p.checkParty(idToken, found); err != nil {
		return claims{}, err
	}
	if idToken.AccessTokenHash != "" {
		if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
			return claims{}, fmt.Errorf("verify id token: %w", err)
		}
	}
	if p.complete(meta, found) {
		return found, nil
	}
	return p.userinfo(ctx, meta, token, found)
}

// checkParty is OpenID Connect Core §3.1.3.7, 4 and 5: a token for several audiences has to be ours.
func (p *Provider) checkParty(idToken *oidc.IDToken, found claims) error {
	if found.Authorized != "" && found.Authorized != p.cfg.ClientID {
		return errors.New("the id token was made for another client")
	}
	if len(idToken.Audience) > 1 && found.Authorized == "" {
		return errors.New("the id token has several audiences and no authorized party")
	}
	return nil
}

// complete tells whether the ID token says all that the provider can tell of a person.
func (p *Provider) complete(meta *metadata, found claims) bool {
	// Who sends no groups at all, such as Google, need not be asked for them each time.
	wantsGroups := p.groupsClaim() != defaultGroups || slices.Contains(meta.announced.Claims, defaultGroups)
	switch {
	case meta.provider.UserInfoEndpoint() == "":
		return true
	case found.Email == "" || found.EmailVerified == nil || found.Name == "":
		return false
	case p.google() && found.HostedDomain == "" && len(p.cfg.Domains) > 0:
		return false
	}
	return found.hasGroups || !wantsGroups
}

// userinfo adds what the ID token lacks. An answer about somebody else is never used (OpenID Connect Core §5.3.2).
func (p *Provider) userinfo(ctx context.Context, meta *metadata, token *oauth2.Token, known claims) (claims, error) {
	if meta.provider.UserInfoEndpoint() == "" {
		return claims{}, errors.New("the provider gave neither an id token nor a userinfo endpoint")
	}
	info, err := meta.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return claims{}, fmt.Errorf("ask userinfo: %w", brief(err))
	}
	found, err := p.decode(info.Claims)
	if err != nil {
		return claims{}, fmt.Errorf("read userinfo: %w", err)
	}
	if found.Subject == "" || known.Subject != "" && found.Subject != known.Subject {
		return claims{}, fmt.Errorf("read userinfo: %w", errSubject)
	}
	return known.with(found), nil
}

// with fills the gaps. An address and its verification belong together, so they come from one of the two.
func (c claims) with(more claims) claims {
	c.Subject = more.Subject
	if c.Email == "" || c.EmailVerified == nil {
		c.Email, c.EmailVerified = more.Email, more.EmailVerified
	}
	if c.Name == "" {
		c.Name = more.Name
	}
	if c.HostedDomain == "" {
		c.HostedDomain = more.HostedDomain
	}
	if !c.hasGroups {
		c.groups, c.hasGroups = more.groups, more.hasGroups
	}
	return c
}

func (p *Provider) decode(read func(any) error) (claims, error) {
	var found claims
	if err := read(&found); err != nil {
		return claims{}, err
	}
	if len(found.Subject) > maxSubject {
		return claims{}, errors.New("the subject is too long")
	}
	var all map[string]json.RawMessage
	if err := read(&all); err != nil {
		return claims{}, err
	}
	if raw, ok := all[p.groupsClaim()]; ok {
		found.groups, found.hasGroups = decodeGroups(raw), true
	}
	return found, nil
}

// decodeGroups takes a list of names or a single one; other shapes hold no group of ours.
func decodeGroups(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}

// person is what of the claims is good enough to keep.
func (p *Provider) person(c claims) Person {
	person := Person{
		Issuer: p.cfg.Issuer, Subject: c.Subject, Name: tidyName(c.Name),
		HostedDomain: strings.ToLower(c.HostedDomain), Groups: c.groups,
	}
	if email, _, ok := parseEmail(c.Email); ok && c.verified() {
		person.Email = email
	}
	return person
}

// tidyName keeps a name from reordering or breaking the line that it is shown in.
func tidyName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	clean = strings.TrimSpace(clean)
	if runes := []rune(clean); len(runes) > maxName {
		clean = string(runes[:maxName])
	}
	return clean
}

func isJSON(header http.Header) bool {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}
