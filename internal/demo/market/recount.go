package market

import (
	"net/http"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
)

// recountTakes is how long a recount of the stock takes. Nothing runs meanwhile: how far it is follows from the time.
const recountTakes = 6 * time.Second

// job is work that takes longer than an answer should.
type job struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Status   string     `json:"status"` // running, done
	Progress int        `json:"progress"`
	Total    int        `json:"total"`
	Done     int        `json:"done"`
	Found    int        `json:"found"` // products whose stock was not as it was written
	BeganAt  time.Time  `json:"began_at"`
	EndedAt  *time.Time `json:"ended_at"`
}

// at is the job as it is at a time.
func (j job) at(now time.Time) job {
	passed := min(max(now.Sub(j.BeganAt), 0), recountTakes)
	j.Progress = int(100 * passed / recountTakes)
	j.Done = j.Total * j.Progress / 100
	j.Found = j.Done / 97
	j.Status = "running"
	if passed == recountTakes {
		end := j.BeganAt.Add(recountTakes)
		j.Status, j.EndedAt = "done", &end
	}
	return j
}

func (m *market) recountStock(r *http.Request) (any, error) {
	if err := service.Read(r, &struct{}{}, true); err != nil {
		return nil, err
	}
	now := m.now()
	if running := m.jobs.Find(func(j *job) bool { return j.at(now).Status == "running" }); len(running) > 0 {
		return nil, service.Conflict("recount_running", "The stock is being counted already.", "이미 재고를 세고 있습니다.")
	}
	one := job{ID: m.id("j"), Kind: "recount", Total: m.products.Len(), BeganAt: now.UTC().Truncate(time.Millisecond)}
	m.jobs.Add(one)
	m.note(r, "stock.recounted", "", one.ID)
	return unfinished(one.at(now)), nil
}

// getJob answers 202 for as long as the work goes on, and then 200.
func (m *market) getJob(r *http.Request) (any, error) {
	one, err := m.jobs.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	one = one.at(m.now())
	if one.Status == "running" {
		return unfinished(one), nil
	}
	return one, nil
}

func unfinished(one job) *service.Answer {
	return &service.Answer{Status: http.StatusAccepted, Body: one, Header: map[string]string{"Location": "/jobs/" + one.ID, "Retry-After": "1"}}
}
