// Package console holds the built files of the console, a single-page app, so that they travel inside the binary.
//
// The files are made by `npm run build`; without it there is only a placeholder, and the server says so.
package console

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the console's files: index.html and everything it names under assets/. Without index.html the console has
// not been built.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a constant and a valid path
	}
	return files
}
