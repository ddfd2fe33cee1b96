package roster

import (
	"fmt"
	"io"
	"time"
)

// Progress tells how far an import is: on a screen one line that changes, else a line now and then, for logs.
type Progress struct {
	to      io.Writer
	screen  bool
	size    int64
	every   time.Duration
	started time.Time
	shown   time.Time
}

// NewProgress begins to count the time. size is that of the list, 0 where nobody knows it.
func NewProgress(to io.Writer, screen bool, size int64) *Progress {
	p := &Progress{to: to, screen: screen, size: size, every: 5 * time.Second, started: time.Now()}
	if screen {
		p.every = 200 * time.Millisecond
	}
	p.shown = p.started
	return p
}

// Show is Config.Progress. For a log it always shows the end of the list.
func (p *Progress) Show(n Count) {
	now := time.Now()
	if now.Sub(p.shown) < p.every && (p.screen || n.Bytes < p.size) {
		return
	}
	p.shown = now
	text := fmt.Sprintf("%d rows, %.0f a second", n.Rows(), float64(n.Rows())/now.Sub(p.started).Seconds())
	if p.size > 0 {
		text += fmt.Sprintf(", %d %% of the list", 100*n.Bytes/p.size)
	}
	if n.Refused > 0 {
		text += fmt.Sprintf(", %d refused", n.Refused)
	}
	if p.screen {
		fmt.Fprintf(p.to, "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(p.to, text)
}

// Clear takes the line away before something else is written.
func (p *Progress) Clear() {
	if p.screen {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
