package wishlist

import (
	"fmt"
	"net/http"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/service"
)

const (
	usualDays = 30  // of figures when nobody asks for a range, today included
	mostDays  = 400 // of any range
)

// spanOf is the range that a query asks for: from the midnight begin to the midnight end.
func (s *wishlist) spanOf(q *service.Query, required bool) (begin, end time.Time, err error) {
	begin, end = q.Range("start", "end", chance.Seoul)
	if err := q.Err(); err != nil {
		return begin, end, err
	}
	var wrong service.Wrong
	wrong.If(required && begin.IsZero(), "/start", "is needed", "필수 항목입니다")
	wrong.If(required && end.IsZero(), "/end", "is needed", "필수 항목입니다")
	if end.IsZero() {
		end = chance.Midnight(s.now()).AddDate(0, 0, 1)
	}
	if begin.IsZero() {
		begin = end.AddDate(0, 0, -usualDays)
	}
	wrong.If(!begin.Before(end) || end.Sub(begin) > mostDays*24*time.Hour, "/start", "1–400 days before the end", "끝나는 날부터 400일 안으로 고르세요")
	return begin, end, wrong.Err()
}

// stats are figures of a range of days.
type stats struct {
	NewLists      int   `json:"new_lists"`
	OpenLists     int   `json:"open_lists"`
	Contributions int   `json:"contributions"`
	Amount        int64 `json:"amount"`
	People        int   `json:"people"`
}

func (s *wishlist) getStats(r *http.Request) (any, error) {
	begin, end, err := s.spanOf(service.QueryOf(r), false)
	if err != nil {
		return nil, err
	}
	var sum stats
	people := map[string]bool{}
	s.lists.Each(func(l *giftList) {
		if l.Open {
			sum.OpenLists++
		}
		if service.Within(l.CreatedAt, begin, end) {
			sum.NewLists++
		}
	})
	s.paid(begin, end, func(c *contribution) {
		sum.Contributions++
		sum.Amount += c.Amount
		people[c.Name] = true
	})
	sum.People = len(people)
	return sum, nil
}

// paid looks at what was paid in a range and not given back.
func (s *wishlist) paid(begin, end time.Time, look func(*contribution)) {
	s.contributions.Each(func(c *contribution) {
		if c.Status == "paid" && service.Within(c.PaidAt, begin, end) {
			look(c)
		}
	})
}

type dayStats struct {
	Day           string `json:"day"`
	NewLists      int    `json:"new_lists"`
	Contributions int    `json:"contributions"`
	Amount        int64  `json:"amount"`
}

func (s *wishlist) getDailyStats(r *http.Request) (any, error) {
	begin, end, err := s.spanOf(service.QueryOf(r), false)
	if err != nil {
		return nil, err
	}
	days := make([]dayStats, int(end.Sub(begin)/(24*time.Hour)))
	for i := range days {
		days[i].Day = begin.AddDate(0, 0, i).Format(time.DateOnly)
	}
	of := func(at time.Time) *dayStats { return &days[int(at.Sub(begin)/(24*time.Hour))] }
	s.lists.Each(func(l *giftList) {
		if service.Within(l.CreatedAt, begin, end) {
			of(l.CreatedAt).NewLists++
		}
	})
	s.paid(begin, end, func(c *contribution) {
		of(c.PaidAt).Contributions++
		of(c.PaidAt).Amount += c.Amount
	})
	return days, nil
}

type occasionRow struct {
	Occasion      string `json:"occasion"`
	Lists         int    `json:"lists"`
	Contributions int    `json:"contributions"`
	Amount        int64  `json:"amount"`
}

func (s *wishlist) reportOccasions(r *http.Request) (any, error) {
	begin, end, err := s.spanOf(service.QueryOf(r), true)
	if err != nil {
		return nil, err
	}
	rows := make([]occasionRow, len(occasions))
	at, of := map[string]int{}, map[string]string{}
	for i, name := range occasions {
		rows[i].Occasion, at[name] = name, i
	}
	s.lists.Each(func(l *giftList) {
		of[l.ID] = l.Occasion
		if service.Within(l.CreatedAt, begin, end) {
			rows[at[l.Occasion]].Lists++
		}
	})
	s.paid(begin, end, func(c *contribution) {
		if occasion, ok := of[c.ListID]; ok { // not of a list that was deleted
			rows[at[occasion]].Contributions++
			rows[at[occasion]].Amount += c.Amount
		}
	})
	return rows, nil
}

type monthRow struct {
	Month         string `json:"month"`
	NewLists      int    `json:"new_lists"`
	Contributions int    `json:"contributions"`
	Amount        int64  `json:"amount"`
}

func (s *wishlist) reportMonths(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	year := q.Int("year", 0, 2000, 2100)
	if err := q.Err(); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	wrong.If(year == 0, "/year", "is needed", "필수 항목입니다")
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	rows := make([]monthRow, 12)
	for i := range rows {
		rows[i].Month = fmt.Sprintf("%d-%02d", year, i+1)
	}
	begin := time.Date(year, 1, 1, 0, 0, 0, 0, chance.Seoul)
	end := begin.AddDate(1, 0, 0)
	of := func(at time.Time) *monthRow { return &rows[at.In(chance.Seoul).Month()-1] }
	s.lists.Each(func(l *giftList) {
		if service.Within(l.CreatedAt, begin, end) {
			of(l.CreatedAt).NewLists++
		}
	})
	s.paid(begin, end, func(c *contribution) {
		of(c.PaidAt).Contributions++
		of(c.PaidAt).Amount += c.Amount
	})
	return rows, nil
}
