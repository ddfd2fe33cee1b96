package mail

import (
	"context"
	"errors"
	"fmt"

	gomail "github.com/wneessen/go-mail"
)

// Failure is why a letter was not sent. Its text may be logged: what the server said of a recipient is not in it.
type Failure struct {
	Stage     string // connect, write, or the SMTP command that was refused
	Code      int    // the server's answer; 0 = there was none
	Permanent bool   // trying again is of no use

	text string // safe to log
	err  error  // may name the recipient
}

// Error implements error.
func (f *Failure) Error() string {
	switch {
	case f.text != "":
		return fmt.Sprintf("%s: %s", f.Stage, f.text)
	case f.Code != 0:
		return fmt.Sprintf("%s: the mail server answered %d", f.Stage, f.Code)
	}
	return f.Stage + ": no answer of the mail server"
}

// Detail is all that is known, with what the server said: for whoever sent a letter to themselves.
func (f *Failure) Detail() string {
	if f.err == nil {
		return f.Error()
	}
	return f.Stage + ": " + f.err.Error()
}

// connectFailure is one from before the server heard of any recipient: everything may be told. None is permanent: a
// wrong password, a certificate that has run out are repaired while the letters wait.
func connectFailure(ctx context.Context, err error) *Failure {
	f := &Failure{Stage: "connect", text: err.Error(), err: err}
	if cause := ctx.Err(); cause != nil {
		f.text = "no answer in time"
	}
	return f
}

// sendFailure is what came of the letter itself. A 5xx is the server's last word on it (RFC 5321 §4.2.1).
func sendFailure(ctx context.Context, err error) *Failure {
	f := &Failure{Stage: "send", err: err}
	if refused, ok := errors.AsType[*gomail.SendError](err); ok {
		f.Stage, f.Code = stageOf(refused.Reason), refused.ErrorCode()
		f.Permanent = f.Code >= 500
	}
	if ctx.Err() != nil {
		f.text = "no answer in time"
	}
	return f
}

func stageOf(reason gomail.SendErrReason) string {
	switch reason {
	case gomail.ErrSMTPMailFrom:
		return "sender"
	case gomail.ErrSMTPRcptTo:
		return "recipient"
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent:
		return "content"
	}
	return "send"
}
