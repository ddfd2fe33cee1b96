package wishlist

import "time"

// currency is the one that everything costs; amounts are whole won.
const currency = "KRW"

type giftList struct {
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Owner     string     `json:"owner"`
	Occasion  string     `json:"occasion"`
	EventDate string     `json:"event_date"`
	Open      bool       `json:"open"`
	Message   string     `json:"message"`
	ThankedAt *time.Time `json:"thanked_at"`
	CreatedAt time.Time  `json:"created_at"`
}

type gift struct {
	ID         string    `json:"id"`
	ListID     string    `json:"list_id"`
	Name       string    `json:"name"`
	Price      int64     `json:"price"`
	Funded     int64     `json:"funded"`
	Currency   string    `json:"currency"`
	Reserved   bool      `json:"reserved"`
	ReservedBy *string   `json:"reserved_by"`
	Note       string    `json:"note"`
	CreatedAt  time.Time `json:"created_at"`
}

type contribution struct {
	ID       string    `json:"id"`
	ItemID   string    `json:"item_id"`
	ListID   string    `json:"list_id"`
	Name     string    `json:"name"`
	Amount   int64     `json:"amount"`
	Currency string    `json:"currency"`
	Message  string    `json:"message"`
	Status   string    `json:"status"` // paid, refunded
	PaidAt   time.Time `json:"paid_at"`
}

// occasions are what lists are for.
var occasions = []string{"birthday", "first_birthday", "wedding", "housewarming", "new_baby", "graduation", "retirement"}
