package members

import (
	_ "embed" // for the goods below
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

//go:embed counter.json
var goods []byte

// Path is where a service's routes for members begin. They are no part of its private admin API, nor of the document
// of that.
const Path = "/member/"

// tradeShare is what a shop pays of the price that its customers see, in percent.
const tradeShare = 70

type group struct {
	Name    string `json:"name"`
	City    string `json:"city"`
	Members int    `json:"members"`
}

type product struct {
	Name     string `json:"name"`
	Price    int64  `json:"price"`
	Currency string `json:"currency"`
	Stock    int    `json:"stock"`
	Trade    bool   `json:"trade"`
}

type words struct {
	Korean  string `json:"ko"`
	English string `json:"en"`
}

type creative struct {
	Headline words `json:"headline"`
	Text     words `json:"text"`
}

type wanted struct {
	Name  string `json:"name"`
	Times int    `json:"times"`
}

// counter is what lies on it.
type counter struct {
	Groups    []group    `json:"groups"`
	Products  []product  `json:"products"`
	Creatives []creative `json:"creatives"`
	Wanted    []wanted   `json:"wanted"`
}

// Counters are the routes for members of all services, below Path. Each takes the token of a member and nothing else.
func Counters(service string, v *verify.Verifier) (http.Handler, error) {
	var c counter
	if err := json.Unmarshal(goods, &c); err != nil {
		return nil, fmt.Errorf("read what the members see: %w", err)
	}
	routes := map[string]map[string]func(verify.Claims, int) any{
		"market": {
			"group":    func(_ verify.Claims, n int) any { return c.Groups[n%len(c.Groups)] },
			"product":  c.product,
			"creative": func(_ verify.Claims, n int) any { return c.Creatives[n%len(c.Creatives)] },
			"point":    points,
		},
		"wishlist": {"wanted": func(_ verify.Claims, n int) any { return c.Wanted[n%len(c.Wanted)] }},
	}
	mux := http.NewServeMux()
	for name, answer := range routes[service] {
		mux.Handle("GET "+Path+name, v.Require(verify.Need{Realm: Realm}, answering(answer)))
	}
	return mux, nil
}

// product is the n-th one, at the price for whoever asks: shops do not show their customers what they pay.
func (c *counter) product(who verify.Claims, n int) any {
	one := c.Products[n%len(c.Products)]
	if who.ClientID == Wholesale {
		one.Price, one.Trade = one.Price*tradeShare/100, true
	}
	return one
}

// points are made up from the account's id, so that they are each member's own and always the same.
func points(who verify.Claims, _ int) any {
	sum := fnv.New32a()
	sum.Write([]byte(who.Subject))
	n := int(sum.Sum32() % 30_000)
	return map[string]int{"points": 1000 + n, "earned": n % 900}
}

func answering(answer func(who verify.Claims, n int) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseUint(r.FormValue("n"), 10, 31)
		if err != nil && r.FormValue("n") != "" {
			wrong := fault.New(fault.RequestInvalid, "")
			wrong.Fields = []fault.Field{{Pointer: "/n", Detail: "a whole number"}}
			verify.Refuse(w, r, wrong)
			return
		}
		who, _ := verify.FromContext(r.Context()) // Require put them there
		writeJSON(w, answer(who, int(n)))
	})
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(body) // a client that went away needs no answer
}
