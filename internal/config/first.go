package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed first.yaml
var firstTemplate string

// First is what somebody has to say for a first configuration, of a company whose staff signs in.
type First struct {
	URL, Issuer, ClientID, Secret, Domain, Admin string
	SecretFile, KeyFile, RedirectURL             string
	Google                                       bool
}

// Proxied tells whether something else speaks TLS in front of us, on this machine: we listen on loopback only.
func (f First) Proxied() bool { return strings.HasPrefix(f.URL, "https:") }

// Text is the file, with comments.
func (f First) Text() (string, error) {
	form, err := template.New("first").Funcs(template.FuncMap{"quote": quote}).Parse(firstTemplate)
	if err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	var text bytes.Buffer
	if err := form.Execute(&text, f); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return text.String(), nil
}

// quote writes a text so that YAML reads it as itself, whatever is in it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
