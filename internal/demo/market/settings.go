package market

import (
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
)

func usualSettings(now time.Time) settings {
	return settings{
		Name: "Demo Market", SupportEmail: "help@market.example", FeePercent: 4.5, FreeShippingFrom: 30_000, Currency: currency,
		RefundDays: 90, OpensAt: "09:00", ClosesAt: "18:00",
		Holidays: []string{strconv.Itoa(now.Year()) + "-12-25", strconv.Itoa(now.Year()+1) + "-01-01"},
		Notice:   "연말 배송은 **12월 22일**까지 주문하신 것까지 보장합니다.",
	}
}

func (m *market) getSettings(r *http.Request) (any, error) { return get(r, m.settings) }

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// settingsForm is all of them; what is left out keeps its value.
type settingsForm struct {
	Name             *string   `json:"name"`
	SupportEmail     *string   `json:"support_email"`
	FeePercent       *float64  `json:"fee_percent"`
	FreeShippingFrom *int64    `json:"free_shipping_from"`
	Currency         *string   `json:"currency"` // who read all of them may write all of them back
	RefundDays       *int      `json:"refund_days"`
	OpensAt          *string   `json:"opens_at"`
	ClosesAt         *string   `json:"closes_at"`
	OpenOnHolidays   *bool     `json:"open_on_holidays"`
	Holidays         *[]string `json:"holidays"`
	Notice           *string   `json:"notice"`
}

func (f settingsForm) check() error {
	var wrong service.Wrong
	length(&wrong, "/name", f.Name, 1, 40)
	if f.SupportEmail != nil {
		_, err := mail.ParseAddress(*f.SupportEmail)
		wrong.If(err != nil, "/support_email", "an e-mail address", "이메일 주소를 입력하세요")
	}
	within(&wrong, "/fee_percent", f.FeePercent, 0, 30)
	within(&wrong, "/free_shipping_from", f.FreeShippingFrom, 0, 1_000_000)
	wrong.If(f.Currency != nil && *f.Currency != currency, "/currency", "the market is in "+currency, "이 마켓의 통화는 "+currency+"입니다")
	within(&wrong, "/refund_days", f.RefundDays, 7, 365)
	wrong.If(f.OpensAt != nil && !clock.MatchString(*f.OpensAt), "/opens_at", "a time such as 09:00", "09:00과 같은 시각으로 입력하세요")
	wrong.If(f.ClosesAt != nil && !clock.MatchString(*f.ClosesAt), "/closes_at", "a time such as 18:00", "18:00과 같은 시각으로 입력하세요")
	if f.Holidays != nil {
		for i, holiday := range *f.Holidays {
			day(&wrong, "/holidays/"+strconv.Itoa(i), &holiday)
		}
	}
	length(&wrong, "/notice", f.Notice, 0, 2000)
	return wrong.Err()
}

func (f settingsForm) fill(all *settings) error {
	set(&all.Name, f.Name)
	set(&all.SupportEmail, f.SupportEmail)
	set(&all.FeePercent, f.FeePercent)
	set(&all.FreeShippingFrom, f.FreeShippingFrom)
	set(&all.RefundDays, f.RefundDays)
	set(&all.OpensAt, f.OpensAt)
	set(&all.ClosesAt, f.ClosesAt)
	set(&all.OpenOnHolidays, f.OpenOnHolidays)
	set(&all.Notice, f.Notice)
	if f.Holidays != nil {
		all.Holidays = slices.Compact(slices.Sorted(slices.Values(*f.Holidays)))
	}
	var wrong service.Wrong
	wrong.If(all.ClosesAt <= all.OpensAt, "/closes_at", "after it opens", "여는 시각보다 늦어야 합니다")
	return wrong.Err()
}

func (m *market) updateSettings(r *http.Request) (any, error) {
	var form settingsForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(); err != nil {
		return nil, err
	}
	answer, err := edit(r, m.settings, form.fill)
	if err == nil {
		m.note(r, "settings.changed", "", "settings")
	}
	return answer, err
}
