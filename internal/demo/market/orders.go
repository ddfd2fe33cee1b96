package market

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

// bossRefund is the largest refund, in won, that an editor gives without an administrator.
const bossRefund = 1_000_000

func (m *market) orderRoutes() []service.Route {
	return []service.Route{
		{Pattern: "GET /orders", Answer: m.listOrders},
		{Pattern: "GET /orders/{id}", Answer: m.getOrder},
		{Pattern: "PATCH /orders/{id}", Answer: m.updateOrder},
		{Pattern: "POST /orders/{id}/ship", Answer: m.shipOrder},
		{Pattern: "POST /orders/{id}/refund", Answer: m.refundOrder},
		{Pattern: "POST /orders/{id}/cancel", Answer: m.cancelOrder},
		{Pattern: "GET /orders/{id}/invoice", Answer: m.getInvoice},
	}
}

// shownOrder is an order with the ids of what may be done with it now, by whoever asks.
type shownOrder struct {
	*order
	Allowed []string `json:"allowed"`
}

func show(r *http.Request, one *order) shownOrder {
	allowed := []string{}
	if service.Has(r, "editor", "admin") {
		allowed = append(allowed, "updateOrder")
		if one.Open() {
			allowed = append(allowed, "shipOrder", "cancelOrder")
		}
		if refundable(one) {
			allowed = append(allowed, "refundOrder")
		}
	}
	return shownOrder{one, allowed}
}

func refundable(one *order) bool {
	return (one.Status == "paid" || one.Status == "shipped") && one.Left() > 0
}

var orderOrders = shelf.Orders[order]{
	"ordered_at": func(a, b *order) int { return a.OrderedAt.Compare(b.OrderedAt) },
	"amount":     func(a, b *order) int { return cmp.Compare(a.Amount, b.Amount) },
	"number":     func(a, b *order) int { return strings.Compare(a.Number, b.Number) },
}

func (m *market) listOrders(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	seller, buyer := q.Text("shop_id"), q.Text("customer_id")
	return m.ordersFor(r, q, func(one *order) bool { return service.Is(seller, one.ShopID) && service.Is(buyer, one.CustomerID) })
}

func (m *market) listOrdersOfCustomer(r *http.Request) (any, error) {
	buyer, err := m.customers.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return m.ordersFor(r, service.QueryOf(r), func(one *order) bool { return one.CustomerID == buyer.ID })
}

// ordersFor are the newest first, unless the query says otherwise.
func (m *market) ordersFor(r *http.Request, q *service.Query, also func(*order) bool) (any, error) {
	search := q.Text("q")
	status, payment := q.Choice("status", "paid", "shipped", "refunded", "cancelled"), q.Choice("payment", "card", "transfer", "easy_pay")
	begin, end := q.Range("ordered_from", "ordered_to", chance.Seoul)
	least := int64(q.Int("amount_gte", 0, 0, 1<<40))
	rows := m.orders.Find(func(one *order) bool {
		return also(one) && service.Is(status, one.Status) && service.Is(payment, one.Payment) && one.Amount >= least &&
			service.Within(one.OrderedAt, begin, end) && (search == "" || about(one, search))
	})
	slices.Reverse(rows)
	found, err := offset(q, rows, orderOrders)
	if err != nil {
		return nil, err
	}
	shown := page[shownOrder]{Items: []shownOrder{}, Total: found.Total}
	for _, one := range found.Items {
		shown.Items = append(shown.Items, show(r, one))
	}
	return shown, nil
}

// about tells whether a search means this order: its number, tracking number, note, or what was bought.
func about(o *order, search string) bool {
	if service.Holds(search, o.Number, o.Tracking, o.Note) {
		return true
	}
	return slices.ContainsFunc(o.Items, func(line item) bool { return service.Holds(search, line.Name) })
}

func (m *market) getOrder(r *http.Request) (any, error) {
	one, err := m.orders.Get(r.PathValue("id"))
	return answerOrder(r, one, err)
}

// answerOrder has the ETag of the order alone: what is allowed depends on who asks.
func answerOrder(r *http.Request, one order, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return &service.Answer{Header: map[string]string{"ETag": service.Tag(one)}, Body: show(r, &one)}, nil
}

// change is edit for orders.
func (m *market) change(r *http.Request, kind string, change func(*order) error) (any, error) {
	one, err := m.orders.Edit(r.PathValue("id"), func(one *order) error {
		if err := service.Matches(r, *one); err != nil {
			return err
		}
		return change(one)
	})
	if err == nil {
		m.note(r, kind, one.ShopID, one.ID)
	}
	return answerOrder(r, one, err)
}

