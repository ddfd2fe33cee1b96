package main

import (
	"errors"
	"fmt"
)

type checkCommand struct {
	configFlag
	jsonFlag
}

func (checkCommand) Help() string {
	return `Reads the configuration, and the files that it names, and reports everything that is wrong with it: file, line,
column, what was found, what was expected. Nothing is started, changed or asked over the network.

Example:

    munjigi check --config /etc/munjigi/munjigi.yaml && systemctl restart munjigi`
}

// checked is the answer with --json.
type checked struct {
	File     string    `json:"file"`
	OK       bool      `json:"ok"`
	Problems []problem `json:"problems"`
}

func (c checkCommand) Run(t *terminal) error {
	config, err := c.load()
	if err == nil {
		err = checkSealKey(&config)
	}
	trouble, isConfig := errors.AsType[*configError](err)
	if err != nil && !isConfig {
		return err
	}
	if c.JSON {
		answer := checked{File: c.Config, OK: err == nil, Problems: []problem{}}
		if isConfig {
			answer.Problems = trouble.Problems
		}
		if err := t.json(answer); err != nil {
			return err
		}
		if isConfig {
			return usageError{errSaid}
		}
		return nil
	}
	if err == nil {
		t.printf("%s is good: %s, %s and the console, %s\n", c.Config,
			plural(len(config.Realms), "realm"), plural(len(config.Apps), "app"), plural(len(config.Services), "service"))
	}
	return err
}

func checkSealKey(c *Config) error {
	_, err := openSealer(c)
	if err == nil {
		return nil
	}
	found := problems{from: &c.source}
	found.add("seal_key_file", fmt.Sprintf("%q: %s", c.SealKeyFile, err), "the key file that `munjigi init` made, readable by its owner alone")
	return found.err()
}
