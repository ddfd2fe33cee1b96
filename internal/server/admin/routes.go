package admin

// Routes is everything that a Desk answers.
func (d *Desk) Routes() []Route {
	return []Route{
		{"GET /admin/openapi.json", d.Document},
		{"GET /admin/sessions", d.ListSessions},
		{"GET /admin/sessions/{sid}", d.ShowSession},
		{"DELETE /admin/sessions/{sid}", d.RevokeSession},
		{"GET /admin/accounts", d.ListAccounts},
		{"POST /admin/accounts", d.AddMember},
		{"GET /admin/accounts/{id}", d.ShowAccount},
		{"GET /admin/accounts/{id}/sessions", d.ListAccountSessions},
		{"DELETE /admin/accounts/{id}/sessions", d.RevokeAccount},
		{"POST /admin/accounts/{id}/disable", d.DisableAccount},
		{"POST /admin/accounts/{id}/enable", d.EnableAccount},
		{"POST /admin/accounts/{id}/link", d.LinkAccount},
		{"GET /admin/keys", d.ListKeys},
		{"POST /admin/keys/rotate", d.RotateKeys},
		{"POST /admin/keys/{id}/retire", d.RetireKey},
		{"GET /admin/audit", d.ListAudit},
		{"GET /admin/audit/{n}", d.ShowEvent},
		{"GET /admin/waves", d.ListWaves},
		{"POST /admin/waves/confirm", d.ConfirmWave},
		{"POST /admin/waves/dismiss", d.DismissWave},
	}
}
