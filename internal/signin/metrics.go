package signin

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/munjigi/munjigi/internal/fault"
)

// What can come of a guess.
const (
	rightGuess   = "right"
	wrongGuess   = "wrong"
	spentGuess   = "spent"   // wrong whatever it was: no place was left
	refusedGuess = "refused" // not looked at: too many from its network, or at once
	failedGuess  = "failed"  // nothing was found out
)

type metrics struct{ guesses *prometheus.CounterVec }

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "munjigi_guesses_total", Help: "Passwords that were presented, by what came of it.",
	}, []string{"outcome"})}
	for _, outcome := range []string{rightGuess, wrongGuess, spentGuess, refusedGuess, failedGuess} {
		m.guesses.WithLabelValues(outcome)
	}
	if registerer == nil {
		return m, nil
	}
	return m, registerer.Register(m.guesses)
}

func (m *metrics) count(outcome string) { m.guesses.WithLabelValues(outcome).Inc() }

func outcomeOf(code fault.Code, spent bool) string {
	switch {
	case spent:
		return spentGuess
	case code == "" || code == fault.SessionCutOff: // the latter only after a right password
		return rightGuess
	case code == fault.CredentialsWrong:
		return wrongGuess
	}
	return failedGuess
}
