package stock

import "time"

// Currency is the one in which everything here is sold; amounts are whole won.
const Currency = "KRW"

// Shop is somebody who sells here.
type Shop struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Owner    string `json:"owner"`
	City     string `json:"city"`
	Category string `json:"category"`
	Status   string `json:"status"` // open, suspended
	Points   int64  `json:"points"`
	OpenedOn string `json:"opened_on"`
	Memo     string `json:"memo"`
}

// Product is what a shop sells.
type Product struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	ShopID      string    `json:"shop_id"`
	Image       string    `json:"image"`
	Category    string    `json:"category"`
	Price       int64     `json:"price"`
	Currency    string    `json:"currency"`
	Stock       int       `json:"stock"`
	Status      string    `json:"status"` // on_sale, sold_out, hidden
	Description string    `json:"description"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Order is what a customer bought of one shop.
type Order struct {
	ID               string     `json:"id"`
	Number           string     `json:"number"`
	Status           string     `json:"status"` // paid, shipped, refunded, cancelled
	ShopID           string     `json:"shop_id"`
	CustomerID       string     `json:"customer_id"`
	Amount           int64      `json:"amount"`
	Refunded         int64      `json:"refunded"`
	Currency         string     `json:"currency"`
	Payment          string     `json:"payment"` // card, transfer, easy_pay
	OrderedAt        time.Time  `json:"ordered_at"`
	Items            []Item     `json:"items"`
	ShippedAt        *time.Time `json:"shipped_at"`
	Tracking         string     `json:"tracking"`
	Note             string     `json:"note"`
	GiftID           *string    `json:"gift_id"` // of a gift at the wishlist that it was bought for
	SettlementNumber int64      `json:"settlement_number"`
}

// Open tells whether something still has to be sent.
func (o *Order) Open() bool { return o.Status == "paid" }

// Left is what may still be refunded.
func (o *Order) Left() int64 { return o.Amount - o.Refunded }

// Item is one line of an order.
type Item struct {
	ProductID string `json:"product_id"`
	Name      string `json:"name"`
	Quantity  int    `json:"quantity"`
	Price     int64  `json:"price"`
}

// Customer is somebody who buys.
type Customer struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Grade    string `json:"grade"`  // basic, silver, gold, vip
	Status   string `json:"status"` // active, blocked
	City     string `json:"city"`
	Orders   int    `json:"orders"`
	Spent    int64  `json:"spent"`
	Currency string `json:"currency"`
	JoinedOn string `json:"joined_on"`
	Memo     string `json:"memo"`
}

// AdGroup is advertising of a shop, with a budget.
type AdGroup struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	ShopID   string `json:"shop_id"`
	Status   string `json:"status"` // on, off
	Budget   int64  `json:"budget"` // a day
	Spent    int64  `json:"spent"`
	Currency string `json:"currency"`
	Clicks   int64  `json:"clicks"`
	BeginsOn string `json:"begins_on"`
	EndsOn   string `json:"ends_on"`
}

// Creative is one advertisement.
type Creative struct {
	ID       string `json:"id"`
	Headline string `json:"headline"`
	GroupID  string `json:"ad_group_id"`
	Text     string `json:"text"`
	Image    string `json:"image"`
	Colour   string `json:"color"`
	On       bool   `json:"on"`
	Clicks   int64  `json:"clicks"`
	Shown    int64  `json:"impressions"`
}

// Points is one entry in the ledger of a shop.
type Points struct {
	ID     string    `json:"id"`
	ShopID string    `json:"shop_id"`
	Kind   string    `json:"kind"` // earned, granted, spent, expired
	Points int64     `json:"points"`
	Note   string    `json:"note"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Settings is what holds for the whole market.
type Settings struct {
	Name             string   `json:"name"`
	SupportEmail     string   `json:"support_email"`
	FeePercent       float64  `json:"fee_percent"`
	FreeShippingFrom int64    `json:"free_shipping_from"`
	Currency         string   `json:"currency"`
	RefundDays       int      `json:"refund_days"`
	OpensAt          string   `json:"opens_at"`
	ClosesAt         string   `json:"closes_at"`
	OpenOnHolidays   bool     `json:"open_on_holidays"`
	Holidays         []string `json:"holidays"`
	Notice           string   `json:"notice"`
}
