package gateway

import (
	"mime"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// passedOn are the headers of a caller that a service sees. All others stay here, in whatever spelling: who is asking,
// from where and by what way is told by our token alone.
var passedOn = []string{"Accept", "Accept-Language", "Content-Type", "If-Match", "If-None-Match"}

// passedBack are the headers of a service that a caller sees; Location and Link are written anew. No cookie, no policy and
// no instruction to a proxy in front of us is among them.
var passedBack = []string{
	"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Type", "ETag", "Last-Modified",
	"Retry-After",
}

// canonical is a header's name in its one spelling. An underscore counts as a dash: behind some servers it is one.
func canonical(name string) string {
	return textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
}

// outgoing are the headers that a service gets of a call.
func outgoing(from http.Header, o *backoffice.Operation) (http.Header, error) {
	to := http.Header{}
	for _, name := range passedOn {
		values := from.Values(name)
		if len(values) > 1 && name != "Accept" && name != "Accept-Language" {
			return nil, invalid("more than one " + name)
		}
		if len(values) > 0 {
			to.Set(name, strings.Join(values, ", "))
		}
	}
	for _, p := range o.Parameters {
		name := textproto.CanonicalMIMEHeaderKey(p.Name)
		if p.In != "header" || backoffice.ReservedHeader(p.Name) {
			continue
		}
		if values := from.Values(name); len(values) == 1 {
			to[name] = values
		} else if len(values) > 1 {
			return nil, invalid("more than one " + name)
		}
	}
	return to, nil
}

// checkBody holds what is sent to what the operation takes. A form of another kind than documented could be read by the
// service as something that nobody looked at.
func checkBody(r *http.Request, o *backoffice.Operation) error {
	if r.Header.Get("Content-Encoding") != "" {
		return invalid("send the body unencoded")
	}
	if r.ContentLength == 0 {
		if o.Body != nil && o.Body.Required {
			return invalid("this operation needs a body")
		}
		return nil
	}
	if o.Body == nil {
		return invalid("this operation takes no body")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	want, _, _ := mime.ParseMediaType(o.Body.Media)
	if want == "" {
		want = "application/json"
	}
	if err != nil || !sameMedia(kind, want) {
		return invalid("send Content-Type: " + want)
	}
	return nil
}

// sameMedia compares types of content; a document may have a range such as image/*.
func sameMedia(kind, want string) bool {
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return prefix == "*/" || strings.HasPrefix(kind, prefix)
	}
	return kind == want
}

// isJSON tells JSON in its many names.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// harmless are types of content that no browser takes for a page, a script or a style. Everything else is a download.
var harmless = map[string]bool{
	"application/json": true, "text/plain": true, "text/csv": true, "image/png": true, "image/jpeg": true, "image/gif": true,
	"image/webp": true, "image/avif": true, "text/event-stream": true, "application/x-ndjson": true,
}

// asDownload makes a file of what could be more than that.
func asDownload(header http.Header) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && (harmless[kind] || isJSON(kind)) {
		return
	}
	if err != nil || !strings.Contains(kind, "/") {
		header.Set("Content-Type", "application/octet-stream")
	}
	_, parameters, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	if err != nil {
		parameters = nil
	}
	name := map[string]string{}
	if file := parameters["filename"]; file != "" {
		name["filename"] = file
	}
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", name))
}
