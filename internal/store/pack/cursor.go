package pack

import (
	"math"
	"strconv"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
)

// Pattern finds a text anywhere with LIKE. What LIKE would take as a wildcard is taken as itself.
func Pattern(search string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(search)) + "%"
}

// Cursor names a place in the order of beginnings, where the next page goes on.
func Cursor(seq int64) string { return strconv.FormatInt(seq, 36) }

// ReadCursor is Cursor read again; "" is before the newest.
func ReadCursor(text string) (before int64, err error) {
	if text == "" {
		return math.MaxInt64, nil
	}
	before, err = strconv.ParseInt(text, 36, 64)
	if err != nil || before <= 0 {
		return 0, &fault.Error{Code: fault.RequestInvalid, Detail: "after: want the cursor that the page before gave"}
	}
	return before, nil
}
