package server

import (
	"net/http"
	"slices"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

type deviceBody struct {
	ID        string `json:"id"`
	Device    string `json:"device"`
	From      string `json:"from"`
	App       string `json:"app"`
	StartedAt int64  `json:"started_at"`
	RenewedAt int64  `json:"renewed_at"`
	EndsAt    int64  `json:"ends_at"`
	Current   bool   `json:"current"`
}

// listDevices is GET /sessions: where the caller's account is signed in.
func (s *Server) listDevices(w *response, r *http.Request) error {
	who, err := s.identify(r)
	if err != nil {
		return err
	}
	live, err := s.Devices.Sessions(r.Context(), who.account.ID)
	if err != nil {
		return err
	}
	list := make([]deviceBody, len(live))
	for i, row := range live {
		list[i] = deviceBody{
			row.ID.String(), row.Device, row.From, row.App, row.StartedAt.Unix(), row.Rotation.At.Unix(),
			row.EndsAt.Unix(), row.ID == who.session.ID,
		}
	}
	return answer.JSON(w, map[string]any{"sessions": list})
}

// endDevice is DELETE /sessions/{sid}, for sessions of the caller's own account. Its own one is a sign-out.
func (s *Server) endDevice(w *response, r *http.Request) error {
	who, err := s.identify(r)
	if err != nil {
		return err
	}
	id, err := token.ParseSessionID(r.PathValue("sid"))
	if err != nil {
		return fault.Wrap(fault.NotFound, err)
	}
	from := s.caller(r)
	if id == who.session.ID {
		if err := s.Sessions.SignOut(r.Context(), who.session, false, from); err != nil {
			return err
		}
		s.forgetSession(w, r, who)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	live, err := s.Devices.Sessions(r.Context(), who.account.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(live, func(row session.Session) bool { return row.ID == id }) {
		return fault.New(fault.NotFound, "no live session of yours has this id")
	}
	if _, err := s.Devices.Revoke(r.Context(), id, actorOf(who), from.From); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func actorOf(c caller) audit.Actor { return audit.Actor{Kind: audit.ByAccount, ID: c.account.ID} }
