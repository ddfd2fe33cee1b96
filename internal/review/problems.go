package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// mostProblems is how many are said.
const mostProblems = 20

// Problems are what a validator that is not ours says against a document in JSON. Screens are drawn all the same: they
// need far less than a valid document. Nothing is fetched.
func Problems(ctx context.Context, document []byte) (list []string) {
	list = []string{}
	defer func() { // it reads a stranger's document; the screens are there already
		if trouble := recover(); trouble != nil {
			list = append(list, fmt.Sprint("the validator gave up: ", trouble))
		}
	}()
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	loader.Context = ctx
	doc, err := loader.LoadFromData(document)
	if err == nil {
		err = doc.Validate(ctx, openapi3.EnableMultiError(), openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	}
	for _, line := range lines(err) {
		if !slices.Contains(list, line) && len(list) < mostProblems {
			list = append(list, line)
		}
	}
	return list
}

// lines are the errors within an error, one line each.
func lines(err error) (list []string) {
	if err == nil {
		return nil
	}
	if many, ok := errors.AsType[openapi3.MultiError](err); ok && len(many) > 0 {
		for _, one := range many {
			list = append(list, lines(one)...)
		}
		return list
	}
	line := strings.Join(strings.Fields(err.Error()), " ")
	const most = 300
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return []string{line}
}
