package market

import (
	"errors"
	"fmt"
	"hash/fnv"
	"html"
	"io"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/fault"
)

const (
	largestImage = 256 << 10 // bytes
	mostImages   = 50        // the oldest goes
)

// images are those that were uploaded, by product.
type images struct {
	mu    sync.Mutex // guards what is below
	of    map[string]image
	order []string
}

type image struct {
	kind string // image/png, image/jpeg, image/gif, image/webp
	text []byte
}

func newImages() *images { return &images{of: map[string]image{}} }

func (i *images) put(id string, one image) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.of[id]; !ok {
		i.order = append(i.order, id)
	}
	i.of[id] = one
	if len(i.order) > mostImages {
		delete(i.of, i.order[0])
		i.order = i.order[1:]
	}
}

func (i *images) get(id string) (image, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	one, ok := i.of[id]
	return one, ok
}

func (m *market) getProductImage(r *http.Request) (any, error) {
	one, err := m.products.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if uploaded, ok := m.images.get(one.ID); ok {
		return &service.Answer{Body: uploaded.text, Header: map[string]string{"Content-Type": uploaded.kind}}, nil
	}
	return drawn(colourOf(one.ID), one.Name), nil
}

func (m *market) getCreativeImage(r *http.Request) (any, error) {
	one, err := m.creatives.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return drawn(one.Colour, one.Headline), nil
}

// drawn is a picture with one colour and one letter, for whom nobody has taken a photograph.
func drawn(colour, title string) *service.Answer {
	first := "·"
	for _, letter := range title {
		first = string(letter)
		break
	}
	text := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" width="120" height="120">`+
		`<rect width="120" height="120" rx="14" fill="%s"/><text x="60" y="78" font-size="52" text-anchor="middle" fill="#fff" font-family="sans-serif">%s</text></svg>`,
		html.EscapeString(colour), html.EscapeString(first))
	return &service.Answer{Body: []byte(text), Header: map[string]string{"Content-Type": "image/svg+xml"}}
}

func colourOf(id string) string {
	sum := fnv.New32a()
	sum.Write([]byte(id))
	return fmt.Sprintf("#%06x", sum.Sum32()&0x7f7f7f) // dark enough for white letters
}

// uploadProductImage takes one file, "image", of a form; "alt" is what to say to who does not see it.
func (m *market) uploadProductImage(r *http.Request) (any, error) {
	one, err := m.products.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	uploaded, err := readImage(r)
	if err != nil {
		return nil, err
	}
	m.images.put(one.ID, uploaded)
	changed, err := m.products.Edit(one.ID, func(p *product) error {
		p.UpdatedAt = m.now().UTC().Truncate(time.Second)
		return nil
	})
	if err != nil {
		return nil, err
	}
	m.note(r, "product.pictured", changed.ShopID, changed.ID)
	return service.Tagged(changed), nil
}

func readImage(r *http.Request) (image, error) {
	var wrong service.Wrong
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	wrong.If(err != nil || kind != "multipart/form-data", "", "multipart/form-data", "multipart/form-data로 보내야 합니다")
	if err := wrong.Err(); err != nil {
		return image{}, err
	}
	file, _, err := r.FormFile("image")
	if long, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return image{}, fault.Wrap(fault.TooLarge, long)
	}
	wrong.If(err != nil, "/image", "a file is needed", "파일을 고르세요")
	if err := wrong.Err(); err != nil {
		return image{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largestImage+1))
	if err != nil {
		return image{}, fmt.Errorf("read the image: %w", err)
	}
	kind = http.DetectContentType(text)
	known := map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}
	wrong.If(len(text) > largestImage, "/image", "at most 256 KB", "256 KB까지 올릴 수 있습니다")
	wrong.If(!known[kind], "/image", "a PNG, JPEG, GIF or WebP", "PNG, JPEG, GIF, WebP 중 하나를 고르세요")
	return image{kind, text}, wrong.Err()
}
