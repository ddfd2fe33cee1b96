package verify_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/munjigi/munjigi/verify"
)

// A service with one route for everybody who is signed in, and one for editors whom the company has confirmed within
// the last minute.
func Example() {
	verifier, err := verify.New(verify.Config{
		Issuer:  "http://localhost:1", // such as https://office.example.com
		Service: "wishlist",
		Realms:  []string{"staff"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()

	mux := http.NewServeMux()
	mux.Handle("GET /me", verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := verify.FromContext(r.Context())
		fmt.Fprintln(w, claims.Subject, claims.Roles())
	})))
	mux.Handle("DELETE /items/{id}", verifier.Require(
		verify.Need{Roles: []string{"editor"}, MaxCheckAge: time.Minute},
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
	))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/me", nil))
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	fmt.Print(answer.Body)
	// Output:
	// 401 Bearer
	// {"status":401,"code":"token_missing","title":"Sign in to go on.","detail":"send the access token as Authorization: Bearer"}
}
