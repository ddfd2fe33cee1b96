// Command bench measures Munjigi beside a yardstick in the same run, and prints one table for each subject. Absolute
// times depend on the machine; the ratios are what counts.
//
//	cd bench && go run .            # all subjects
//	cd bench && go run . verify     # one
//	cd bench && go run . -strict    # exit status 1 when a goal is missed
//	cd bench && go test -bench .    # the same benchmarks, for benchstat and profiles
//
// It is a module of its own, so that what we compare ourselves with is no dependency of Munjigi.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/munjigi/munjigi/internal/hashing"
)

// subject is one table. Its rows are measured in turn, several rounds, so that a busy machine slows all of them.
type subject struct {
	name string
	rows []row
	stop func()
}

// row is one benchmark. beside names the yardstick, a row before it; goal judges the best result and how many times
// faster than the yardstick it was.
type row struct {
	name   string
	beside string
	goal   string
	meets  func(best testing.BenchmarkResult, faster float64) bool
	run    func(b *testing.B)
	own    bool // run reports its own ns/op
}

// subjects are all tables; each has a file of its own.
func subjects() map[string]func() (subject, error) {
	return map[string]func() (subject, error){
		"gateway": gatewaySubject,
		"renew":   renewSubject,
		"signin":  signinSubject,
		"verify":  verifySubject,
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "hash" { // what a crowd at the door costs is measured as munjigi pays for it
		if err := (hashing.Command{}).Run(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		return
	}
	testing.Init()
	strict := flag.Bool("strict", false, "exit status 1 when a goal is missed")
	rounds := flag.Int("rounds", 8, "how often each row is measured; the best counts")
	each := flag.Duration("each", 100*time.Millisecond, "how long each row is measured in a round")
	flag.Parse()
	missed, err := run(os.Stdout, flag.Args(), *rounds, *each)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if missed > 0 && *strict {
		os.Exit(1)
	}
}

func run(out io.Writer, names []string, rounds int, each time.Duration) (missed int, err error) {
	if rounds < 1 {
		return 0, errors.New("-rounds: want at least 1")
	}
	if err := flag.Set("test.benchtime", each.String()); err != nil {
		return 0, err
	}
	all := subjects()
	if len(names) == 0 {
		for name := range all {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		build, ok := all[name]
		if !ok {
			return missed, fmt.Errorf("there is no subject %q", name)
		}
		s, err := build()
		if err != nil {
			return missed, fmt.Errorf("%s: %w", name, err)
		}
		missed += s.print(out, s.measure(rounds))
		s.stop()
	}
	return missed, nil
}

func (s subject) measure(rounds int) map[string]testing.BenchmarkResult {
	best := map[string]testing.BenchmarkResult{}
	for range rounds {
		for _, row := range s.rows {
			result := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				row.run(b)
			})
			if last, ok := best[row.name]; !ok || perOp(result) < perOp(last) {
				best[row.name] = result
			}
		}
	}
	return best
}

// perOp is in nanoseconds: what the row reports of its own, or else the mean.
func perOp(r testing.BenchmarkResult) float64 {
	if own, ok := r.Extra["ns/op"]; ok {
		return own
	}
	return float64(r.T.Nanoseconds()) / float64(max(r.N, 1))
}

func (s subject) print(out io.Writer, best map[string]testing.BenchmarkResult) (missed int) {
	fmt.Fprintf(out, "%s\n", s.name)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintln(table, "\ttime\tallocs\tbeside\ttimes as fast\tgoal\t")
	for _, row := range s.rows {
		result := best[row.name]
		faster, ratio := 0.0, ""
		if row.beside != "" {
			faster = perOp(best[row.beside]) / perOp(result)
			ratio = fmt.Sprintf("%.3g", faster)
		}
		verdict := row.goal
		switch {
		case result.N == 0:
			verdict = "FAILED"
			missed++
		case row.meets != nil && !row.meets(result, faster):
			verdict += ": missed"
			missed++
		case row.meets != nil:
			verdict += ": met"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t\n", row.name, time.Duration(perOp(result)), result.AllocsPerOp(), row.beside, ratio, verdict)
	}
	table.Flush()
	fmt.Fprintln(out)
	return missed
}
