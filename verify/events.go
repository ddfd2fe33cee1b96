package verify

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// eventReader reads the data of server-sent events (HTML Living Standard §9.2.6). Names, ids and retry times of events
// are passed over: the data says all.
type eventReader struct {
	lines *bufio.Reader
	limit int // bytes of one event, everything counted
}

var errEventSize = errors.New("an event of the feed is too large")

func newEventReader(r io.Reader, limit int) *eventReader {
	return &eventReader{lines: bufio.NewReader(r), limit: limit}
}

// next is the data of the next event that has any. What it returns is the caller's.
func (e *eventReader) next() ([]byte, error) {
	var data []byte
	left, any := e.limit, false
	for {
		line, err := e.line(&left)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			if any {
				return data, nil
			}
			left = e.limit
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) != "data" {
			continue
		}
		if any {
			data = append(data, '\n')
		}
		data = append(data, bytes.TrimPrefix(value, []byte(" "))...)
		any = true
	}
}

// line is one line without its end. It takes its length from left. An event that the end of the stream cuts off is
// none, so a part of a line is never returned.
func (e *eventReader) line(left *int) ([]byte, error) {
	var line []byte
	for {
		part, err := e.lines.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return nil, errEventSize
		}
		line = append(line, part...)
		if err == nil {
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}
