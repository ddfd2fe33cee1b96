package gateway

import (
	"net/http"

	"github.com/munjigi/munjigi/internal/fault"
)

// Export is GET /exports/{service}{list path}.
func (g *Gateway) Export(w http.ResponseWriter, r *http.Request, who Caller) error {
	return fault.New(fault.NotFound, "")
}
