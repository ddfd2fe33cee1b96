package sketch

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/munjigi/munjigi/internal/openapi"
)

// YAML is a tree as a YAML document, members in their order. What is short stands on one line.
func YAML(n *openapi.Node) string {
	var out strings.Builder
	write(&out, n, 0)
	return out.String()
}

const lineWidth = 100

func write(out *strings.Builder, n *openapi.Node, depth int) {
	indent := strings.Repeat("  ", depth)
	if n.Is(openapi.Array) {
		for _, item := range n.Items() {
			out.WriteString(indent + "- " + flow(item) + "\n")
		}
		return
	}
	for key, member := range n.Members() {
		out.WriteString(indent + scalar(key) + ":")
		inline := flow(member)
		nested := member.Is(openapi.Object) || member.Is(openapi.Array)
		if short := depth > 1 && len(indent)+len(key)+len(inline) < lineWidth; !nested || member.Len() == 0 || short {
			out.WriteString(" " + inline + "\n")
			continue
		}
		out.WriteString("\n")
		write(out, member, depth+1)
	}
}

// flow is a value on one line.
func flow(n *openapi.Node) string {
	var parts []string
	switch {
	case n.Is(openapi.Array):
		for _, item := range n.Items() {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case n.Is(openapi.Object):
		for key, member := range n.Members() {
			parts = append(parts, scalar(key)+": "+flow(member))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case n.Is(openapi.String):
		return scalar(n.Text)
	}
	return string(n.JSON())
}

var (
	plain    = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./ -]*$`)
	reserved = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)
)

// scalar is a text as YAML: without quotes where nothing can mistake it for something else.
func scalar(s string) string {
	if plain.MatchString(s) && !reserved.MatchString(s) && !strings.HasSuffix(s, " ") {
		return s
	}
	var quoted strings.Builder
	for _, r := range string(openapi.NewString(s).JSON()) {
		if (r >= 0x7f && r < 0xa0) || r == 0xfeff || r == 0xfffe || r == 0xffff { // to YAML ends of lines, or no letters
			fmt.Fprintf(&quoted, `\u%04x`, r)
		} else {
			quoted.WriteRune(r)
		}
	}
	return quoted.String()
}
