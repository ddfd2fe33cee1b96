package market

import (
	"net/http"
	"regexp"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

func (m *market) adRoutes() []service.Route {
	return []service.Route{
		{Pattern: "GET /ad-groups", Answer: m.listAdGroups},
		{Pattern: "POST /ad-groups", Answer: m.createAdGroup},
		{Pattern: "GET /ad-groups/{id}", Answer: m.getAdGroup},
		{Pattern: "PATCH /ad-groups/{id}", Answer: m.updateAdGroup},
		{Pattern: "POST /ad-groups/{id}/pause", Answer: m.setRunning("off")},
		{Pattern: "POST /ad-groups/{id}/resume", Answer: m.setRunning("on")},
		{Pattern: "GET /ad-groups/{id}/creatives", Answer: m.listCreativesOfGroup},
		{Pattern: "POST /ad-groups/{id}/creatives", Answer: m.createCreative},
		{Pattern: "GET /creatives", Answer: m.listCreatives},
		{Pattern: "GET /creatives/{id}", Answer: m.getCreative},
		{Pattern: "PATCH /creatives/{id}", Answer: m.updateCreative},
		{Pattern: "DELETE /creatives/{id}", Answer: m.deleteCreative},
		{Pattern: "GET /creatives/{id}/image", Answer: m.getCreativeImage},
	}
}

func (m *market) listAdGroups(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	search, status, of := q.Text("q"), q.Choice("status", "on", "off"), q.Text("shop_id")
	return paged(q, m.groups.Find(func(one *adGroup) bool {
		return service.Holds(search, one.Name) && service.Is(status, one.Status) && service.Is(of, one.ShopID)
	}), nil)
}

func (m *market) getAdGroup(r *http.Request) (any, error) { return get(r, m.groups) }

// adGroupForm is what a group is made from or changed by; nil = left as it is.
type adGroupForm struct {
	Name     *string `json:"name"`
	ShopID   *string `json:"shop_id"`
	Budget   *int64  `json:"budget"`
	BeginsOn *string `json:"begins_on"`
	EndsOn   *string `json:"ends_on"`
}

func (f adGroupForm) check(whole bool, shops *shelf.Shelf[shop]) error {
	var wrong service.Wrong
	wrong.If(whole && f.Name == nil, "/name", "is needed", "필수 항목입니다")
	wrong.If(whole && f.ShopID == nil, "/shop_id", "is needed", "필수 항목입니다")
	wrong.If(whole && f.Budget == nil, "/budget", "is needed", "필수 항목입니다")
	length(&wrong, "/name", f.Name, 1, 60)
	within(&wrong, "/budget", f.Budget, 1000, 10_000_000)
	if f.ShopID != nil {
		_, err := shops.Get(*f.ShopID)
		wrong.If(err != nil, "/shop_id", "there is no such shop", "없는 가게입니다")
	}
	day(&wrong, "/begins_on", f.BeginsOn)
	day(&wrong, "/ends_on", f.EndsOn)
	return wrong.Err()
}

func day(wrong *service.Wrong, pointer string, text *string) {
	if text != nil {
		_, err := time.Parse(time.DateOnly, *text)
		wrong.If(err != nil, pointer, "a day such as 2026-11-26", "2026-11-26과 같은 날짜로 입력하세요")
	}
}

// fill changes a group, if it does not end before it begins.
func (f adGroupForm) fill(one *adGroup) error {
	set(&one.Name, f.Name)
	set(&one.ShopID, f.ShopID)
	set(&one.Budget, f.Budget)
	set(&one.BeginsOn, f.BeginsOn)
	set(&one.EndsOn, f.EndsOn)
	var wrong service.Wrong
	wrong.If(one.EndsOn < one.BeginsOn, "/ends_on", "not before it begins", "시작일보다 빠를 수 없습니다")
	return wrong.Err()
}

func (m *market) createAdGroup(r *http.Request) (any, error) {
	var form adGroupForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(true, m.shops); err != nil {
		return nil, err
	}
	today := m.now().Format(time.DateOnly)
	one := adGroup{ID: m.id("g"), Status: "off", Currency: currency, BeginsOn: today, EndsOn: today}
	if form.EndsOn == nil && form.BeginsOn != nil {
		one.EndsOn = *form.BeginsOn
	}
	if err := form.fill(&one); err != nil {
		return nil, err
	}
	m.groups.Add(one)
	return service.Created("/ad-groups/"+one.ID, one), nil
}

func (m *market) updateAdGroup(r *http.Request) (any, error) {
	var form adGroupForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(false, m.shops); err != nil {
		return nil, err
	}
	return edit(r, m.groups, form.fill)
}

func (m *market) setRunning(status string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if err := service.Read(r, &struct{}{}, true); err != nil {
			return nil, err
		}
		return edit(r, m.groups, func(one *adGroup) error {
			if one.Status == status {
				return service.Conflict("ad_group_is_"+status, "This advertising is "+status+" already.", "이미 처리된 광고입니다.")
			}
			one.Status = status
			return nil
		})
	}
}

func (m *market) listCreatives(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	return m.creativesOf(q, q.Text("ad_group_id"))
}

func (m *market) listCreativesOfGroup(r *http.Request) (any, error) {
	one, err := m.groups.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return m.creativesOf(service.QueryOf(r), one.ID)
}

func (m *market) creativesOf(q *service.Query, group string) (any, error) {
	search, on := q.Text("q"), q.Bool("on")
	return paged(q, m.creatives.Find(func(one *creative) bool {
		return service.Is(group, one.GroupID) && service.Holds(search, one.Headline, one.Text) && (on == "" || one.On == (on == "true"))
	}), nil)
}

func (m *market) getCreative(r *http.Request) (any, error) { return get(r, m.creatives) }

// creativeForm is what a creative is made from or changed by; nil = left as it is.
type creativeForm struct {
	Headline *string `json:"headline"`
	Text     *string `json:"text"`
	Colour   *string `json:"color"`
	On       *bool   `json:"on"`
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (f creativeForm) check(whole bool) error {
	var wrong service.Wrong
	wrong.If(whole && f.Headline == nil, "/headline", "is needed", "필수 항목입니다")
	length(&wrong, "/headline", f.Headline, 1, 30)
	length(&wrong, "/text", f.Text, 0, 90)
	wrong.If(f.Colour != nil && !colour.MatchString(*f.Colour), "/color", "a colour such as #0a7d5a", "#0a7d5a와 같은 색으로 입력하세요")
	return wrong.Err()
}

func (f creativeForm) fill(one *creative) error {
	set(&one.Headline, f.Headline)
	set(&one.Text, f.Text)
	set(&one.Colour, f.Colour)
	set(&one.On, f.On)
	return nil
}

func (m *market) createCreative(r *http.Request) (any, error) {
	var form creativeForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(true); err != nil {
		return nil, err
	}
	group, err := m.groups.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	id := m.id("a")
	one := creative{ID: id, GroupID: group.ID, Image: "/creatives/" + id + "/image", Colour: "#0a7d5a"}
	if err := form.fill(&one); err != nil {
		return nil, err
	}
	m.creatives.Add(one)
	return service.Created("/creatives/"+id, one), nil
}

func (m *market) updateCreative(r *http.Request) (any, error) {
	var form creativeForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(false); err != nil {
		return nil, err
	}
	return edit(r, m.creatives, form.fill)
}

func (m *market) deleteCreative(r *http.Request) (any, error) {
	one, err := m.creatives.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	m.creatives.Remove(func(other *creative) bool { return other.ID == one.ID })
	return nil, nil
}
