package stock

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
)

const (
	// Shops is how many there are.
	Shops = 240
	// SpikeDaysAgo is when there was a sale.
	SpikeDaysAgo = 9

	seed        = 20260401
	customers   = 3000
	daysBack    = 180 // of orders
	usualOrders = 95  // a day
	oddShop     = 16  // the index of the shop with unusual refunds
	giftsKnown  = 3000
)

// The first two hundred products have open orders for these alone, so that hiding a page of two hundred shows what it is
// when three of many fail.
var wanted = []int{11, 76, 149}

const calm = 200

// Stock is everything that a market has when it starts, in the order of making.
type Stock struct {
	Shops     []Shop
	Products  []Product
	Customers []Customer
	Orders    []Order
	Groups    []AdGroup
	Creatives []Creative
	Points    []Points
}

// maker makes it up, around the day of now.
type maker struct {
	chance.Dice
	now   time.Time
	today time.Time
	made  Stock
	of    [][]int     // products of a shop, by index
	opens []time.Time // when a shop did, by index
}

// New is the stock around the day of now. Nothing in it is later than now.
func New(now time.Time) Stock {
	m := &maker{Dice: chance.NewDice(seed), now: now, today: chance.Midnight(now)}
	m.makeShops()
	m.makeProducts()
	m.makeCustomers()
	m.makeOrders()
	m.makeAds()
	m.makePoints()
	return m.made
}

// known are the shops that have logins; see Logins.
func (m *maker) known() []Shop {
	return []Shop{
		{ID: "s1", Name: "온기상점", Owner: "한지우", City: "서울", Category: "living", Status: "open", OpenedOn: "2021-03-02"},
		{ID: "s2", Name: "Nordlicht Kerzen", Owner: "Frieda Hansen", City: "Hamburg", Category: "craft", Status: "open", OpenedOn: "2022-09-15"},
		{ID: "s3", Name: "바다책방", Owner: "정해인", City: "부산", Category: "books", Status: "open", OpenedOn: "2023-05-20"},
		{ID: "s4", Name: "Second Sock", Owner: "Priya Raman", City: "London", Category: "fashion", Status: "suspended", OpenedOn: "2024-01-08", Memo: "Sells left socks only. Asked twice."},
	}
}

func (m *maker) makeShops() {
	all := aisles
	m.made.Shops = m.known()
	m.opens = make([]time.Time, len(m.made.Shops), Shops) // long ago
	taken := map[string]bool{}
	for i := len(m.made.Shops); i < Shops; i++ {
		place := chance.Pick(m.Dice, all)
		opened := m.opening(i)
		one := Shop{ID: "s" + strconv.Itoa(i+1), Category: place.category, Status: "open", OpenedOn: opened.Format(time.DateOnly)}
		for one.Name == "" || taken[one.Name] {
			one.Name, one.Owner, one.City = chance.Pick(m.Dice, begins)+chance.Pick(m.Dice, place.shops), m.Korean(), m.City()
			if m.In(8) {
				one.Name, one.Owner = chance.Pick(m.Dice, englishBegins)+" "+chance.Pick(m.Dice, place.english), m.English()
			}
		}
		taken[one.Name] = true
		if m.In(30) {
			one.Status, one.Memo = "suspended", "서류 미제출"
		}
		if i == oddShop {
			one.Status = "open"
		}
		m.made.Shops, m.opens = append(m.made.Shops, one), append(m.opens, opened)
	}
}

// opening is a day: of every third shop one of the last hundred, of the others long ago.
func (m *maker) opening(i int) time.Time {
	back := m.Between(daysBack, 1800)
	if i > 40 && m.In(3) {
		back = m.Between(0, 100)
	}
	return m.today.AddDate(0, 0, -back)
}

func (m *maker) makeProducts() {
	goods := map[string][]good{}
	for _, one := range aisles {
		goods[one.category] = one.goods
	}
	m.of = make([][]int, len(m.made.Shops))
	for i, seller := range m.made.Shops {
		n := 5 + m.IntN(16)
		for range n {
			base := chance.Pick(m.Dice, goods[seller.Category])
			at := len(m.made.Products)
			if at == 0 {
				base = goods[seller.Category][0] // one that a page of documentation can speak of
			}
			m.of[i] = append(m.of[i], at)
			m.made.Products = append(m.made.Products, m.product(at, seller, base))
		}
	}
}

