package wishlist

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
)

const (
	seed     = 20260527
	daysBack = 365
	usual    = 2.6 // new lists a day
)

// present is what people wish for, at a price in thousands of won.
type present struct {
	name        string
	least, most int
}

var presents = map[string][]present{
	"birthday":       {{"무선 이어폰", 89, 329}, {"가죽 지갑", 59, 189}, {"향초 세트", 29, 69}, {"에스프레소 그라인더", 129, 449}, {"전시회 표 두 장", 30, 60}, {"손목시계", 120, 690}, {"Bread oven", 140, 320}, {"Field guide to clouds", 19, 39}},
	"first_birthday": {{"원목 흔들말", 89, 168}, {"그림책 열 권", 79, 118}, {"금반지 한 돈", 620, 745}, {"돌 한복", 69, 159}, {"유아 소파", 49, 129}, {"성장 앨범", 59, 149}, {"나무 블록", 39, 89}},
	"wedding":        {{"스탠드 믹서", 390, 690}, {"린넨 식탁보", 69, 129}, {"로봇 청소기", 420, 990}, {"침구 세트", 190, 490}, {"냄비 세트", 160, 420}, {"어디든 가는 표 두 장", 400, 900}, {"커피 머신", 290, 890}, {"Two tickets to anywhere", 400, 900}},
	"housewarming":   {{"공기 정화 식물", 35, 79}, {"휴지 30롤", 19, 29}, {"무선 청소기", 290, 790}, {"디퓨저", 25, 69}, {"접이식 탁자", 59, 149}, {"조명", 49, 189}, {"A lamp like a lighthouse", 59, 139}},
	"new_baby":       {{"유아차", 390, 1190}, {"젖병 소독기", 129, 259}, {"아기 욕조", 29, 69}, {"속싸개 세 장", 29, 59}, {"분유 포트", 59, 129}, {"Night light", 29, 59}},
	"graduation":     {{"노트북 가방", 59, 149}, {"만년필", 69, 259}, {"구두 상품권", 100, 300}, {"여행 가방", 129, 359}, {"블루투스 키보드", 59, 149}},
	"retirement":     {{"안마 의자", 1290, 1990}, {"등산화", 129, 289}, {"꽃바구니", 59, 129}, {"낚싯대", 89, 390}, {"찻잔 세트", 79, 189}, {"A week at the sea", 490, 990}},
}

// titles are what lists are called; %s is the owner's given name.
var titles = map[string][]string{
	"birthday": {"%s 생일 선물", "%s의 생일", "%s의 서른 번째 생일"}, "first_birthday": {"%s의 돌잔치", "%s 첫돌"}, "wedding": {"%s 결혼해요", "%s & 곰곰의 결혼"},
	"housewarming": {"%s네 집들이", "%s 새집"}, "new_baby": {"%s네 아기", "%s 출산 준비"}, "graduation": {"%s 졸업", "%s 취업 준비"}, "retirement": {"%s 님 퇴임", "%s 선생님 은퇴"},
}

// englishTitles are the same for owners from elsewhere.
var englishTitles = map[string]string{
	"birthday": "%s turns thirty", "first_birthday": "%s is one", "wedding": "%s is getting married", "housewarming": "A new home for %s",
	"new_baby": "A baby for %s", "graduation": "%s has done it", "retirement": "Farewell, %s",
}

var thanks = []string{"와 주셔서 고맙습니다", "보내 주신 마음 잘 받았습니다", "덕분에 행복한 하루였어요", "고맙습니다. 곧 인사드릴게요", "Thank you all so much"}

var wishes = []string{"", "", "축하해!", "행복하게 잘 살아", "생일 축하해요", "건강하게 자라렴", "Happy birthday!", "With love from all of us", "고생 많으셨습니다", "새집에서 좋은 일만 있길", "작지만 보태요"}

// stock is everything that a wishlist has when it starts.
type stock struct {
	lists         []giftList
	gifts         []gift
	contributions []contribution
}

type maker struct {
	chance.Dice
	now   time.Time
	today time.Time
	made  stock
}

func makeStock(now time.Time) stock {
	m := &maker{Dice: chance.NewDice(seed), now: now, today: chance.Midnight(now)}
	m.makeKnown()
	for back := daysBack; back >= 0; back-- {
		day := m.today.AddDate(0, 0, -back)
		for _, at := range m.Times(day, m.Busy(day, usual)) {
			if !at.After(now) {
				m.list(at)
			}
		}
	}
	return m.made
}

