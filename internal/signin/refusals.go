package signin

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
)

// Refusals are recorded at most this often, so that nobody can fill the audit, which is kept for good. How many were
// left out is told by the next one that is recorded.
const (
	refusalsPerSecond = 1
	refusalsAtOnce    = 50
)

type refusals struct {
	audit audit.Log
	now   func() time.Time
	log   *slog.Logger
	limit *rate.Limiter

	mu      sync.Mutex // guards what follows
	leftOut int
}

func newRefusals(c Config) *refusals {
	return &refusals{audit: c.Audit, now: c.Now, log: c.Log, limit: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce)}
}

// refusal is a sign-in that came to nothing.
type refusal struct {
	err     error
	realm   string
	app     string
	from    string
	subject string // at the provider, where it is known
	email   string
	account string // id, where it is known without the provider
}

// record writes sign_in_refused. What stops it is logged: the person is told why the sign-in failed, not why its record did.
func (r *refusals) record(ctx context.Context, why refusal) {
	now := r.now()
	if !r.limit.AllowN(now, 1) {
		r.mu.Lock()
		r.leftOut++
		r.mu.Unlock()
		return
	}
	event := audit.Event{
		At: now, Action: audit.SignInRefused, Realm: why.realm, Account: why.account, From: why.from, Outcome: string(fault.CodeOf(why.err)),
		Actor: audit.Actor{Kind: audit.ByProgram}, Details: r.details(why),
	}
	// The caller may have gone already, and the event is not about it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.audit.Append(ctx, event); err != nil {
		r.log.Error("refused sign-in not recorded", "err", err)
	}
}

func (r *refusals) details(why refusal) map[string]string {
	details := map[string]string{}
	for name, value := range map[string]string{"app": why.app, "subject": why.subject, "email": why.email} {
		if value != "" {
			details[name] = value
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leftOut > 0 {
		details["left_out"], r.leftOut = strconv.Itoa(r.leftOut), 0
	}
	return details
}
