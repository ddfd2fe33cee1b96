package admin

import (
	"context"
	"net/http"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/server/answer"
)

// Keys is keys.Ring.
type Keys interface {
	Records() []keys.Record
	// Rotate has the next key sign. request_invalid when services may not know it yet.
	Rotate(ctx context.Context, actor audit.Actor) error
	// RetireFor withdraws a stolen one. not_found.
	RetireFor(ctx context.Context, kid, reason string, actor audit.Actor) error
}

type keyBody struct {
	ID          string `json:"id"`
	State       string `json:"state"` // next, active, retired, withdrawn
	Algorithm   string `json:"algorithm"`
	CreatedAt   int64  `json:"created_at"`
	ActiveAt    int64  `json:"active_at,omitempty"`
	RetiredAt   int64  `json:"retired_at,omitempty"`
	WithdrawnAt int64  `json:"withdrawn_at,omitempty"`
}

// ListKeys is GET /admin/keys: when each was made, used, retired.
func (d *Desk) ListKeys(w http.ResponseWriter, _ *http.Request, _ Caller) error {
	records := d.Keys.Records()
	list := make([]keyBody, len(records))
	for i, key := range records {
		list[i] = keyBody{key.ID, key.State(), key.Algorithm, answer.Unix(key.CreatedAt), answer.Unix(key.ActiveAt), answer.Unix(key.RetiredAt), answer.Unix(key.WithdrawnAt)}
	}
	return answer.JSON(w, map[string]any{"keys": list})
}

// RotateKeys is POST /admin/keys/rotate.
func (d *Desk) RotateKeys(w http.ResponseWriter, r *http.Request, who Caller) error {
	return done(w, d.Keys.Rotate(r.Context(), who.Actor))
}

// RetireKey is POST /admin/keys/{id}/retire: for good, so it wants a reason.
func (d *Desk) RetireKey(w http.ResponseWriter, r *http.Request, who Caller) error {
	reason, err := gateway.ReadReason(r.Header)
	if err != nil {
		return err
	}
	if reason == "" {
		return fault.New(fault.ReasonRequired, "say why in the header Munjigi-Reason")
	}
	return done(w, d.Keys.RetireFor(r.Context(), r.PathValue("id"), reason, who.Actor))
}
