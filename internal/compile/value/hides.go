package value

import "github.com/munjigi/munjigi/internal/openapi"

// mostHidden is how many schemas are looked through for something sensitive; of more it is taken for granted.
const mostHidden = 2_000

// Hides tells whether anything within a value is sensitive, however deep.
func (r *Reader) Hides(n *openapi.Node) bool { return r.hides(r.Flatten(n)) }

// hides tells whether anything within a value is sensitive, however deep.
func (r *Reader) hides(s *Schema) bool {
	if known, ok := r.hidden[s]; ok {
		return known
	}
	seen, queue := map[*Schema]bool{s: true}, []*Schema{s}
	found := false
	for len(queue) > 0 && !found {
		next := queue[0]
		queue = queue[1:]
		found = next.sensitive() || len(seen) > mostHidden
		for _, node := range next.within() {
			if inner := r.Flatten(node); !seen[inner] {
				seen[inner] = true
				queue = append(queue, inner)
			}
		}
	}
	r.hidden[s] = found
	return found
}

// within are the schemas of the values within a value, and of what it may be.
func (s *Schema) within() (nodes []*openapi.Node) {
	for _, p := range s.Props {
		nodes = append(nodes, p.Node)
	}
	nodes = append(nodes, s.Options...)
	for _, keyword := range []string{"items", "additionalProperties"} {
		if node := s.Get(keyword); node.Is(openapi.Object) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// undrawn tells whether something sensitive lies where no field is drawn of: values by patterns of names, conditions.
func (r *Reader) undrawn(s *Schema) bool {
	for _, part := range s.parts {
		for _, keyword := range []string{"patternProperties", "dependentSchemas", "prefixItems", "contains", "if", "then", "else", "unevaluatedProperties"} {
			node := part.Get(keyword)
			inner := append([]*openapi.Node{node}, node.Items()...)
			for _, member := range node.Members() {
				inner = append(inner, member)
			}
			for _, n := range inner {
				if n.Is(openapi.Object) && r.hides(r.Flatten(n)) {
					return true
				}
			}
		}
	}
	return false
}