func (m *maker) product(at int, seller Shop, base good) Product {
	id := "p" + strconv.Itoa(at+1)
	one := Product{
		ID: id, Name: base.name, ShopID: seller.ID, Image: "/products/" + id + "/image", Category: seller.Category,
		Price: int64(m.Between(base.least, base.most))*1000 - int64(m.IntN(2)*100), Currency: Currency,
		Stock: m.Between(1, 240), Status: "on_sale", UpdatedAt: m.today.AddDate(0, 0, -m.IntN(120)).Add(time.Duration(m.IntN(86400)) * time.Second),
		Description: "**" + base.name + "** · " + seller.Name + "\n\n- 주문하신 다음 날 보냅니다.\n- 한 번에 열 개까지 살 수 있습니다.",
	}
	if one.UpdatedAt.After(m.now) {
		one.UpdatedAt = m.today
	}
	if len(base.looks) > 0 {
		one.Name += " " + chance.Pick(m.Dice, base.looks)
	}
	switch {
	case seller.Status != "open" || m.In(25):
		one.Status = "hidden"
	case m.In(14):
		one.Status, one.Stock = "sold_out", 0
	}
	return one
}

func (m *maker) makeCustomers() {
	for i := range customers {
		one := Customer{
			ID: "c" + strconv.Itoa(i+1), Name: m.Person(), Email: m.Mail(), Phone: m.Phone(), Grade: "basic", Status: "active",
			City: m.City(), Currency: Currency, JoinedOn: m.today.AddDate(0, 0, -m.Between(1, 1500)).Format(time.DateOnly),
		}
		if m.In(150) {
			one.Status, one.Memo = "blocked", "반복 환불"
		}
		m.made.Customers = append(m.made.Customers, one)
	}
}

func (m *maker) makeOrders() {
	m.made.Orders = make([]Order, 0, daysBack*usualOrders*6/5)
	for back := daysBack; back >= 0; back-- {
		day := m.today.AddDate(0, 0, -back)
		usual := usualOrders * (0.7 + 0.5*float64(daysBack-back)/daysBack) // the market grows
		if back == SpikeDaysAgo {
			usual *= 3.2
		}
		for k, at := range m.Times(day, m.Busy(day, usual)) {
			if at.After(m.now) {
				return
			}
			m.order(k, back, at)
		}
	}
}

func (m *maker) order(k, back int, at time.Time) {
	n := len(m.made.Orders)
	one := Order{
		ID: "o" + strconv.Itoa(n+1), Number: at.Format("20060102") + fmt.Sprintf("-%04d", k+1), Currency: Currency,
		CustomerID: m.made.Customers[m.Skewed(customers, 1.35)].ID, Payment: []string{"card", "easy_pay", "transfer"}[m.Weighted(6, 5, 1)],
		OrderedAt: at, Status: m.status(back), SettlementNumber: math.MaxInt64 - int64(n),
	}
	seller := m.seller(at)
	if one.Status == "shipped" && seller == oddShop && back < 45 && m.In(3) {
		one.Status = "refunded"
	}
	one.Items = m.items(m.wantedIn(one.Open(), seller, at))
	for _, line := range one.Items {
		one.Amount += line.Price * int64(line.Quantity)
	}
	one.ShopID = m.made.Products[m.index(one.Items[0].ProductID)].ShopID
	m.settle(&one)
	m.made.Orders = append(m.made.Orders, one)
}

// settle is what follows from an order's status, and what the customer has bought in all.
func (m *maker) settle(one *Order) {
	if one.Status == "shipped" || one.Status == "refunded" {
		sent := one.OrderedAt.Add(time.Duration(m.Between(14, 40)) * time.Hour)
		if sent.After(m.now) {
			sent = m.now.Truncate(time.Second)
		}
		one.ShippedAt, one.Tracking = &sent, strconv.Itoa(6000_0000_0000+m.IntN(999_9999_9999))
	}
	if one.Status == "refunded" {
		one.Refunded = one.Amount
	}
	if m.In(20) {
		one.Note = chance.Pick(m.Dice, notes)
	}
	if m.In(30) {
		gift := "i" + strconv.Itoa(m.Between(1, giftsKnown))
		one.GiftID = &gift
	}
	buyer := &m.made.Customers[m.index(one.CustomerID)]
	buyer.Orders++
	buyer.JoinedOn = min(buyer.JoinedOn, one.OrderedAt.Format(time.DateOnly))
	buyer.Spent += one.Amount - one.Refunded
	for i, from := range []int64{200_000, 700_000, 1_500_000} {
		if buyer.Spent >= from {
			buyer.Grade = []string{"silver", "gold", "vip"}[i]
		}
	}
}

var notes = []string{"부재 시 문 앞에 놓아 주세요", "선물이에요. 가격표를 빼 주세요", "경비실에 맡겨 주세요", "Please ring twice", "배송 전에 연락 주세요", "Leave it with the neighbour, thanks"}

func (m *maker) status(back int) string {
	switch {
	case back <= 1:
		return []string{"paid", "shipped", "cancelled"}[m.Weighted(16, 3, 1)]
	case back <= 4:
		return []string{"paid", "shipped", "cancelled", "refunded"}[m.Weighted(2, 16, 1, 1)]
	default:
		return []string{"shipped", "cancelled", "refunded"}[m.Weighted(56, 2, 2)]
	}
}

