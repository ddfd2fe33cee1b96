package service

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
)

// Read decodes the JSON object that a request brings, strictly: members that nobody knows, wrong types and a second value
// are 422 with a pointer. A request without a body leaves into as it is when optional says so.
func Read(r *http.Request, into any, optional bool) error {
	text, err := io.ReadAll(r.Body)
	if long, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Wrap(fault.TooLarge, long)
	}
	if err != nil {
		return fault.Wrap(fault.RequestInvalid, err)
	}
	if optional && len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	members := map[string]json.RawMessage{}
	if json.Unmarshal(text, &members) != nil || members == nil {
		return wrongAt("", "a JSON object", "JSON 객체")
	}
	known := membersOf(reflect.TypeOf(into).Elem())
	var wrong Wrong
	for name := range members {
		wrong.If(!known[name], "/"+name, "no such field here", "없는 항목입니다")
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	err = json.Unmarshal(text, into)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		pointer := "/" + strings.ReplaceAll(mistyped.Field, ".", "/")
		return wrongAt(pointer, "a value of another type: "+kindOf(mistyped.Type), "값의 종류가 다릅니다: "+kindOf(mistyped.Type))
	}
	if err != nil {
		return wrongAt("", "a JSON object", "JSON 객체")
	}
	return nil
}

func wrongAt(pointer, english, korean string) error {
	var wrong Wrong
	wrong.If(true, pointer, english, korean)
	return wrong.Err()
}

// kindOf is how JSON calls what a Go type takes.
func kindOf(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Pointer:
		return kindOf(of.Elem())
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Float32, reflect.Float64:
		return "number"
	default:
		return "integer"
	}
}

func membersOf(of reflect.Type) map[string]bool {
	known := map[string]bool{}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		known[name] = true
	}
	return known
}
