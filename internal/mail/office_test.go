package mail

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// office is a mail server that nobody here wrote, on a real socket, with hooks for what can go wrong.
type office struct {
	address string
	roots   *x509.CertPool

	mu      sync.Mutex // guards everything below
	letters []received
	logins  int // right passwords
	// rcpt and data answer instead of a yes, when they are set.
	rcpt, data func(*smtp.Conn) error
}

type received struct {
	from, to string
	tls      bool
	raw      []byte
}

const (
	officeUser     = "mailer"
	officePassword = "correct horse"
)

// openOffice starts one. way is a Config's TLS; auth says whether it wants a password.
func openOffice(t *testing.T, way string, auth bool) *office {
	t.Helper()
	o := &office{roots: x509.NewCertPool()}
	certificate := testCertificate(t)
	o.roots.AddCert(certificate.Leaf)
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &visit{office: o, conn: c, auth: auth}, nil
	}))
	server.Domain, server.AllowInsecureAuth = "localhost", way == None
	server.ErrorLog = quiet{}
	ways := &tls.Config{Certificates: []tls.Certificate{certificate}}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.address = socket.Addr().String()
	switch way {
	case StartTLS:
		server.TLSConfig = ways
	case Implicit:
		socket = tls.NewListener(socket, ways)
	}
	go server.Serve(socket)
	t.Cleanup(func() { server.Close() })
	return o
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func testCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (o *office) answer(hook func(*office) func(*smtp.Conn) error, c *smtp.Conn) error {
	o.mu.Lock()
	answer := hook(o)
	o.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(c)
}

func (o *office) set(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
}

func (o *office) arrived() []received {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]received(nil), o.letters...)
}

// visit is one connection.
type visit struct {
	office   *office
	conn     *smtp.Conn
	auth, in bool
	got      received
}

func (v *visit) AuthMechanisms() []string {
	if v.auth {
		return []string{sasl.Plain}
	}
	return nil
}

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != officeUser || password != officePassword {
			return smtp.ErrAuthFailed
		}
		v.in = true
		v.office.set(func() { v.office.logins++ })
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	if v.auth && !v.in {
		return smtp.ErrAuthRequired
	}
	v.got.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.got.to = to
	return v.office.answer(func(o *office) func(*smtp.Conn) error { return o.rcpt }, v.conn)
}

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := v.office.answer(func(o *office) func(*smtp.Conn) error { return o.data }, v.conn); err != nil {
		return err
	}
	_, v.got.tls = v.conn.TLSConnectionState()
	v.got.raw = raw
	v.office.set(func() { v.office.letters = append(v.office.letters, v.got) })
	return nil
}

func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

// opened is a letter as a mail program shows it, read by the standard library.
type opened struct {
	header  netmail.Header
	subject string
	from    *netmail.Address
	to      []*netmail.Address
	parts   map[string]string // by media type
	kinds   []string          // the parts' media types, in order
}

func open(t *testing.T, raw []byte) opened {
	t.Helper()
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	o := opened{header: message.Header, parts: map[string]string{}}
	if o.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	if o.to, err = message.Header.AddressList("To"); err != nil {
		t.Fatal(err)
	}
	from, err := message.Header.AddressList("From")
	if err != nil || len(from) != 1 {
		t.Fatal(from, err)
	}
	o.from = from[0]
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("got %s, %v, want multipart/alternative", kind, err)
	}
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return o
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || !strings.EqualFold(parameters["charset"], "utf-8") || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("part: %v, %v", part.Header, err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		o.parts[kind] = strings.ReplaceAll(string(text), "\r\n", "\n")
		o.kinds = append(o.kinds, kind)
	}
}
