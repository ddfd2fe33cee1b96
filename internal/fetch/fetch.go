// Package fetch gets a document for a command: from a file, or by one GET of an address that somebody typed. It follows
// no redirect, waits and reads only so long, and says in words what went wrong.
//
// It is not for the server, whose requests carry tokens.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Wait is how long one answer may take, all of it.
const Wait = 20 * time.Second

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// IsAddress tells whether a word on the command line is an address rather than a file.
func IsAddress(where string) bool {
	return strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://")
}

// Read is the text of a file or of an address that answers 200, at most limit bytes of it. headers are "Name: value".
func Read(ctx context.Context, where string, headers []string, limit int64) ([]byte, error) {
	if !IsAddress(where) {
		return readFile(where, limit)
	}
	answer, err := Get(ctx, where, headers, limit)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d%s", where, answer.Status, leadsTo(answer))
	}
	return answer.Body, nil
}

func leadsTo(answer Answer) string {
	if to := answer.Header.Get("Location"); to != "" && answer.Status/100 == 3 {
		return fmt.Sprintf(" and leads to %q, where nobody follows: name that address", to)
	}
	return ""
}

func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return read(file, name, limit)
}

func read(from io.Reader, name string, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	return text, nil
}

// Get asks an address once. Whatever its status, the answer is returned; an error is that there is none, or too large a
// one.
func Get(ctx context.Context, address string, headers []string, limit int64) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, Wait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Answer{}, fmt.Errorf("%q is no address: %w", address, errors.Unwrap(err))
	}
	request.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")
	if err := setHeaders(request, headers); err != nil {
		return Answer{}, err
	}
	client := http.Client{
		Timeout:       Wait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, said(address, err)
	}
	defer response.Body.Close()
	text, err := read(response.Body, address, limit)
	if err != nil {
		return Answer{}, err
	}
	return Answer{response.StatusCode, response.Header, text}, nil
}

func setHeaders(request *http.Request, headers []string) error {
	for _, header := range headers {
		name, value, ok := strings.Cut(header, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(header, "\r\n") {
			return errors.New(`a header is written "Name: value"`) // it may hold a secret: it is not repeated
		}
		request.Header.Set(name, strings.TrimSpace(value))
		if strings.EqualFold(name, "Host") {
			request.Host = strings.TrimSpace(value)
		}
	}
	return nil
}

// said is an error of the client without the address being told twice.
func said(address string, err error) error {
	if trouble, ok := errors.AsType[*url.Error](err); ok {
		err = trouble.Err
	}
	return fmt.Errorf("%s does not answer: %w", address, err)
}
