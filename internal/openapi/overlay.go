package openapi

import (
	"errors"
	"strconv"
	"strings"
)

// Overlay applies an OpenAPI Overlay of version 1 (JSON or YAML) to a tree, and returns the changed copy, and the
// targets of actions that selected nothing. Objects are merged member by member, arrays within them joined, other values
// replaced; to an array that is selected itself the update is appended.
func Overlay(root *Node, overlay []byte) (changed *Node, unused []string, err error) {
	o, err := Parse(overlay)
	if err != nil {
		return nil, nil, overlayError(err)
	}
	if version := o.Get("overlay"); version == nil || !strings.HasPrefix(version.Text, "1.") {
		return nil, nil, refuse(BadOverlay, `the overlay has no member "overlay" that says 1.0.0`)
	}
	if !o.Get("actions").Is(Array) {
		return nil, nil, refuse(BadOverlay, "the overlay has no list of actions")
	}
	tree := &located{node: root.Copy(), index: -1}
	size := tree.node.count()
	for i, action := range o.Get("actions").Items() {
		used, err := tree.apply(action)
		if err != nil {
			return nil, nil, refuse(BadOverlay, "action %d: %s", i+1, detailOf(err))
		}
		if used == 0 {
			unused = append(unused, action.Str("target"))
		}
		if size += used * action.Get("update").values(); size > MaxValues {
			return nil, nil, refuse(BadOverlay, "action %d: more than %d values", i+1, MaxValues)
		}
	}
	return tree.node, unused, nil
}

// overlayError says of an error in reading that it is the overlay's.
func overlayError(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{BadOverlay, e.Line, e.Column, e.Detail}
	}
	return err
}

func detailOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Detail
	}
	return err.Error()
}

// apply carries out one action, and tells how many values it selected.
func (tree *located) apply(action *Node) (used int, err error) {
	target := action.Str("target")
	query, err := parsePath(target)
	if err != nil {
		return 0, err
	}
	found, err := query.find(tree.node)
	if err != nil {
		return 0, err
	}
	if action.True("remove") {
		return len(found), tree.remove(found)
	}
	update := action.Get("update")
	if update == nil {
		return 0, refuse(BadOverlay, "it has neither an update nor remove: true")
	}
	if len(found)*update.values() > MaxValues {
		return 0, refuse(BadOverlay, "%d times %d new values, at most %d", len(found), update.values(), MaxValues)
	}
	for _, place := range found {
		switch place.node.Kind {
		case Array:
			place.node.add("", update.Copy())
		case Object:
			if err := place.node.merge(update); err != nil {
				return 0, err
			}
		default:
			return 0, refuse(BadOverlay, "%s selects a value that is neither an object nor a list", clip(target))
		}
	}
	return len(found), nil
}

// remove takes values out of the tree, the last ones of an array first, so that places stay right.
func (tree *located) remove(found []located) error {
	gone := map[*Node]map[*Node]bool{}
	for _, place := range found {
		if place.parent == nil {
			return refuse(BadOverlay, "the whole document cannot be removed")
		}
		if gone[place.parent] == nil {
			gone[place.parent] = map[*Node]bool{}
		}
		gone[place.parent][place.node] = true
	}
	for parent, children := range gone {
		keys, items := parent.keys, parent.items
		parent.keys, parent.items = nil, nil
		for i, item := range items {
			if children[item] {
				continue
			}
			parent.items = append(parent.items, item)
			if parent.Kind == Object {
				parent.keys = append(parent.keys, keys[i])
			}
		}
		parent.reindex()
	}
	return nil
}

// merge gives an object the members of another.
func (n *Node) merge(update *Node) error {
	if !update.Is(Object) {
		return refuse(BadOverlay, "an object can only be updated by an object")
	}
	for key, value := range update.Members() {
		old := n.Get(key)
		switch {
		case old.Is(Object) && value.Is(Object):
			if err := old.merge(value); err != nil {
				return err
			}
		case old.Is(Array) && value.Is(Array):
			for _, item := range value.Items() {
				old.add("", item.Copy())
			}
		default:
			n.Set(key, value.Copy())
		}
	}
	return nil
}

// values is how many values an update has, 0 without one.
func (n *Node) values() int {
	if n == nil {
		return 0
	}
	return n.size
}

// count is how many values a tree has, aliases written out; size is not kept while it is changed.
func (n *Node) count() int {
	total := 1
	for _, item := range n.items {
		total += item.count()
	}
	return total
}

func quoted(text string) string { return strconv.Quote(clip(text)) }
