package pgtest

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Valve is the way from a node to a server, which can be cut off without either side being told.
type Valve struct {
	listener net.Listener
	to       string
	cut      atomic.Bool
}

// NewValve is open.
func NewValve(t testing.TB, to string) *Valve {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	v := &Valve{listener: listener, to: to}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go v.pass(conn)
		}
	}()
	return v
}

// Address is where it listens.
func (v *Valve) Address() string { return v.listener.Addr().String() }

// Cut holds up everything, or lets it go on.
func (v *Valve) Cut(cut bool) { v.cut.Store(cut) }

func (v *Valve) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", v.to)
	if err != nil {
		return
	}
	defer to.Close()
	go v.copy(from, to)
	v.copy(to, from)
}

func (v *Valve) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		for v.cut.Load() {
			time.Sleep(10 * time.Millisecond) // until it is opened: this is the fault itself
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
