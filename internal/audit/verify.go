package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// Expectation is the hash of a record, as it was once seen; N is zero without one.
type Expectation struct {
	N    int64
	Hash [32]byte
}

// ReadExpectation reads N:HASH; "" expects nothing.
func ReadExpectation(text string) (e Expectation, err error) {
	if text == "" {
		return e, nil
	}
	number, hash, _ := strings.Cut(text, ":")
	e.N, err = strconv.ParseInt(number, 10, 64)
	raw, hexErr := hex.DecodeString(hash)
	if err != nil || hexErr != nil || e.N < 1 || len(raw) != len(e.Hash) {
		return Expectation{}, fmt.Errorf("%q: want N:HASH", text)
	}
	e.Hash = [32]byte(raw)
	return e, nil
}

// VerifyAll follows a chain: it counts the records, and returns the last that was good. An export may begin anywhere
// (part): then the first one's word is taken for what came before it.
func VerifyAll(records iter.Seq2[Record, error], part bool, e Expectation) (count int64, last Record, err error) {
	for record, err := range records {
		if err != nil {
			return count, last, err
		}
		if part && count == 0 {
			last = Record{N: record.N - 1, Hash: record.Prev}
		}
		if err := Verify(last, record); err != nil {
			return count, last, err
		}
		if record.N == e.N && record.Hash != e.Hash {
			return count, last, fmt.Errorf("%w: record %d is not the one that was expected: the chain was written anew", ErrChain, e.N)
		}
		last = record
		count++
	}
	if last.N < e.N {
		return count, last, fmt.Errorf("%w: it ends with record %d, and record %d was expected: the end was cut off", ErrChain, last.N, e.N)
	}
	return count, last, nil
}

// All reads a log page by page.
func All(ctx context.Context, log Log, after int64) iter.Seq2[Record, error] {
	const page = 500
	return func(yield func(Record, error) bool) {
		for {
			records, err := log.Records(ctx, after, page)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, record := range records {
				if !yield(record, nil) {
					return
				}
			}
			if len(records) < page {
				return
			}
			after = records[page-1].N
		}
	}
}

// Lines reads an export; what cannot be read is an ErrChain.
func Lines(in io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		decoder := json.NewDecoder(in)
		for {
			var record Record
			err := decoder.Decode(&record)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				err = fmt.Errorf("%w: what follows cannot be read: %w", ErrChain, err)
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}
