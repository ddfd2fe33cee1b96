package roster

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format is how a list is written.
type Format string

// The formats. Both are UTF-8, a person a line.
const (
	CSV       Format = "csv"   // RFC 4180 with a header; no line breaks in fields
	JSONLines Format = "jsonl" // one object a line
)

// FormatOf is the format that is given, or else the one that the file's name tells.
func FormatOf(given, file string) (Format, error) {
	switch ending := strings.ToLower(path.Ext(file)); {
	case given != "":
		return Format(given), nil
	case ending == ".csv":
		return CSV, nil
	case ending == ".jsonl" || ending == ".ndjson":
		return JSONLines, nil
	}
	return "", fmt.Errorf("%s: say --format csv or --format jsonl", file)
}

// maxLine is in bytes. A longer line is refused without being kept.
const maxLine = 64 << 10

// columns are what a CSV header may name, in any order.
var columns = []string{"login", "name", "email", "roles", "hash", "password", "disabled"}

var errEncoding = errors.New("not UTF-8: save the list as UTF-8 (a Korean one from older programs: iconv -f CP949 -t UTF-8)")

// reader reads a list line by line: each line stands for itself, so that a broken one costs nobody else their row, and
// memory does not grow with what somebody forgot to close.
type reader struct {
	format Format
	from   *bufio.Reader
	header []string // of CSV
	line   int      // of the row read last
	bytes  int64
}

// newReader reads the header. Its error is about the whole list.
func newReader(from io.Reader, format Format) (*reader, error) {
	r := &reader{format: format, from: bufio.NewReaderSize(from, maxLine)}
	switch begin, _ := r.from.Peek(3); {
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		r.bytes += 3
		_, _ = r.from.Discard(3) // peeked
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		return nil, errEncoding
	}
	if format != CSV {
		return r, nil
	}
	text, err := r.readLine()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("empty: want a header with at least login")
	}
	if err != nil {
		return nil, fmt.Errorf("line 1, the header: %w", err)
	}
	return r, r.readHeader(text)
}

func (r *reader) readHeader(text string) error {
	fields, err := fieldsOf(text)
	if err != nil {
		return fmt.Errorf("line 1, the header: %w", err)
	}
	for i, name := range fields {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, name) {
			return fmt.Errorf("line 1: the column %q is not known: want %s", shortened(name), strings.Join(columns, ", "))
		}
		if slices.Contains(fields[:i], name) {
			return fmt.Errorf("line 1: the column %s is there twice", name)
		}
		fields[i] = name
	}
	if !slices.Contains(fields, "login") {
		return errors.New("line 1: there is no column login")
	}
	r.header = fields
	return nil
}

// next reads the next row. io.EOF is the end, a *Refusal a line to be left out; any other error ends the reading.
func (r *reader) next() (row, error) {
	for {
		text, err := r.readLine()
		if _, broken := errors.AsType[lineError](err); err != nil && !broken {
			return row{}, err
		}
		if err == nil && strings.TrimSpace(text) == "" {
			continue // a blank line is nobody
		}
		var one row
		if err == nil {
			one, err = r.parse(text)
		}
		if err != nil {
			return row{}, &Refusal{Line: r.line, Login: shortened(one.Login), Reason: err.Error()}
		}
		return one, nil
	}
}

// lineError is a line that cannot be read; the one after it can.
type lineError struct{ error }

func (e lineError) Unwrap() error { return e.error }

// readLine reads one without its LF; the CR before it is white space to JSON, and no part of a field to encoding/csv.
func (r *reader) readLine() (string, error) {
	text, err := r.from.ReadSlice('\n')
	r.line++
	r.bytes += int64(len(text))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", r.skipLine()
	case errors.Is(err, io.EOF) && len(text) > 0: // the last line may lack its end
	case err != nil:
		return "", err
	}
	if !utf8.Valid(text) {
		return "", lineError{errEncoding}
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

func (r *reader) skipLine() error {
	for {
		text, err := r.from.ReadSlice('\n')
		r.bytes += int64(len(text))
		if err == nil || errors.Is(err, io.EOF) {
			return lineError{fmt.Errorf("longer than %d KB", maxLine>>10)}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func (r *reader) parse(text string) (one row, err error) {
	if r.format == CSV {
		return r.parseCSV(text)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&one); err != nil {
		return one, jsonReason(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return one, errors.New("want one JSON object on the line, and nothing after it")
	}
	return one, nil
}

// jsonReason never holds a value: it may be a password.
func jsonReason(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want, ok := map[string]string{"": "a JSON object", "roles": "a list of texts", "disabled": "true or false"}[wrong.Field]
		if !ok {
			want = "a text"
		}
		return errors.New(strings.TrimPrefix(wrong.Field+": want "+want, ": "))
	}
	if strings.HasPrefix(err.Error(), "json: unknown field ") {
		return fmt.Errorf("the member %s is not known: want %s", shortened(strings.TrimPrefix(err.Error(), "json: unknown field ")), strings.Join(columns, ", "))
	}
	return errors.New("want a JSON object on one line")
}

func (r *reader) parseCSV(text string) (one row, err error) {
	fields, err := fieldsOf(text)
	if err != nil {
		return one, err
	}
	if len(fields) != len(r.header) {
		return one, fmt.Errorf("%d fields, where the header has %d", len(fields), len(r.header))
	}
	for i, name := range r.header {
		if err := one.set(name, fields[i]); err != nil {
			return one, err
		}
	}
	return one, nil
}

func (r *row) set(name, value string) error {
	switch name {
	case "login":
		r.Login = value
	case "name":
		r.Name = &value
	case "email":
		r.Email = &value
	case "roles":
		list := strings.FieldsFunc(value, func(c rune) bool { return c == ' ' || c == ',' || c == ';' || c == '|' })
		r.Roles = &list
	case "hash":
		r.Hash = strings.TrimSpace(value)
	case "password":
		r.Password = value
	case "disabled":
		disabled, ok := truths[strings.ToLower(strings.TrimSpace(value))]
		if !ok {
			return errors.New("disabled: want true or false")
		}
		r.Disabled = &disabled
	}
	return nil
}

// truths are how databases and people write yes and no.
var truths = map[string]bool{
	"": false, "false": false, "f": false, "no": false, "n": false, "0": false, "true": true, "t": true, "yes": true, "y": true, "1": true,
}

// fieldsOf reads one line of CSV.
func fieldsOf(text string) ([]string, error) {
	reader := csv.NewReader(strings.NewReader(text))
	fields, err := reader.Read()
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, csvReason(wrong.Err)
	}
	return fields, err
}

func csvReason(err error) error {
	if errors.Is(err, csv.ErrBareQuote) {
		return errors.New(`a " inside of a field: write "" and put the field into quotes`)
	}
	return errors.New("a field in quotes does not end on its line")
}
