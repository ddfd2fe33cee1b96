package main

import (
	"runtime"
	"runtime/debug"
)

type versionCommand struct{ jsonFlag }

func (versionCommand) Help() string {
	return `Example:

    munjigi version --json`
}

type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (c versionCommand) Run(t *terminal) error {
	info := versionInfo{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		info.Version = build.Main.Version
	}
	if c.JSON {
		return t.json(info)
	}
	t.printf("munjigi %s, %s, %s\n", info.Version, info.Go, info.Platform)
	return nil
}
