package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/munjigi/munjigi/internal/review"
	"github.com/munjigi/munjigi/internal/strict"
)

type checkCommand struct {
	configFlag
	jsonFlag
	review.Options
}

func (checkCommand) Help() string {
	return `Reads the configuration, and the files that it names, and reports everything that is wrong with it: file, line,
column, what was found, what was expected; and what works but is hardly meant. Nothing is started, changed or asked over the network.

With --openapi it reads the document of a service instead, and says which screens appear, what was guessed, what would say it. Examples:
    munjigi check --openapi http://127.0.0.1:9001/openapi.json --strict
    munjigi check --config /etc/munjigi/munjigi.yaml && systemctl restart munjigi`
}

// checked is the answer with --json.
type checked struct {
	File     string           `json:"file"`
	OK       bool             `json:"ok"`
	Problems []strict.Problem `json:"problems"`
	Advice   []strict.Problem `json:"advice"` // works, and is hardly meant
}

func (c checkCommand) Run(ctx context.Context, t *terminal) error {
	if c.OpenAPI != "" {
		return c.Options.Run(ctx, t.Out, c.JSON)
	}
	config, document, err := c.read()
	if err != nil {
		return err
	}
	if _, err := openSealer(&config); err != nil && !document.Reported("seal_key_file") {
		document.Add("seal_key_file", fmt.Sprintf("%q: %s", config.SealKeyFile, err), "the key file that `munjigi init` made, readable by its owner alone")
	}
	err = document.Err()
	trouble, wrong := errors.AsType[*strict.Error](err)
	if c.JSON {
		answer := checked{File: c.Config, OK: !wrong, Problems: []strict.Problem{}, Advice: append([]strict.Problem{}, document.Advice()...)}
		if wrong {
			answer.Problems = trouble.Problems
			err = usageError{errSaid}
		}
		return errors.Join(t.json(answer), err)
	}
	for _, advice := range document.Advice() {
		fmt.Fprintf(t.Err, "%s (this works, but look at it)\n", advice)
	}
	if !wrong {
		t.printf("%s is good: %s, %s and the console, %s\n", c.Config,
			plural(len(config.Realms), "realm"), plural(len(config.Apps), "app"), plural(len(config.Services), "service"))
	}
	return err
}
