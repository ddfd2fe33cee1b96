package upstream

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A server closes what was idle for five seconds, and what was sent at that moment is lost. Here it loses everything
// that comes on a connection after four.
func TestNothingIsSentOnAConnectionThatIsAboutToBeClosed(t *testing.T) {
	t.Parallel()
	type lastUsed struct{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if at := r.Context().Value(lastUsed{}).(*atomic.Int64).Swap(time.Now().UnixNano()); time.Now().UnixNano()-at > int64(4*time.Second) {
			panic(http.ErrAbortHandler)
		}
	}))
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		at := new(atomic.Int64)
		at.Store(time.Now().UnixNano())
		return context.WithValue(ctx, lastUsed{}, at)
	}
	server.Start()
	defer server.Close()
	client, _ := newClient(nil)
	for range 2 {
		response, err := client.Post(server.URL, "application/x-www-form-urlencoded", strings.NewReader("grant_type=refresh_token"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		time.Sleep(4500 * time.Millisecond)
	}
}
