package upstream

import "log/slog"

// Secret is a text that must not reach a log, an error or a page. It redacts itself wherever it is printed; convert it
// to string to use it.
type Secret string

const redacted = "[redacted]"

// String is "[redacted]".
func (Secret) String() string { return redacted }

// GoString is what %#v prints.
func (Secret) GoString() string { return redacted }

// LogValue is what slog prints.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is what JSON and YAML hold.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
