package service

import (
	"embed"
	"html/template"
	"net/http"
)

//go:embed web
var web embed.FS

var controls = template.Must(template.ParseFS(web, "web/page.html"))

// sentences are those of the page, in English and Korean.
var sentences = map[string]Text{
	"what":   {"A service of the demo with a private admin API. Its document:", "비공개 관리 API를 가진 데모 서비스입니다. 문서:"},
	"break":  {"Break it", "고장 내기"},
	"why":    {"See what the console makes of a service that misbehaves. Everything stays as it is until you press ok.", "서비스가 잘못 동작할 때 콘솔이 어떻게 보이는지 확인하세요. ok를 누를 때까지 계속됩니다."},
	"failed": {"That did not work. Is the demo still running?", "실패했습니다. 데모가 실행 중인가요?"},
}

// faultTexts says what each fault does.
var faultTexts = map[string]Text{
	"ok":       {"all is well", "정상"},
	"down":     {"closes the connection without an answer", "응답 없이 연결을 끊습니다"},
	"slow":     {"answers after twenty seconds", "20초 뒤에 응답합니다"},
	"html":     {"answers everything with a page about maintenance", "무엇이든 점검 안내 페이지로 응답합니다"},
	"401":      {"refuses every token", "모든 토큰을 거절합니다"},
	"403":      {"says that it is for another department", "다른 부서만 볼 수 있다고 합니다"},
	"422":      {"finds the amount wrong, whatever is sent", "무엇을 보내든 금액이 틀렸다고 합니다"},
	"429":      {"has had too many calls", "호출이 너무 많다고 합니다"},
	"500":      {"has crashed", "프로그램이 죽었습니다"},
	"schema":   {"answers what its document does not say", "문서와 다른 내용으로 응답합니다"},
	"document": {"breaks off in the middle of its document", "문서가 중간에서 끊깁니다"},
}

// choice is one button of the page.
type choice struct {
	Mode, Text string
	On         bool
}

// page shows the switch for faults. It is on the service's own port and in no document.
func (f *faults) page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		language, now := Language(r), f.now()
		said := map[string]string{}
		for key, text := range sentences {
			said[key] = text.In(language)
		}
		var modes []choice
		for _, mode := range Faults() {
			modes = append(modes, choice{mode, faultTexts[mode].In(language), mode == now})
		}
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Add("Vary", "Accept-Language")
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		controls.Execute(w, map[string]any{"Lang": language, "Name": name, "T": said, "Modes": modes}) // a client that went away needs no answer
	}
}

// asset serves one file of the page.
func asset(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, web, "web/"+name) }
}
