// Package backoffice is what a service's screens are: what the console draws, what the gateway lets through, what roles
// are checked against and what `munjigi check --openapi` prints. Package compile makes them of an OpenAPI document.
//
// It knows nothing of OpenAPI, HTTP or the configuration. An annotation in a document may only tighten who may do what.
package backoffice

import "encoding/json"

// Service is all the screens of one service. Lists are in the order of its document.
type Service struct {
	Name    string `json:"name"`  // as configured
	Title   string `json:"title"` // info.title
	Help    string `json:"help,omitempty"`
	Docs    string `json:"docs,omitempty"`    // address of externalDocs; http or https
	Version string `json:"version,omitempty"` // info.version

	Menu       []Group     `json:"menu"`
	Resources  []Resource  `json:"resources"`
	Reports    []Report    `json:"reports"`
	Settings   []Settings  `json:"settings"`
	Cards      []Card      `json:"cards"`
	Operations []Operation `json:"operations"` // every one of the document, hidden ones too
	Guesses    []Guess     `json:"-"`          // for munjigi check
}

// Group is a part of the menu: a tag, or the first segment of a path.
type Group struct {
	Title   string  `json:"title"`
	Help    string  `json:"help,omitempty"`
	Entries []Entry `json:"entries"`
}

// Entry leads to one screen.
type Entry struct {
	Kind  EntryKind `json:"kind"`
	Key   string    `json:"key"` // of the resource, report or settings; of run: the operation's id
	Title string    `json:"title"`
}

type EntryKind string

const (
	ToResource EntryKind = "resource"
	ToReport   EntryKind = "report"
	ToSettings EntryKind = "settings"
	ToRun      EntryKind = "run"
)

// Kind is what an operation does on the screens.
type Kind string

const (
	List     Kind = "list"
	Get      Kind = "get"
	Create   Kind = "create"
	Update   Kind = "update"
	Delete   Kind = "delete"
	Action   Kind = "action" // of one row, or of the whole list
	Bulk     Kind = "bulk"   // of many rows in one call
	ReportOn Kind = "report"
	Figures  Kind = "cards"
	Setting  Kind = "settings"
	Run      Kind = "run" // a form, for what is nothing else
	Hidden   Kind = "hidden"
)

// Operation is one method on one path.
type Operation struct {
	ID         string      `json:"id"`     // operationId; without one "GET /shops/{id}"
	Method     string      `json:"method"` // upper case
	Path       string      `json:"path"`   // with the path of the document's server: /admin/shops/{id}
	Kind       Kind        `json:"kind"`
	Title      string      `json:"title"`
	Help       string      `json:"help,omitempty"`
	Deprecated bool        `json:"deprecated,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
	Body       *Body       `json:"body,omitempty"`   // what is sent; nil = nothing
	Answer     *Answer     `json:"answer,omitempty"` // the 2xx answer; nil = nothing is said of it
	Danger     Danger      `json:"danger,omitempty"`
	Guard      Guard       `json:"guard"`
	// When shows the operation only on rows whose fields have one of these values. For show: the service must check.
	When map[string][]json.RawMessage `json:"when,omitempty"`
}

// Write reports whether the operation may change something: any method but GET and HEAD, whatever its kind.
func (o Operation) Write() bool { return o.Method != "GET" && o.Method != "HEAD" }

type Danger string

const (
	Harmless     Danger = ""
	Confirm      Danger = "confirm"      // a dialog that names the record
	Irreversible Danger = "irreversible" // the record's title has to be typed
)

// Guard is what an operation asks for beside the service's roles. The zero value asks for nothing.
type Guard struct {
	Roles    []string `json:"roles,omitempty"`  // one of these as well
	Reason   bool     `json:"reason,omitempty"` // in words, kept in the audit
	Approval int      `json:"approval,omitempty"`
	Limit    int      `json:"limit,omitempty"` // rows at once; for show
}

// Parameter is one value outside the body.
type Parameter struct {
	In      string `json:"in"` // path, query, header
	Explode bool   `json:"explode,omitempty"`
	Field
}

// Body is what is sent: application/json unless Media says otherwise.
type Body struct {
	Media    string `json:"media"` // application/json, application/merge-patch+json, multipart/form-data, …
	Required bool   `json:"required,omitempty"`
	Schema   Field  `json:"schema"`
}

// Answer is what a successful call answers.
type Answer struct {
	Status int    `json:"status"`          // 200, 201, 202, 204
	Media  string `json:"media,omitempty"` // "" = nothing; what is not JSON is downloaded
	Schema *Field `json:"schema,omitempty"`
}

// Field is one value: a property, a parameter, or what a body or an answer is as a whole.
type Field struct {
	Name       string `json:"name,omitempty"`
	Title      string `json:"title"`
	Help       string `json:"help,omitempty"`
	Type       string `json:"type"`             // string, integer, number, boolean, object, array, any
	Format     string `json:"format,omitempty"` // of OpenAPI (date-time, int64, binary, …) or of x-admin (money:currency, …)
	Required   bool   `json:"required,omitempty"`
	Nullable   bool   `json:"nullable,omitempty"`
	ReadOnly   bool   `json:"read_only,omitempty"`
	WriteOnly  bool   `json:"write_only,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
	Sensitive  bool   `json:"sensitive,omitempty"`

	Choices []Choice        `json:"choices,omitempty"` // enum, or oneOf + const + title
	Default json.RawMessage `json:"default,omitempty"`
	Example json.RawMessage `json:"example,omitempty"`

	Minimum      json.Number `json:"minimum,omitempty"`
	Maximum      json.Number `json:"maximum,omitempty"`
	ExclusiveMin bool        `json:"exclusive_minimum,omitempty"`
	ExclusiveMax bool        `json:"exclusive_maximum,omitempty"`
	MultipleOf   json.Number `json:"multiple_of,omitempty"`
	MinLength    *int        `json:"min_length,omitempty"`
	MaxLength    *int        `json:"max_length,omitempty"`
	Pattern      string      `json:"pattern,omitempty"`
	MinItems     *int        `json:"min_items,omitempty"`
	MaxItems     *int        `json:"max_items,omitempty"`
	Media        string      `json:"media,omitempty"` // contentMediaType: an upload

	Items    *Field    `json:"items,omitempty"`    // of an array
	Fields   []Field   `json:"fields,omitempty"`   // of an object, in the document's order
	Rest     *Field    `json:"rest,omitempty"`     // additionalProperties: a map
	Variants []Variant `json:"variants,omitempty"` // oneOf, anyOf
	Switch   string    `json:"switch,omitempty"`   // the discriminator's property
	Again    string    `json:"again,omitempty"`    // a schema within itself, by name: shown as JSON

	Ref   *Ref   `json:"ref,omitempty"`
	Chart *Chart `json:"chart,omitempty"`
}

