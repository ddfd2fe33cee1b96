package market

import (
	"net/http"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

var pointKinds = []string{"earned", "granted", "spent", "expired"}

func (m *market) listPoints(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	return m.ledger(q, q.Text("shop_id"))
}

func (m *market) listPointsOfShop(r *http.Request) (any, error) {
	one, err := m.shops.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return m.ledger(service.QueryOf(r), one.ID)
}

// ledger are the entries of a shop, or of all, newest first.
func (m *market) ledger(q *service.Query, of string) (any, error) {
	kind := q.Choice("kind", pointKinds...)
	rows := m.points.Find(func(one *points) bool { return service.Is(of, one.ShopID) && service.Is(kind, one.Kind) })
	slices.Reverse(rows)
	return offset(q, rows, shelf.Orders[points](nil))
}

const mostPoints = 100_000 // at once

func (m *market) grantPoints(r *http.Request) (any, error) {
	var form struct {
		Points int64  `json:"points"`
		Note   string `json:"note"`
	}
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	within(&wrong, "/points", &form.Points, 1, mostPoints)
	length(&wrong, "/note", &form.Note, 1, 100)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	_, err := m.shops.Edit(r.PathValue("id"), func(one *shop) error {
		if one.Status != "open" {
			return service.Conflict("shop_suspended", "A suspended shop gets no points.", "이용 정지된 가게에는 포인트를 줄 수 없습니다.")
		}
		one.Points += form.Points
		return nil
	})
	if err != nil {
		return nil, err
	}
	by := caller(r)
	entry := points{ID: m.id("t"), ShopID: r.PathValue("id"), Kind: "granted", Points: form.Points, Note: form.Note, By: by, At: m.now().UTC().Truncate(time.Second)}
	m.points.Add(entry)
	m.note(r, "points.granted", entry.ShopID, entry.ID)
	return &service.Answer{Status: http.StatusCreated, Body: entry}, nil
}

// caller is the e-mail of who asks, or the subject where there is none.
func caller(r *http.Request) string {
	claims := service.Caller(r)
	if claims.Email != "" {
		return claims.Email
	}
	return claims.Subject
}
