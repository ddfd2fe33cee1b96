package openapi

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// number is a node for a number of YAML: as it was written where that is a number of JSON, else (0x1F, 1_000, +1, .5)
// its value.
func number(literal string, value any) *Node {
	text := literal
	if !isJSONNumber(text) {
		text = fmt.Sprint(value)
		if f, ok := value.(float64); ok {
			text = strconv.FormatFloat(f, 'g', -1, 64)
			if math.IsInf(f, 0) || math.IsNaN(f) {
				return &Node{size: 1}
			}
		}
	}
	if !isJSONNumber(text) {
		return NewString(literal)
	}
	return &Node{Kind: Number, Text: text, size: 1}
}

func isJSONNumber(text string) bool {
	if text == "" || (text[0] != '-' && (text[0] < '0' || text[0] > '9')) {
		return false
	}
	return json.Valid([]byte(text))
}