// Choice is one of a closed list of values.
type Choice struct {
	Value json.RawMessage `json:"value"`
	Title string          `json:"title"`
	Tone  string          `json:"tone,omitempty"` // good, warn, bad; "" = neutral
}

// Variant is one form that a value may take.
type Variant struct {
	Value string `json:"value,omitempty"` // of the property that Field.Switch names
	Title string `json:"title"`
	Field Field  `json:"field"`
}

// Ref says that a value is the id of a record.
type Ref struct {
	Service  string `json:"service,omitempty"` // "" = this one
	Resource string `json:"resource"`
}

// Resource is a list of records, and what can be done with them.
//
// Where a property of a row is named (ID, Keys, Display, Columns), a name that begins with "/" is a JSON pointer into the
// row ("/metadata/name"), and of a name that ends with "#last" the part of the value after its last slash is meant
// ("name#last": of "shops/12" 12). With Each, a property that is not at Each is the element's own (JSON:API's id); the
// same holds for the record at RecordAt, unless Each is "/node".
type Resource struct {
	Key      string `json:"key"`      // "shops"; of a list within a record "shops.products"
	Title    string `json:"title"`    // of many
	Singular string `json:"singular"` // of one
	Help     string `json:"help,omitempty"`
	Parent   string `json:"parent,omitempty"` // the key of the resource whose record it is a tab of

	List   string `json:"list"` // ids of operations; "" = none
	Get    string `json:"get,omitempty"`
	Create string `json:"create,omitempty"`
	Update string `json:"update,omitempty"`
	Delete string `json:"delete,omitempty"`

	RowActions  []string `json:"row_actions,omitempty"`
	ListActions []string `json:"list_actions,omitempty"`
	Bulk        []Many   `json:"bulk,omitempty"`
	Tabs        []Tab    `json:"tabs,omitempty"`  // what lies below a record
	Opens       string   `json:"opens,omitempty"` // the key of the resource that has the pages of these rows, where this one has none

	ID      string            `json:"id,omitempty"`      // the property that names a row; "" = rows cannot be addressed
	Keys    map[string]string `json:"keys,omitempty"`    // path parameter of the record's operations → property of a row
	Display string            `json:"display,omitempty"` // "{name} ({email})"
	Columns []string          `json:"columns"`           // names of properties, at most 8 unless annotated
	Row     Field             `json:"row"`               // a record in the list
	Record  *Field            `json:"record,omitempty"`  // a record in full, where it has a page; nil = Row

	RecordAt string `json:"record_at,omitempty"` // JSON pointer to the record in the answer of Get: "/data"; "" = the answer itself

	Filters []Filter `json:"filters,omitempty"`
	Search  string   `json:"search,omitempty"` // the query parameter
	Sort    *Sort    `json:"sort,omitempty"`
	Paging  Paging   `json:"paging"`
	Rows    string   `json:"rows"`            // JSON pointer to the array in the answer; "" = the answer itself
	Each    string   `json:"each,omitempty"`  // JSON pointer to a row's properties in an element: JSON:API's "/attributes"
	Allow   string   `json:"allow,omitempty"` // the property that lists the operation ids allowed for a row
}