// seller is the index of a shop that had opened by then; some sell far more than others.
func (m *maker) seller(at time.Time) int {
	if m.In(60) {
		return oddShop
	}
	for {
		if one := m.Skewed(len(m.made.Shops), 1.7); !m.opens[one].After(at) {
			return one
		}
	}
}

// wantedIn is a product of a seller; for an open order none of the calm ones, but the three that are wanted.
func (m *maker) wantedIn(open bool, seller int, when time.Time) int {
	if !open {
		return chance.Pick(m.Dice, m.of[seller])
	}
	if n := m.openMade(); n < len(wanted) {
		return wanted[n]
	}
	for {
		at := chance.Pick(m.Dice, m.of[seller])
		if at >= calm {
			return at
		}
		seller = m.seller(when)
	}
}

// openMade is how many of the wanted products have been ordered.
func (m *maker) openMade() int {
	n := 0
	for i := len(m.made.Orders) - 1; i >= 0 && n < len(wanted); i-- {
		if m.made.Orders[i].Open() {
			n++
		}
	}
	return n
}

// items are a product, and perhaps more of the same shop; with a wanted or calm product there is nothing else.
func (m *maker) items(first int) []Item {
	chosen := []int{first}
	if first >= calm && m.In(3) {
		if second := first + 1; second < len(m.made.Products) && m.made.Products[second].ShopID == m.made.Products[first].ShopID {
			chosen = append(chosen, second)
		}
	}
	var lines []Item
	for _, at := range chosen {
		one := m.made.Products[at]
		lines = append(lines, Item{one.ID, one.Name, 1 + m.Weighted(14, 4, 1), one.Price})
	}
	return lines
}

// index is where a row is that was made: ids count from one.
func (m *maker) index(id string) int {
	n, err := strconv.Atoi(id[1:])
	if err != nil {
		panic(err) // made above
	}
	return n - 1
}

var headlines = []string{"첫눈 오기 전에", "등대지기의 책장", "짝을 찾습니다", "김장철 그릇 모음", "주말 하루 특가", "새로 온 가을 색", "오늘 볶은 원두", "Warm hands, warm tea", "The lighthouse shelf", "집으로 온 숲", "연말 선물 미리 준비", "Two for the road"}

func (m *maker) makeAds() {
	for i := range 36 {
		seller := m.made.Shops[m.Skewed(len(m.made.Shops), 1.7)]
		begins := m.today.AddDate(0, 0, -m.Between(0, 70))
		group := AdGroup{
			ID: "g" + strconv.Itoa(i+1), Name: seller.Name + " " + chance.Pick(m.Dice, []string{"가을 기획", "신상품", "재방문", "브랜드", "연말"}),
			ShopID: seller.ID, Status: []string{"on", "off"}[m.Weighted(3, 1)], Budget: int64(m.Between(2, 40)) * 5000, Currency: Currency,
			BeginsOn: begins.Format(time.DateOnly), EndsOn: begins.AddDate(0, 0, m.Between(14, 120)).Format(time.DateOnly),
		}
		for range m.Between(3, 7) {
			one := m.creative(group.ID)
			group.Clicks += one.Clicks
			m.made.Creatives = append(m.made.Creatives, one)
		}
		group.Spent = min(group.Clicks*110, group.Budget*70)
		m.made.Groups = append(m.made.Groups, group)
	}
}

func (m *maker) creative(group string) Creative {
	id := "a" + strconv.Itoa(len(m.made.Creatives)+1)
	shown := int64(m.Between(800, 90_000))
	return Creative{
		ID: id, Headline: chance.Pick(m.Dice, headlines), GroupID: group, Text: "이번 주말까지 · until Sunday",
		Image: "/creatives/" + id + "/image", Colour: fmt.Sprintf("#%06x", m.IntN(1<<24)), On: !m.In(5),
		Shown: shown, Clicks: shown * int64(m.Between(4, 60)) / 1000,
	}
}

func (m *maker) makePoints() {
	for back := 120; back >= 0; back-- {
		day := m.today.AddDate(0, 0, -back)
		for _, at := range m.Times(day, 30) {
			if at.After(m.now) {
				return
			}
			m.entry(at)
		}
	}
}

func (m *maker) entry(at time.Time) {
	seller := &m.made.Shops[m.Skewed(len(m.made.Shops), 1.7)]
	kind := m.Weighted(60, 8, 25, 7)
	one := Points{
		ID: "t" + strconv.Itoa(len(m.made.Points)+1), ShopID: seller.ID, Kind: []string{"earned", "granted", "spent", "expired"}[kind],
		Points: int64(m.Between(1, 60)) * 50, Note: []string{"판매 적립", "입점 축하", "광고비 결제", "유효 기간 만료"}[kind],
		By: []string{"system", "boss@example.com", "system", "system"}[kind], At: at,
	}
	if kind > 1 {
		if seller.Points < one.Points {
			return
		}
		one.Points = -one.Points
	}
	seller.Points += one.Points
	m.made.Points = append(m.made.Points, one)
}
