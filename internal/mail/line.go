package mail

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// line is the connection of one attempt, so that it ends with the attempt: go-mail leaves it open when the server's
// greeting fails, and does not look at the context once it has one.
type line struct {
	sender *Sender

	mu     sync.Mutex // guards everything below
	conn   net.Conn
	closed bool
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	l.conn = conn
	if l.sender.TLS == Implicit {
		return tls.Client(conn, l.sender.tls()), nil
	}
	return conn, nil
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		l.conn.Close()
	}
}
