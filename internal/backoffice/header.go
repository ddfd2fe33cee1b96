package backoffice

import (
	"regexp"
	"strings"
)

var reserved = regexp.MustCompile(`(?i)user|account|auth|role|group|email|identity|principal|subject|token|session|cookie|key$|secret|tenant|client|` +
	`forward|real-ip|remote|original|rewrite|method|override|accel|sendfile|^(host|via|te|trailer|transfer-encoding|upgrade|connection|keep-alive|` +
	`content-.*|expect|origin|referer|range|if-.*|accept.*|x-http-.*|proxy-.*|sec-.*|munjigi-.*|cf-.*|x-envoy-.*|x-amzn?-.*|x-ms-.*)$`)

// ReservedHeader tells of a header that no document can ask for as a parameter: it says who asks, or how a request is to
// be understood, and a service may believe it. An underscore counts as a dash: behind some servers it is one.
func ReservedHeader(name string) bool {
	return reserved.MatchString(strings.ReplaceAll(name, "_", "-"))
}
