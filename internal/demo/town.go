package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/munjigi/munjigi/internal/demo/mailbox"
	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/wishlist"
)

// Town is everything around Munjigi, on sockets that are open: the provider, the services and the shops.
type Town struct {
	// Munjigi is the socket of Munjigi's own address, for the caller to serve.
	Munjigi net.Listener
	// Mailbox takes all letters.
	Mailbox *mailbox.Mailbox

	setup    *Setup
	provider *Provider
	services map[string]*service.Service // by place
	sockets  map[string]net.Listener
}

// Open takes all ports before anything starts, so that a taken one is told at once.
func (s *Setup) Open(log *slog.Logger) (*Town, error) {
	town := &Town{Mailbox: mailbox.New(log), setup: s, sockets: map[string]net.Listener{}, services: map[string]*service.Service{}}
	err := town.open(log)
	if err != nil {
		town.Close()
		return nil, err
	}
	return town, nil
}

func (t *Town) open(log *slog.Logger) (err error) {
	for _, place := range t.setup.places {
		socket, err := net.Listen("tcp", place.address)
		if err != nil {
			_, port, _ := net.SplitHostPort(place.address) // made by Prepare
			return fmt.Errorf("port %s, for %s, cannot be had: %w; choose other ports with --listen HOST:PORT", port, place.name, err)
		}
		t.sockets[place.name] = socket
	}
	t.Munjigi = t.sockets[munjigiPlace]
	t.provider, err = NewProvider(ProviderConfig{
		Issuer: t.setup.Provider, Dir: t.setup.Dir, ClientID: clientID, ClientSecret: t.setup.secret,
		RedirectURIs: []string{t.setup.URL + "/sign-in/staff/callback"}, Log: log,
	})
	if err != nil {
		return err
	}
	realms := map[string][]string{marketPlace: {market.Realm}}
	for name, begin := range map[string]func(service.Config) (*service.Service, error){wishlistPlace: wishlist.New, marketPlace: market.New} {
		if t.services[name], err = begin(service.Config{Issuer: t.setup.URL, Shops: t.setup.shops(), Realms: realms[name], Log: log}); err != nil {
			return err
		}
	}
	return nil
}

// Close ends what Open began, whether or not it was served.
func (t *Town) Close() {
	for _, service := range t.services {
		if service != nil {
			service.Close()
		}
	}
	for _, socket := range t.sockets {
		socket.Close() // closed already when it was served
	}
}

// Run serves the provider, the services, the shops and the mailbox until ctx is done or one of them fails.
func (t *Town) Run(ctx context.Context) error {
	handlers := map[string]http.Handler{
		providerPlace:  t.provider,
		shopPlace:      members.NewShop(t.setup.shop(members.Retail, marketPlace)),
		wholesalePlace: members.NewShop(t.setup.shop(members.Wholesale, marketPlace, wishlistPlace)),
	}
	for name, service := range t.services {
		handlers[name] = service
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var served sync.WaitGroup
	served.Go(func() {
		if err := t.Mailbox.Serve(ctx, t.sockets[mailPlace]); err != nil {
			stop(err)
		}
	})
	for name, handler := range handlers {
		served.Go(func() {
			if err := serve(ctx, t.sockets[name], handler); err != nil {
				stop(fmt.Errorf("serve %s: %w", name, err))
			}
		})
	}
	served.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// serve answers on a socket until ctx is done. Calls that are under way then have two seconds: the fault "slow" would
// hold the demo up for longer.
func serve(ctx context.Context, socket net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(socket) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(patience) != nil {
		server.Close()
	}
	return nil
}

// Ready waits until every part answers.
func (t *Town) Ready(ctx context.Context) error {
	for _, address := range []string{t.setup.Provider + "/.well-known/openid-configuration", t.setup.URL + "/readyz"} {
		if err := answers(ctx, address); err != nil {
			return err
		}
	}
	for name, service := range t.services {
		if err := service.Ready(ctx); err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
	}
	return nil
}

func answers(ctx context.Context, address string) error {
	client := http.Client{
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", address, err)
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		answer, err := client.Do(request)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(answer.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("ask %s: %w", address, err)
		case <-again.C:
		}
	}
}

// WriteTable writes what there is to see, and who may sign in.
func (s *Setup) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) } // its error comes with Flush
	row("Page", "")
	row("  "+s.URL+"/demo/", "a token's way: begin here")
	row("  "+s.URL+"/", "the console")
	row("  "+s.Shop+"/", "a shop for members: a hundred calls, one session call")
	row("  "+s.Wholesale+"/", "a second front end of the same members")
	row("  "+s.Mail, "the mailbox: links to set passwords and to sign up")
	row("  "+s.Provider+"/", "the company's accounts: leave, return, break it")
	row("  "+s.Services[wishlistPlace]+"/", "wishlist, a service with a private API: its document, and how to break it")
	row("  "+s.Services[marketPlace]+"/", "market, another one")
	row("Staff (there are no passwords)", "Roles", "Name")
	for _, person := range People() {
		roles := strings.Join(person.Roles, ", ")
		if person.Domain() != CompanyDomain {
			roles = "refused: another company"
		}
		row("  "+person.Email, roles, person.Name)
	}
	row("Member", "Password", "Name")
	for _, member := range members.List() {
		row("  "+member.Login, member.Password, member.Name)
	}
	row("Shop at the market (it keeps their passwords)", "Password", "Token of the old sign-in")
	for i, account := range market.Logins() {
		row("  "+account.Login, account.Password, market.Legacies()[i].Token)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s keeps everything; %s is its configuration.\n"+
		"Cookies on localhost ignore ports: other programs on this machine's loopback get them as well.\n", s.Dir, s.Config)
	return err
}
