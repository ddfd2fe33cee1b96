package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test's own program is also the process for password hashes.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "hash" {
		main()
		return
	}
	os.Exit(m.Run())
}

func BenchmarkAll(b *testing.B) {
	for name, build := range subjects() {
		s, err := build()
		if err != nil {
			b.Fatal(err)
		}
		spent := map[string]float64{}
		for _, row := range s.rows {
			b.Run(name+"/"+row.name, func(b *testing.B) {
				row.run(b)
				spent[row.name] = float64(b.Elapsed()) / float64(b.N)
				if row.beside != "" && !row.own {
					b.ReportMetric(spent[row.beside]/spent[row.name], "times-as-fast")
				}
			})
		}
		s.stop()
	}
}

// Every row works, and every yardstick is a row.
func TestTables(t *testing.T) {
	for name, build := range subjects() {
		s, err := build()
		if err != nil {
			t.Fatal(err)
		}
		var before []string
		for _, row := range s.rows {
			if row.beside != "" && !slices.Contains(before, row.beside) {
				t.Errorf("%s: %q has no yardstick %q before it", name, row.name, row.beside)
			}
			before = append(before, row.name)
		}
		s.stop()
	}
	var out strings.Builder
	if _, err := run(&out, nil, 1, time.Millisecond); err != nil || strings.Contains(out.String(), "FAILED") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