// makeKnown are a few lists that are always there, so that a page of documentation can speak of them.
func (m *maker) makeKnown() {
	for i, one := range []giftList{
		{Title: "김하늘의 돌잔치", Owner: "김도윤", Occasion: "first_birthday"},
		{Title: "Mia & Jonas are getting married", Owner: "Mia Lindqvist", Occasion: "wedding"},
		{Title: "서연이네 집들이", Owner: "이서연", Occasion: "housewarming"},
		{Title: "Oliver turns 40 (no socks, please)", Owner: "Oliver Brandt", Occasion: "birthday"},
		{Title: "할머니 팔순 잔치", Owner: "박보라", Occasion: "birthday"},
	} {
		one.CreatedAt = m.today.AddDate(0, 0, -20-i).Add(9 * time.Hour)
		one.EventDate = m.today.AddDate(0, 0, 10-5*i).Format(time.DateOnly)
		one.Open = i < 2
		m.add(one)
	}
}

func (m *maker) list(at time.Time) {
	occasion := occasions[m.Weighted(8, 5, 5, 6, 4, 2, 1)]
	owner := m.Person()
	title := chance.Pick(m.Dice, titles[occasion])
	called, _, elsewhere := strings.Cut(owner, " ")
	if elsewhere {
		title = englishTitles[occasion]
	} else {
		called = string([]rune(owner)[1:]) // after the surname
	}
	event := chance.Midnight(at).AddDate(0, 0, m.Between(7, 90))
	m.add(giftList{
		Title: fmt.Sprintf(title, called), Owner: owner, Occasion: occasion,
		EventDate: event.Format(time.DateOnly), Open: !event.Before(m.today), CreatedAt: at,
	})
}

func (m *maker) add(one giftList) {
	one.ID = "l" + strconv.Itoa(len(m.made.lists)+1)
	event, err := time.ParseInLocation(time.DateOnly, one.EventDate, chance.Seoul)
	if err != nil {
		panic(err) // made above
	}
	if thanked := event.AddDate(0, 0, m.Between(1, 9)).Add(chance.TimeOfDay(m.Float64()).Truncate(time.Second)); thanked.Before(m.now) && !m.In(4) {
		one.ThankedAt, one.Message = &thanked, chance.Pick(m.Dice, thanks)
	}
	m.made.lists = append(m.made.lists, one)
	from := presents[one.Occasion]
	first := m.IntN(len(from))
	for k := range m.Between(3, min(8, len(from))) {
		m.gift(one, from[(first+k)%len(from)], event)
	}
}

func (m *maker) gift(list giftList, wish present, event time.Time) {
	one := gift{
		ID: "i" + strconv.Itoa(len(m.made.gifts)+1), ListID: list.ID, Name: wish.name, Currency: currency,
		Price: int64(m.Between(wish.least, wish.most)) * 1000, CreatedAt: list.CreatedAt,
	}
	if m.In(9) {
		one.Note = chance.Pick(m.Dice, []string{"빨간색으로 부탁해요", "고양이에게 안전한 것으로", "Mint, if they still make it", "전통이니까요", "형제들이 함께"})
	}
	end := event
	if end.After(m.now) {
		end = m.now
	}
	for range m.Skewed(6, 3) {
		m.chipIn(&one, list, end)
	}
	if one.Funded == 0 && m.In(3) {
		name := m.Person()
		one.Reserved, one.ReservedBy = true, &name
	}
	m.made.gifts = append(m.made.gifts, one)
}

// chipIn is somebody who gives a part of what is left, at some time before the end.
func (m *maker) chipIn(one *gift, list giftList, end time.Time) {
	left := one.Price - one.Funded
	span := int(end.Sub(list.CreatedAt) / time.Second)
	if left <= 0 || span < 1 {
		return
	}
	given := contribution{
		ID: "c" + strconv.Itoa(len(m.made.contributions)+1), ItemID: one.ID, ListID: list.ID, Name: m.Person(), Currency: currency,
		Amount: min(left, int64(m.Between(1, 12))*10_000), Message: chance.Pick(m.Dice, wishes), Status: "paid",
		PaidAt: list.CreatedAt.Add(time.Duration(m.IntN(span)) * time.Second),
	}
	if m.In(60) {
		given.Status = "refunded"
	} else {
		one.Funded += given.Amount
	}
	m.made.contributions = append(m.made.contributions, given)
}