// Many is a call for many rows at once.
type Many struct {
	Operation string `json:"operation"`
	IDs       string `json:"ids"` // the body's property that takes the ids
}

// Tab is below a record: a list of its own, or one thing.
type Tab struct {
	Title    string `json:"title"`
	Resource string `json:"resource,omitempty"` // the key of a list
	Get      string `json:"get,omitempty"`      // or the operation that answers one thing
}

// Filter is one question to a list; of a range there are two parameters.
type Filter struct {
	Title string `json:"title"`
	Param string `json:"param,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Field Field  `json:"field"`
}

// Sort is how a list is put into order by its query.
type Sort struct {
	Param string       `json:"param"`
	Style string       `json:"style"` // "minus" (-x), "word" (x desc), "comma" (x,desc), "plain" (ascending only, without Direction), "values" (only those listed)
	By    []SortChoice `json:"by,omitempty"`

	Direction string `json:"direction,omitempty"` // the parameter that takes asc or desc
}

// SortChoice is one order; of "values" Value is the whole of it.
type SortChoice struct {
	Column string `json:"column,omitempty"`
	Value  string `json:"value"`
	Title  string `json:"title"`
}

// Paging is how a list goes on.
type Paging struct {
	Style     string `json:"style"`           // none, page, offset, cursor
	Param     string `json:"param,omitempty"` // page number, offset or cursor
	Size      string `json:"size,omitempty"`  // the parameter for rows a page
	SizeUsual int    `json:"size_usual,omitempty"`
	SizeMost  int    `json:"size_most,omitempty"`
	First     int    `json:"first,omitempty"` // the first page's number; absent = 0
	Next      string `json:"next,omitempty"`  // where the next cursor is: JSON pointer, "link" (the header), or "last:id" (the last row's property). Of an address, Param in its query; without Param its whole query
	More      string `json:"more,omitempty"`  // JSON pointer to a boolean
	Total     string `json:"total,omitempty"` // JSON pointer, or "header:X-Total-Count"; "" = unknown
}

// Report is a question with a form, and its answer.
type Report struct {
	Key       string `json:"key"` // the operation's id
	Operation string `json:"operation"`
	Title     string `json:"title"`
	Rows      string `json:"rows,omitempty"` // JSON pointer to an array of objects; "" and an object: one record
	Chart     *Chart `json:"chart,omitempty"`
	From      string `json:"from,omitempty"` // parameters of a range of dates, if it has one
	To        string `json:"to,omitempty"`
}

// Settings is one record that is always there.
type Settings struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Get    string `json:"get"`
	Update string `json:"update"`
}

// Card is a figure or a chart of the home page.
type Card struct {
	Key       string `json:"key"` // the operation, and the property within its answer: "getStats/open_orders"
	Operation string `json:"operation"`
	Title     string `json:"title"`
	Pointer   string `json:"pointer"` // of the value in the answer
	Field     Field  `json:"field"`
	Chart     Chart  `json:"chart"`
	From      string `json:"from,omitempty"` // parameters of a range of dates; without them the card knows no range
	To        string `json:"to,omitempty"`
}

// Chart is how figures are drawn.
type Chart struct {
	Type     string `json:"type"` // stat, line, bar, donut, top, progress
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
	By       string `json:"by,omitempty"`
	Previous string `json:"previous,omitempty"` // the property with the figure of the period before
	Target   string `json:"target,omitempty"`
}

// Guess is one thing that the document does not say, and what was made of it.
type Guess struct {
	Operation string `json:"operation,omitempty"` // "" = of the whole document
	About     string `json:"about"`               // what was decided: kind, paging, title, …
	Took      string `json:"took"`                // what it was taken for
	Because   string `json:"because"`
	Better    string `json:"better,omitempty"` // the one line that would say it
}