func (m *market) updateOrder(r *http.Request) (any, error) {
	var form struct {
		Note *string `json:"note"`
	}
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	length(&wrong, "/note", form.Note, 0, 200)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return m.change(r, "order.noted", func(one *order) error {
		set(&one.Note, form.Note)
		return nil
	})
}

var tracking = regexp.MustCompile(`^[0-9]{10,14}$`)

func (m *market) shipOrder(r *http.Request) (any, error) {
	var form struct {
		Tracking string `json:"tracking"`
	}
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	wrong.If(!tracking.MatchString(form.Tracking), "/tracking", "10–14 digits", "숫자 10–14자리로 입력하세요")
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return m.change(r, "order.shipped", func(one *order) error {
		if !one.Open() {
			return service.Conflict("order_not_open", "Only a paid order that was not sent yet can be sent.", "결제되고 아직 보내지 않은 주문만 발송할 수 있습니다.")
		}
		at := m.now().UTC().Truncate(time.Second)
		one.Status, one.Tracking, one.ShippedAt = "shipped", form.Tracking, &at
		return nil
	})
}

func (m *market) cancelOrder(r *http.Request) (any, error) {
	if err := service.Read(r, &struct{}{}, true); err != nil {
		return nil, err
	}
	return m.change(r, "order.cancelled", func(one *order) error {
		if !one.Open() {
			return service.Conflict("order_not_open", "Only a paid order that was not sent yet can be cancelled. Refund it instead.", "결제되고 아직 보내지 않은 주문만 취소할 수 있습니다. 환불을 이용하세요.")
		}
		one.Status, one.Refunded = "cancelled", one.Amount
		return nil
	})
}

// refundForm is money that goes back, and why.
type refundForm struct {
	Amount int64  `json:"amount"`
	Cause  string `json:"cause"`
	Memo   string `json:"memo"`
}

var causes = []string{"changed_mind", "damaged", "wrong_item", "late", "other"}

func (m *market) refundOrder(r *http.Request) (any, error) {
	var form refundForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	wrong.If(form.Amount < 1, "/amount", "more than 0", "0보다 큰 금액을 입력하세요")
	wrong.If(!slices.Contains(causes, form.Cause), "/cause", "one of "+strings.Join(causes, ", "), "목록에 있는 사유를 고르세요")
	length(&wrong, "/memo", &form.Memo, 0, 500)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	if form.Amount > bossRefund && !service.Has(r, "admin") {
		return nil, service.Forbidden("refund_too_large", "Refunds above 1,000,000 won are for administrators.", "1,000,000원을 넘는 환불은 관리자만 할 수 있습니다.")
	}
	rules, err := m.settings.Get("")
	if err != nil {
		return nil, err
	}
	return m.change(r, "order.refunded", func(one *order) error { return refund(one, form.Amount, m.now(), rules.RefundDays) })
}

// refund gives part of what was paid back, or all of it; then the order is refunded.
func refund(one *order, amount int64, now time.Time, days int) error {
	if !refundable(one) {
		return service.Conflict("order_not_refundable", "Only an order that is paid or sent can be refunded.", "결제되었거나 발송된 주문만 환불할 수 있습니다.")
	}
	if now.After(one.OrderedAt.AddDate(0, 0, days)) {
		return service.Conflict("refund_too_late", fmt.Sprintf("Orders can be refunded for %d days.", days), fmt.Sprintf("주문한 지 %d일이 지나 환불할 수 없습니다.", days))
	}
	var wrong service.Wrong
	wrong.If(amount > one.Left(), "/amount", fmt.Sprintf("at most %d, which is what is left", one.Left()), fmt.Sprintf("남은 금액 %d원까지 환불할 수 있습니다", one.Left()))
	if err := wrong.Err(); err != nil {
		return err
	}
	one.Refunded += amount
	if one.Left() == 0 {
		one.Status = "refunded"
	}
	return nil
}

// getInvoice is a file to keep: plain text, which every printer understands.
func (m *market) getInvoice(r *http.Request) (any, error) {
	one, err := m.orders.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "거래명세서 / INVOICE\n\n주문 번호 No.  %s\n주문 일시 Date %s\n\n", one.Number, one.OrderedAt.In(chance.Seoul).Format("2006-01-02 15:04 KST"))
	for _, line := range one.Items {
		fmt.Fprintf(&text, "%s  ×%d  %12d %s\n", line.Name, line.Quantity, line.Price*int64(line.Quantity), one.Currency)
	}
	fmt.Fprintf(&text, "\n합계 Total     %d %s\n환불 Refunded  %d %s\n정산 Settlement %d\n", one.Amount, one.Currency, one.Refunded, one.Currency, one.SettlementNumber)
	return &service.Answer{Body: text.Bytes(), Header: map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "Content-Disposition": `attachment; filename="invoice-` + one.Number + `.txt"`,
	}}, nil
}
