package members

// Realm is the realm of the members in Munjigi's configuration.
const Realm = "members"

// Member is somebody who uses the shops.
type Member struct {
	Login    string `json:"login"` // an e-mail address
	Password string `json:"password"`
	Name     string `json:"name"` // as written in the person's own script
}

// List is everybody: the owners of the market's shops, then customers.
func List() []Member {
	return []Member{
		{"jiwoo@ongi.example", "lantern-on-the-hill", "한지우"},
		{"frieda@nordlicht.example", "winter-forest-wax", "Frieda Hansen"},
		{"haein@badabooks.example", "the-keeper-writes-on", "정해인"},
		{"priya@sock.example", "left-foot-first-9", "Priya Raman"},
		{"seoa@mail.example", "persimmon-season", "윤서아"},
		{"tom@mail.example", "tuesday-is-market", "Tom Avery"},
	}
}

func find(login string) (Member, bool) {
	for _, member := range List() {
		if member.Login == login {
			return member, true
		}
	}
	return Member{}, false
}
